using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using UniFace.Data;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;

namespace UniFace.Cli.Commands;

/// <summary>
/// The options of `uniface train` that decide a run. Bound over a baseline: over the defaults for a new run, over run.json
/// for a resumed one, so that an option that was not given never conflicts.
/// </summary>
internal sealed class TrainOptionSet
{
    private static readonly TrainOptions Defaults = new() { Data = "", Loss = new UnifiedCrossEntropy(), Backbone = new BackboneSpec("mobilefacenet") };
    private readonly List<Option> all = [];
    private readonly Option<string> backbone;
    private readonly Option<double> width;
    private readonly Option<int> embeddingSize;
    private readonly Option<int> epochs;
    private readonly Option<int> batch;
    private readonly Option<int> accumulate;
    private readonly Option<long> seed;
    private readonly Option<string> optimizer;
    private readonly Option<double> learningRate;
    private readonly Option<double> momentum;
    private readonly Option<double> weightDecay;
    private readonly Option<string> decay;
    private readonly Option<string> schedule;
    private readonly Option<double> warmup;
    private readonly Option<double> power;
    private readonly Option<string> steps;
    private readonly Option<double> clip;
    private readonly Option<double> ema;
    private readonly Option<string> centerType;
    private readonly Option<string> precision;
    private readonly Option<string> sampler;
    private readonly Option<int> imagesPerPerson;
    private readonly Option<string> classWeight;
    private readonly Option<double> classWeightBeta;
    private readonly Option<int> minImages;
    private readonly Option<int> maxImages;
    private readonly Option<string> augment;
    private readonly Option<string> validation;
    private readonly Option<double?> validationPeople;
    private readonly Option<int> validateEvery;
    private readonly Option<int> checkpointEvery;
    private readonly Option<int> threads;
    private readonly Option<string> device;

    public TrainOptionSet()
    {
        backbone = Text("--backbone", $"Network: {string.Join(", ", BackboneRegistry.Names)}.", Defaults.Backbone.Name);
        width = Number("--width", "Factor on the channels of mobilefacenet, 0.25 to 2.", Defaults.Backbone.Width);
        embeddingSize = Whole("--embedding-size", "Values in an embedding.", Defaults.Backbone.EmbeddingSize);
        epochs = Whole("--epochs", "Passes over the data. --resume may raise it.", Defaults.Epochs);
        batch = Whole("--batch", "Pictures a batch.", Defaults.Batch);
        accumulate = Whole("--accumulate", "Batches whose gradients make one step.", Defaults.Accumulate);
        seed = Add(new Option<long>("--seed") { Description = "Decides every random choice of the run.", DefaultValueFactory = _ => Defaults.Seed });
        optimizer = Choice<OptimizerKind>("--optimizer", "Optimizer.", Defaults.Optimizer);
        learningRate = Number("--lr", "Learning rate at full height (with adamw: 0.001).", Defaults.LearningRate);
        momentum = Number("--momentum", "Momentum of sgd.", Defaults.Momentum);
        weightDecay = Number("--weight-decay", "Weight decay (with adamw: 0.01).", Defaults.WeightDecay);
        decay = Choice<WeightDecayRule>("--decay", "What decays: all, or weights only (no bias, normalisation, PReLU, threshold).", Defaults.Decay);
        schedule = Choice<ScheduleKind>("--schedule", "How the learning rate falls.", Defaults.Schedule);
        warmup = Add(new Option<double>("--warmup") { Description = "Epochs of linear warm-up, fractions allowed. Default: 2, or a sixth of --epochs where that is less." });
        power = Number("--power", "Power of the poly schedule.", Defaults.Power);
        steps = Text("--steps", "Epochs at which the step schedule divides by 10: 8,12.", "");
        clip = Number("--clip", "Largest norm of all gradients together (with sgd: but for the class centers'); 0 clips nothing.", Defaults.Clip);
        ema = Number("--ema", "Decay of a moving average of the backbone's weights, e.g. 0.999; 0 for none.", Defaults.Ema);
        centerType = Choice<CenterType>("--center-dtype", "How class centers and their momentum are stored: bfloat16 takes half the memory (sgd, on the CPU).", Defaults.CenterType);
        precision = Choice<Precision>("--precision", "What the convolutions of a step multiply in; bfloat16 is faster where the processor has it ('uniface bench step' says by how much).", Defaults.Precision);
        sampler = Text("--sampler", "Which pictures an epoch shows: every one once, people equally often, or batches of people x --images-per-person.", Defaults.Sampler);
        sampler.AcceptOnlyFromAmong([.. Samplers.Names]);
        imagesPerPerson = Whole("--images-per-person", "Pictures of each person in a batch of --sampler pk.", Defaults.ImagesPerPerson);
        classWeight = Text("--class-weight", "Weights of the losses against imbalance: 1/n, or by the effective number of samples.", Defaults.ClassWeight);
        classWeight.AcceptOnlyFromAmong([.. ClassWeights.Names]);
        classWeightBeta = Number("--class-weight-beta", "Beta of --class-weight effective.", Defaults.ClassWeightBeta);
        minImages = Whole("--min-images", "People with fewer pictures are left out.", Defaults.MinImages);
        maxImages = Whole("--max-images", "Pictures of a person that are used at most; 0 for all.", Defaults.MaxImages);
        augment = Text("--augment", "How pictures are varied: none, or flip, shift, color, blur, lowres, erase with probabilities, as in flip=0.5,color=0.2.", Defaults.Augment.ToString());
        validation = Text("--val", "Data set of other people to validate on, or none.", "none");
        validationPeople = Add(new Option<double?>("--val-people") { Description = $"Share of the people held out of DATA for validation and calibration, 0 to 0.5; by default {TrainOptions.ShareToHoldOut.ToString(CultureInfo.InvariantCulture)} where DATA has {TrainOptions.PeopleToHoldOut} people or more, and 0 with --val." });
        validateEvery = Whole("--val-every", "Epochs between validations.", Defaults.ValidateEvery);
        checkpointEvery = Whole("--checkpoint-every", "Steps between checkpoints, besides the one at each epoch's end; 0 for none.", Defaults.CheckpointEvery);
        threads = Whole("--threads", "Threads of a step; part of the run, since the order of sums depends on it. --resume may change it.", Defaults.Threads);
        device = Text("--device", "Where the network computes: cpu, cuda, cuda:1, mps.", Defaults.Device);
    }

