using System.Linq.Expressions;
using System.Reflection;
using UniFace.Cli.Losses;
using UniFace.Training.Data;
using UniFace.Training.Distillation;
using UniFace.Training.Distributed;
using UniFace.Training.FineTuning;
using UniFace.Training.Optimization;

namespace UniFace.Cli.Train;

/// <summary>
/// The options of `uniface train` that define a run. Given options are applied to a baseline: the defaults for a new run, run.json for a
/// resumed run. A fine-tuning has defaults of its own, and the network of the model that it starts from.
/// </summary>
internal sealed class TrainOptionSet
{
    /// <summary>The heading in the help for the options of the run itself.</summary>
    public const string RunGroup = "Run";

    private const double FineTuneShare = 0.2; // Of the people, held out to compare the models.

    /// <summary>What `uniface train` does without options.</summary>
    public static readonly TrainOptions TrainDefaults = new() { Data = "", Loss = new UnifiedCrossEntropy(), Backbone = new BackboneSpec("mobilefacenet") };
    private readonly List<(Option Option, Func<ParseResult, TrainOptions, TrainOptions> Apply)> all = [];
    private readonly Dictionary<string, string> optionOf = []; // By the property of TrainOptions.
    private readonly TrainOptions defaults;
    private readonly bool fineTunes;
    private readonly Option<OptimizerKind> optimizer;
    private readonly Option<int> epochs;
    private readonly Option keep, threads, validation, validationPeople;
    private readonly Option[] network; // Of a fine-tuning's model: hidden, and refused if they ask for another.
    private string group = "Network"; // Of the options that are added next.
    private Option? teacher, teacherStart;

