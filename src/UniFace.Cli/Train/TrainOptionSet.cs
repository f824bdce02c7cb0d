using UniFace.Cli.Losses;
using UniFace.Training.Data;
using UniFace.Training.Optimization;

namespace UniFace.Cli.Train;

/// <summary>
/// The options of `uniface train` that define a run. Given options are applied to a baseline: the defaults for a new run, run.json for a
/// resumed run.
/// </summary>
internal sealed class TrainOptionSet
{
    private static readonly TrainOptions Defaults = new() { Data = "", Loss = new UnifiedCrossEntropy(), Backbone = new BackboneSpec("mobilefacenet") };
    private readonly List<(Option Option, Func<ParseResult, TrainOptions, TrainOptions> Apply)> all = [];
    private readonly Option<string> optimizer;
    private readonly Option<int> epochs;
    private readonly Option threads, validation, validationPeople;

    public TrainOptionSet()
    {
        string networks = string.Join(", ", BackboneRegistry.Names);
        Add("--backbone", $"Network: {networks}.", Defaults.Backbone.Name, (o, v) => o with { Backbone = o.Backbone with { Name = v } });
        Add("--width", "Multiplier for the channels of mobilefacenet, 0.25 to 2.", Defaults.Backbone.Width,
            (o, v) => o with { Backbone = o.Backbone with { Width = v } });
        Add("--embedding-size", "Values per embedding.", Defaults.Backbone.EmbeddingSize,
            (o, v) => o with { Backbone = o.Backbone with { EmbeddingSize = v } });
        epochs = Add("--epochs", "Passes over the data. --resume may raise it.", Defaults.Epochs, (o, v) => o with { Epochs = v });
        Add("--batch", "Images per batch.", Defaults.Batch, (o, v) => o with { Batch = v });
        Add("--accumulate", "Batches per step; their gradients are summed.", Defaults.Accumulate, (o, v) => o with { Accumulate = v });
        Add("--seed", "Seed of every random choice of the run.", Defaults.Seed, (o, v) => o with { Seed = v });
        optimizer = AddChoice("--optimizer", "Optimizer.", Defaults.Optimizer, (o, v) => o with { Optimizer = v });
        Add("--lr", "Peak learning rate (default with adamw: 0.001).", Defaults.LearningRate, (o, v) => o with { LearningRate = v });
        Add("--momentum", "Momentum of sgd.", Defaults.Momentum, (o, v) => o with { Momentum = v });
        Add("--weight-decay", "Weight decay (default with adamw: 0.01).", Defaults.WeightDecay, (o, v) => o with { WeightDecay = v });
        AddChoice("--decay", "Parameters that decay: all, or weights only (no bias, normalization, PReLU or threshold).", Defaults.Decay,
            (o, v) => o with { Decay = v });
        AddChoice("--schedule", "How the learning rate decreases.", Defaults.Schedule, (o, v) => o with { Schedule = v });
        Add(new CliOption<double>("--warmup", "Epochs of linear warm-up; fractions are allowed. Default: 2, but at most a sixth of --epochs."),
            (o, v) => o with { Warmup = v });
        Add("--power", "Power of the poly schedule.", Defaults.Power, (o, v) => o with { Power = v });
        Add("--steps", "Epochs at which the step schedule divides the rate by 10, e.g. 8,12.", "", (o, v) => o with { Steps = ParseSteps(v) });
        Add("--clip", "Largest norm of all gradients together (with sgd, without the class centers); 0 disables clipping.", Defaults.Clip,
            (o, v) => o with { Clip = v });
        Add("--ema", "Decay of a moving average of the backbone's weights, e.g. 0.999; 0 disables it.", Defaults.Ema, (o, v) => o with { Ema = v });
        AddChoice("--center-dtype", "How class centers and their momentum are stored: bfloat16 takes half the memory (sgd, on the CPU).",
            Defaults.CenterType, (o, v) => o with { CenterType = v });
        AddChoice("--precision", "Precision of a step's convolutions; bfloat16 is faster on processors that support it (measure with 'uniface bench step').",
            Defaults.Precision, (o, v) => o with { Precision = v });
        Add("--sampler", "Images of an epoch: each once, people equally often, or batches of people x --images-per-person.", Defaults.Sampler,
            (o, v) => o with { Sampler = v }).AcceptOnlyFromAmong([.. Samplers.Names]);
        Add("--images-per-person", "Images of each person in a batch of --sampler pk.", Defaults.ImagesPerPerson, (o, v) => o with { ImagesPerPerson = v });
        Add("--class-weight", "Weights of the loss against class imbalance: 1/n, or by the effective number of samples.", Defaults.ClassWeight,
            (o, v) => o with { ClassWeight = v }).AcceptOnlyFromAmong([.. ClassWeights.Names]);
        Add("--class-weight-beta", "Beta of --class-weight effective.", Defaults.ClassWeightBeta, (o, v) => o with { ClassWeightBeta = v });
        Add("--min-images", "Leave out people with fewer images.", Defaults.MinImages, (o, v) => o with { MinImages = v });
        Add("--max-images", "Largest number of images to use per person; 0 for all.", Defaults.MaxImages, (o, v) => o with { MaxImages = v });
        Add("--augment", "Augmentation: none, or probabilities of flip, shift, color, blur, lowres and erase, e.g. flip=0.5,color=0.2.",
            Defaults.Augment.ToString(), (o, v) => o with { Augment = AugmentOptions.Parse(v) });
        validation = Add("--val", "Data set of other people for validation, or none.", "none",
            (o, v) => o with { Validation = v == "none" ? null : Path.GetFullPath(v) });
        validationPeople = Add(
            new CliOption<double?>(
                "--val-people",
                $"Share of the people in DATA to hold out for validation and calibration, 0 to 0.5. Default: {TrainOptions.ShareToHoldOut} if DATA has " +
                $"at least {TrainOptions.PeopleToHoldOut} people; 0 with --val."),
            (o, v) => o with { ValidationPeople = v ?? o.ValidationPeople });
        Add("--val-every", "Epochs between validations.", Defaults.ValidateEvery, (o, v) => o with { ValidateEvery = v });
        Add("--checkpoint-every", "Steps between checkpoints, in addition to the one after each epoch; 0 for none.", Defaults.CheckpointEvery,
            (o, v) => o with { CheckpointEvery = v });
        threads = Add("--threads", "Threads per step. Part of the run, because the order of sums depends on it; --resume may change it.", Defaults.Threads,
            (o, v) => o with { Threads = v });
        Add("--device", "Where the network computes: cpu, cuda, cuda:1, mps.", Defaults.Device, (o, v) => o with { Device = v });
    }