    public IEnumerable<Option> All => all;

    /// <summary>The options given, over the defaults.</summary>
    public TrainOptions BindNew(ParseResult parsed, string data)
    {
        TrainOptions baseline = Defaults with { Data = Path.GetFullPath(data), Warmup = Math.Min(2, parsed.GetValue(epochs) / 6.0) };
        if (parsed.GetValue(optimizer) is string kind && Parse<OptimizerKind>(kind) == OptimizerKind.AdamW)
        {
            baseline = baseline with { LearningRate = 1e-3, WeightDecay = 1e-2 };
        }

        return Bind(parsed, baseline) with { Loss = LossOptions.Read(parsed) };
    }

    /// <summary>Holds people out of a set that is large enough for it, where nothing else was said of validation.</summary>
    public TrainOptions HoldOut(ParseResult parsed, TrainOptions chosen, FaceDataset data) =>
        IsGiven(parsed, validation) || IsGiven(parsed, validationPeople) || data.People.Count < TrainOptions.PeopleToHoldOut
            ? chosen
            : chosen with { ValidationPeople = TrainOptions.ShareToHoldOut };

    /// <summary>The options of the run that is resumed, with --threads and --epochs as given; any other option may only repeat what the run has.</summary>
    /// <exception cref="UniFaceException">Names the option and the given value.</exception>
    public TrainOptions BindResumed(ParseResult parsed, TrainOptions stored)
    {
        foreach (Option option in all.Where(o => IsGiven(parsed, o)))
        {
            if (option != threads && option != epochs && Json(Bind(parsed, stored, option)) != Json(stored))
            {
                throw Conflict(parsed, option);
            }
        }

        if (LossOptions.All.FirstOrDefault(o => IsGiven(parsed, o)) is Option some && !LossOptions.Read(parsed, stored.Loss).Equals(stored.Loss))
        {
            throw Conflict(parsed, some);
        }

        return Bind(parsed, stored);
    }

    private static UniFaceException Conflict(ParseResult parsed, Option option)
    {
        string value = string.Join(' ', parsed.GetResult(option)!.Tokens.Select(t => t.Value));
        return new UniFaceException($"{option.Name} {value} is not what the run was started with; leave it out to go on with the run as it is, or start a new run with --out.");
    }