    /// <summary>Creates the options.</summary>
    /// <param name="fineTuning">The defaults of `uniface finetune`; null for those of `uniface train`.</param>
    public TrainOptionSet(TrainOptions? fineTuning = null)
    {
        fineTunes = fineTuning is not null;
        defaults = fineTuning ?? TrainDefaults;
        BackboneSpec backbone = defaults.Backbone;
        network =
        [
            Add(
                new CliOption<string>("--backbone", $"Network: {string.Join(", ", BackboneRegistry.Names)}.", "NAME") { Default = backbone.Name },
                (o, v) => o with { Backbone = o.Backbone with { Name = v } }),
            Add(
                new CliOption<double>("--width", "Multiplier for mobilefacenet's channels, 0.25 to 2.") { Default = backbone.Width },
                (o, v) => o with { Backbone = o.Backbone with { Width = v } }),
            Add(
                new CliOption<int>("--embedding-size", "Values per embedding.") { Default = backbone.EmbeddingSize },
                (o, v) => o with { Backbone = o.Backbone with { EmbeddingSize = v } }),
        ];
        Add(
            o => o.Precision,
            "Of a step's convolutions: float32, bfloat16 (faster on some CPUs), float16 (GPUs).").HelpName = "TYPE";
        Add(
            o => o.CenterType,
            "Type of class centers; bfloat16 halves their memory (sgd, CPU).",
            "--center-dtype");
        group = "Optimization";
        epochs = Add(o => o.Epochs, fineTunes ? "Passes over the data (default with --teacher: 0)." : "Passes over the data. --resume may raise it.");
        optionOf[nameof(TrainOptions.Batch)] = "--batch";
        Add(
            new CliOption<int>("--batch", "Images per batch; under mpiexec, of each process.") { Default = defaults.Batch },
            (o, v) => o with { Batch = v * MpiJob.LaunchedSize });
        Add(o => o.Accumulate, "Batches per step; their gradients are summed.");
        optimizer = Add(o => o.Optimizer, "Optimizer.");
        Add(o => o.LearningRate, "Peak learning rate (default with adamw: 0.001).", "--lr");
        Add(o => o.Momentum, "Momentum of sgd.");
        Add(o => o.WeightDecay, "Weight decay (default with adamw: 0.01).");
        Add(o => o.Decay, "What decays: all, or weights (no bias, normalization, PReLU, threshold).");
        Add(o => o.Schedule, "How the learning rate decreases.");
        Add(
            fineTunes
                ? new CliOption<double>("--warmup", "Epochs of linear warm-up (default with --teacher: 0).") { Default = defaults.Warmup }
                : new CliOption<double>("--warmup", "Epochs of linear warm-up, e.g. 0.5. Default: 2, but at most a sixth of --epochs."),
            (o, v) => o with { Warmup = v });
        Add(o => o.Power, "Power of the poly schedule.");
        Add(
            new CliOption<string>("--steps", "Epochs at which --schedule step divides the rate by 10: 8,12.", "EPOCH,..."),
            (o, v) => o with { Steps = ParseSteps(v) });
        Add(o => o.Clip, "Largest norm of all gradients (sgd: without class centers); 0: none.");
        Add(o => o.SyncBatchNorm, "Batch norms over the batches of all processes (mpiexec, CPU).");
        Add(o => o.Ema, "Decay of a moving average of the weights, e.g. 0.999; 0 disables it.");
        group = "Data";
        Add(o => o.Sampler, "Images of an epoch. uniform: each once; class-balanced: people equally often; pk: batches of people x --images-per-person.")
            .AcceptNames(Samplers.Names);
        Add(o => o.ImagesPerPerson, "Images of each person in a batch of --sampler pk.");
        Add(o => o.ClassWeight, "Weights of people. inverse: 1/n; effective: by effective number.")
            .AcceptNames(ClassWeights.Names);
        Add(o => o.ClassWeightBeta, "Beta of --class-weight effective.");
        Add(o => o.MinImages, "Leave out people with fewer images.");
        Add(o => o.MaxImages, "Most images to use per person; 0 for all.");
        Add(
            new CliOption<string>(
                "--augment",
                "Augmentation: none, or probabilities of flip, shift, color, blur, lowres, erase, warp and, without labels, mix, e.g. flip=0.5,color=0.2.",
                "SPEC")
            {
                Default = defaults.Augment.ToString(),
            },
            (o, v) => o with { Augment = AugmentOptions.Parse(v) });
        Add(CommonOptions.PersonLevel(), (o, v) => o with { PersonLevel = v });
        group = "Validation";
        validation = Add(
            new CliOption<string>("--val", "Data set of other people for validation, or none.", "DATA") { Default = "none" },
            (o, v) => o with { Validation = v == "none" ? null : Path.GetFullPath(v) });
        validationPeople = Add(
            new CliOption<double>(
                "--val-people",
                FormattableString.Invariant($"Share of the people in DATA to hold out for validation and calibration, 0 to 0.5. Default: {HeldOutShare} ") +
                $"if DATA has at least {TrainOptions.PeopleToHoldOut} people; 0 with --val."),
            (o, v) => o with { ValidationPeople = v });
        Add(
            fineTunes
                ? new CliOption<int>("--val-every", "Epochs between validations. Default: only at the end.")
                : new CliOption<int>("--val-every", "Epochs between validations.") { Default = defaults.ValidateEvery },
            (o, v) => o with { ValidateEvery = v });
        group = "Teacher";
        AddTeacher();
        group = RunGroup;
        Add(o => o.Seed, "Seed of every random choice of the run.");
        Add(o => o.CheckpointEvery, "Steps between checkpoints within an epoch; 0 for none.");
        keep = Add(o => o.Keep, "Checkpoints to keep. --resume may change it.");
        threads = Add(o => o.Threads, "Threads per step; part of the run. --resume may change it.");
        Add(o => o.Device, "Where the network computes: cpu, cuda, cuda:1, mps.").HelpName = "DEVICE";
        optionOf[nameof(TrainOptions.ValidateEvery)] = "--val-every";
        optionOf[nameof(TrainOptions.Steps)] = "--steps";
        optionOf[nameof(TrainOptions.Warmup)] = "--warmup";
        optionOf[nameof(TrainOptions.Validation)] = validation.Name;
        optionOf[nameof(TrainOptions.ValidationPeople)] = validationPeople.Name;
        foreach (Option option in fineTunes ? [.. network, teacherStart!] : (Option[])[])
        {
            option.Hidden = true;
        }
    }