    public IEnumerable<Option> All => all.Select(o => o.Option);

    /// <summary>The given options over the defaults.</summary>
    public TrainOptions BindNew(ParseResult parsed, string data)
    {
        TrainOptions baseline = Defaults with { Data = Path.GetFullPath(data), Warmup = Math.Min(2, parsed.GetValue(epochs) / 6.0) };
        if (parsed.GetValue(optimizer) == Lower(OptimizerKind.AdamW))
        {
            baseline = baseline with { LearningRate = 1e-3, WeightDecay = 1e-2 };
        }

        return Bind(parsed, baseline) with { Loss = LossOptions.Read(parsed) };
    }

    /// <summary>Holds out people of a large enough data set, unless the command line says otherwise.</summary>
    public TrainOptions HoldOut(ParseResult parsed, TrainOptions chosen, FaceDataset data) =>
        parsed.IsGiven(validation) || parsed.IsGiven(validationPeople) || data.People.Count < TrainOptions.PeopleToHoldOut
            ? chosen
            : chosen with { ValidationPeople = TrainOptions.ShareToHoldOut };

    /// <summary>The options of a resumed run. --threads and --epochs may change it; any other option must agree with it.</summary>
    /// <exception cref="UniFaceException">Names the option and its value.</exception>
    public TrainOptions BindResumed(ParseResult parsed, TrainOptions stored)
    {
        foreach ((Option option, Func<ParseResult, TrainOptions, TrainOptions> apply) in all.Where(o => parsed.IsGiven(o.Option)))
        {
            if (option != threads && option != epochs && Json(apply(parsed, stored)) != Json(stored))
            {
                throw Conflict(parsed, option);
            }
        }

        if (LossOptions.All.FirstOrDefault(o => parsed.IsGiven(o)) is Option some && !LossOptions.Read(parsed, stored.Loss).Equals(stored.Loss))
        {
            throw Conflict(parsed, some);
        }

        return Bind(parsed, stored);
    }

    private static UniFaceException Conflict(ParseResult parsed, Option option)
    {
        string value = string.Join(' ', parsed.GetResult(option)!.Tokens.Select(t => t.Value));
        return new UniFaceException(
            $"{option.Name} {value} differs from the run's own value; leave it out to continue the run, or start a new run with --out.");
    }

    private TrainOptions Bind(ParseResult parsed, TrainOptions baseline) =>
        all.Where(o => parsed.IsGiven(o.Option)).Aggregate(baseline, (options, option) => option.Apply(parsed, options));

    private static string Json(TrainOptions options) => System.Text.Json.JsonSerializer.Serialize(options);

    private static double[] ParseSteps(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. parts.Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double epoch)
            ? epoch
            : throw new UniFaceException($"--steps {text}: '{part}' is not a number; expected epochs, e.g. 8,12."))];
    }

    private Option<T> Add<T>(string name, string description, T value, Func<TrainOptions, T, TrainOptions> apply) =>
        Add(new CliOption<T>(name, description) { Default = value }, apply);

    private Option<T> Add<T>(Option<T> option, Func<TrainOptions, T, TrainOptions> apply)
    {
        all.Add((option, (parsed, options) => apply(options, parsed.GetValue(option)!)));
        return option;
    }

    private Option<string> AddChoice<T>(string name, string description, T value, Func<TrainOptions, T, TrainOptions> apply)
        where T : struct, Enum
    {
        Option<string> option = Add(name, description, Lower(value), (options, text) => apply(options, Enum.Parse<T>(text, ignoreCase: true)));
        option.AcceptOnlyFromAmong([.. Enum.GetValues<T>().Select(Lower)]);
        return option;
    }

#pragma warning disable CA1308 // Options are written in lower case.
    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