    private TrainOptions Bind(ParseResult parsed, TrainOptions baseline, Option? only = null)
    {
        T Given<T>(Option<T> option, T fallback) => (only is null || only == option) && IsGiven(parsed, option) ? parsed.GetValue(option)! : fallback;
        TEnum GivenChoice<TEnum>(Option<string> option, TEnum fallback)
            where TEnum : struct, Enum => (only is null || only == option) && IsGiven(parsed, option) ? Parse<TEnum>(parsed.GetValue(option)!) : fallback;
        bool Has(Option option) => (only is null || only == option) && IsGiven(parsed, option);

        return baseline with
        {
            Backbone = new BackboneSpec(
                Given(backbone, baseline.Backbone.Name),
                Given(width, baseline.Backbone.Width),
                Given(embeddingSize, baseline.Backbone.EmbeddingSize)),
            Epochs = Given(epochs, baseline.Epochs),
            Batch = Given(batch, baseline.Batch),
            Accumulate = Given(accumulate, baseline.Accumulate),
            Seed = Given(seed, baseline.Seed),
            Optimizer = GivenChoice(optimizer, baseline.Optimizer),
            LearningRate = Given(learningRate, baseline.LearningRate),
            Momentum = Given(momentum, baseline.Momentum),
            WeightDecay = Given(weightDecay, baseline.WeightDecay),
            Decay = GivenChoice(decay, baseline.Decay),
            Schedule = GivenChoice(schedule, baseline.Schedule),
            Warmup = Given(warmup, baseline.Warmup),
            Power = Given(power, baseline.Power),
            Steps = Has(steps) ? ParseSteps(parsed.GetValue(steps)!) : baseline.Steps,
            Clip = Given(clip, baseline.Clip),
            Ema = Given(ema, baseline.Ema),
            CenterType = GivenChoice(centerType, baseline.CenterType),
            Precision = GivenChoice(precision, baseline.Precision),
            Sampler = Given(sampler, baseline.Sampler),
            ImagesPerPerson = Given(imagesPerPerson, baseline.ImagesPerPerson),
            ClassWeight = Given(classWeight, baseline.ClassWeight),
            ClassWeightBeta = Given(classWeightBeta, baseline.ClassWeightBeta),
            MinImages = Given(minImages, baseline.MinImages),
            MaxImages = Given(maxImages, baseline.MaxImages),
            Augment = Has(augment) ? AugmentOptions.Parse(parsed.GetValue(augment)!) : baseline.Augment,
            Validation = Has(validation) ? ParseValidation(parsed.GetValue(validation)!) : baseline.Validation,
            ValidationPeople = Given(validationPeople, baseline.ValidationPeople) ?? baseline.ValidationPeople,
            ValidateEvery = Given(validateEvery, baseline.ValidateEvery),
            CheckpointEvery = Given(checkpointEvery, baseline.CheckpointEvery),
            Threads = Given(threads, baseline.Threads),
            Device = Given(device, baseline.Device),
        };
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is OptionResult { Implicit: false };

    private static string Json(TrainOptions options) => System.Text.Json.JsonSerializer.Serialize(options);

    private static string? ParseValidation(string text) => text == "none" ? null : Path.GetFullPath(text);

    private static double[] ParseSteps(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. parts.Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double epoch)
            ? epoch
            : throw new UniFaceException($"--steps {text}: '{part}' is no number; expected epochs like 8,12."))];
    }

    private static T Parse<T>(string text)
        where T : struct, Enum => Enum.Parse<T>(text, ignoreCase: true);

    private Option<T> Add<T>(Option<T> option)
    {
        all.Add(option);
        return option;
    }

    private Option<string> Text(string name, string description, string value) =>
        Add(new Option<string>(name) { Description = description, DefaultValueFactory = _ => value });

    private Option<double> Number(string name, string description, double value) =>
        Add(new Option<double>(name) { Description = description, DefaultValueFactory = _ => value });

    private Option<int> Whole(string name, string description, int value) =>
        Add(new Option<int>(name) { Description = description, DefaultValueFactory = _ => value });

    private Option<string> Choice<T>(string name, string description, T value)
        where T : struct, Enum
    {
        Option<string> option = Text(name, description, Lower(value));
        option.AcceptOnlyFromAmong([.. Enum.GetValues<T>().Select(Lower)]);
        return option;
    }

#pragma warning disable CA1308 // Options are written in lower case.
    private static string Lower<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