    /// <summary>The option that sets a property of <see cref="TrainOptions"/>.</summary>
    public string OptionName(string property) =>
        optionOf.GetValueOrDefault(property) ?? all.Select(o => o.Option.Name).FirstOrDefault(name => name == ToOption(property)) ?? property;

    private double HeldOutShare => fineTunes ? FineTuneShare : TrainOptions.ShareToHoldOut;

    public IEnumerable<Option> All => all.Select(o => o.Option);

    /// <summary>The given options over the defaults.</summary>
    public TrainOptions BindNew(ParseResult parsed, string data) =>
        BindNew(parsed, defaults with { Data = Path.GetFullPath(data), Warmup = Math.Min(2, parsed.GetValue(epochs) / 6.0) });

    /// <summary>The given options over the defaults of a fine-tuning from a model.</summary>
    /// <exception cref="UniFaceException">An option asks for another network, or for other weights to start from.</exception>
    public TrainOptions BindFineTuning(ParseResult parsed, string data, StartWeights start)
    {
        bool taught = parsed.IsGiven(teacher!);
        int passes = parsed.IsGiven(epochs) ? parsed.GetValue(epochs) : taught ? 0 : defaults.Epochs;
        TrainOptions chosen = BindNew(parsed, defaults with
        {
            Data = Path.GetFullPath(data),
            Backbone = start.Backbone.Spec,
            Epochs = passes,
            Warmup = taught ? 0 : Math.Min(defaults.Warmup, passes),
        });
        if (chosen.Backbone != start.Backbone.Spec)
        {
            string given = string.Join(", ", network.Where(parsed.IsGiven).Select(option => option.Name));
            throw new UniFaceException(
                $"{given}: a fine-tuning keeps the network of the model that it starts from, which is {start.Backbone.Spec}; leave it out.");
        }

        if (chosen.Teacher is { Start: StudentStart.Narrowed })
        {
            throw new UniFaceException($"{teacherStart!.Name}: a fine-tuning starts from its model's weights; leave it out.");
        }

        return chosen with { Backbone = taught ? start.TaughtSpec : start.Backbone.Spec };
    }

    private TrainOptions BindNew(ParseResult parsed, TrainOptions baseline)
    {
        baseline = baseline with
        {
            Batch = baseline.Batch * MpiJob.LaunchedSize,
            Threads = Math.Max(baseline.Threads / MpiJob.LocalSize, 1),
        };
        if (parsed.GetValue(optimizer) == OptimizerKind.AdamW)
        {
            baseline = baseline with { LearningRate = 1e-3, WeightDecay = 1e-2 };
        }

        return Bind(parsed, baseline) with { Loss = LossOptions.Read(parsed) };
    }

    /// <summary>Holds out people of a large enough data set, unless the command line says otherwise.</summary>
    public TrainOptions HoldOut(ParseResult parsed, TrainOptions chosen, FaceDataset data) =>
        parsed.IsGiven(validation) || parsed.IsGiven(validationPeople) ? chosen : chosen.HoldOutPeople(data, HeldOutShare);

    /// <summary>The options of a resumed run. --threads, --epochs and --keep may change it; any other option must agree with it.</summary>
    /// <exception cref="UniFaceException">Names the option and its value.</exception>
    public TrainOptions BindResumed(ParseResult parsed, TrainOptions stored)
    {
        foreach ((Option option, Func<ParseResult, TrainOptions, TrainOptions> apply) in all.Where(o => parsed.IsGiven(o.Option)))
        {
            if (option != threads && option != epochs && option != keep && Json(apply(parsed, stored)) != Json(stored))
            {
                throw Conflict(parsed, option);
            }
        }

        if (LossOptions.All.FirstOrDefault(o => parsed.IsGiven(o)) is Option given && !LossOptions.Read(parsed, stored.Loss).Equals(stored.Loss))
        {
            throw Conflict(parsed, given);
        }

        return Bind(parsed, stored);
    }

    private void AddTeacher()
    {
        // The embeddings of a fine-tuned model have a space of their own: their cosine with a teacher's means nothing unless it is asked for.
        TeacherOptions weights = new() { Package = "" };
        weights = fineTunes ? weights with { Cosine = 0 } : weights;
        teacher = Add(
            new CliOption<string?>(
                "--teacher",
                "Learn this model's embeddings too. DATA is aligned for the network that is trained.",
                "PACKAGE"),
            (o, v) => v is null ? o : o with { Teacher = (o.Teacher ?? weights) with { Package = Directory.Exists(v) ? Path.GetFullPath(v) : v } });
        AddTeaching("--teacher-view",
            "The images that the teacher sees: clean, embedded once, or augmented.",
            weights.View, (t, v) => t with { View = v });
        AddTeaching<string?>("--teacher-data", "DATA aligned for the teacher, with the same names. Default: cut out of DATA.",
            null, (t, v) => t with { Data = v is null ? null : Path.GetFullPath(v) });
        teacherStart = AddTeaching("--teacher-start", "First weights: random, or narrowed from a wider teacher of its family.",
            weights.Start, (t, v) => t with { Start = v });
        AddTeaching("--teacher-cosine", "Weight of 1 - the cosine with the teacher's embedding.",
            weights.Cosine, (t, v) => t with { Cosine = v });
        AddTeaching("--teacher-relational", "Weight of the squared differences from the teacher's cosines.",
            weights.Relational, (t, v) => t with { Relational = v });
        AddTeaching("--label-weight", "Weight of --loss beside the teacher; 0: DATA needs no labels.", weights.Loss,
            (t, v) => t with { Loss = v });

        CliOption<T> AddTeaching<T>(string name, string description, T value, Func<TeacherOptions, T, TeacherOptions> apply)
        {
            CliOption<T> option = new(name, description) { Default = value };
            Add(option, (o, v) => o with
            {
                Teacher = apply(o.Teacher ?? throw new UniFaceException($"{name} needs --teacher PACKAGE, the model to learn from."), v),
            });
            return option;
        }
    }

    private static UniFaceException Conflict(ParseResult parsed, Option option)
    {
        string value = string.Join(' ', parsed.GetResult(option)!.Tokens.Select(t => t.Value));
        return new UniFaceException(
            $"{option.Name} {value} differs from the run's own value; leave it out to continue the run, or start a new run with --out.");
    }

    private TrainOptions Bind(ParseResult parsed, TrainOptions baseline) =>
        all.Where(o => parsed.IsGiven(o.Option)).Aggregate(baseline, (options, option) => option.Apply(parsed, options));

    private static string ToOption(string property) => "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(property);

    private static string Json(TrainOptions options) => JsonSerializer.Serialize(options);

    private static double[] ParseSteps(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return [.. parts.Select(part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double epoch)
            ? epoch
            : throw new UniFaceException($"--steps {text}: '{part}' is not a number; expected epochs, e.g. 8,12."))];
    }

    private CliOption<T> Add<T>(Expression<Func<TrainOptions, T>> property, string description, string? name = null)
    {
        PropertyInfo changed = (PropertyInfo)((MemberExpression)property.Body).Member;
        name ??= ToOption(changed.Name);
        optionOf[changed.Name] = name;
        CliOption<T> option = new(name, description) { Default = (T)changed.GetValue(defaults)! };
        return Add(option, (options, value) =>
        {
            TrainOptions copy = options with { };
            changed.SetValue(copy, value);
            return copy;
        });
    }

    private CliOption<T> Add<T>(CliOption<T> option, Func<TrainOptions, T, TrainOptions> apply)
    {
        option.Group = group;
        all.Add((option, (parsed, options) => Apply(options, parsed.GetValue(option)!)));
        return option;

        TrainOptions Apply(TrainOptions options, T value)
        {
            try
            {
                return apply(options, value);
            }
            catch (UniFaceException e) when (!e.Message.Contains(option.Name, StringComparison.Ordinal))
            {
                throw new UniFaceException($"{option.Name}: {e.Message}", e);
            }
        }
    }
}
