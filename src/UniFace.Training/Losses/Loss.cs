namespace UniFace.Training.Losses;

/// <summary>
/// A loss: its hyperparameters are its properties, and it creates a head of class centers, a margin and an objective. A subclass with a
/// <see cref="LossAttribute"/> is registered: its options, help, JSON and pages are generated from the type.
/// <see cref="ToString"/> returns "uce(margin-type=cos,margin=0.4,scale=64,...)", which <see cref="Parse"/> reads;
/// as JSON it is {"name": "uce", "hyperparameters": {"margin-type": "cos", "margin": 0.4, ...}}.
/// </summary>
[JsonConverter(typeof(LossJsonConverter))]
public abstract class Loss
{
    /// <summary>r, the share of the classes that a step uses, above 0 and up to 1 (Partial FC).</summary>
    [Hyperparameter(
        "r, share of the classes that a step uses; those of the batch are always included.",
        0,
        1,
        MinimumExcluded = true,
        Typical = "1, or 0.1 to 0.5 for very many people")]
    public double NegativeRate { get; init; } = 1;

    /// <summary>The loss's name, description, paper and hyperparameters.</summary>
    [JsonIgnore]
    internal LossInfo Info => LossRegistry.Find(GetType());

    /// <summary>The name in the registry: "uce".</summary>
    public string Name => Info.Name;

    /// <summary>Every hyperparameter that applies, with its value as canonical text, in the order of <see cref="LossInfo.Hyperparameters"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Values =>
        [.. Applicable.Select(p => new KeyValuePair<string, string>(p.Name, p.Read(this)))];

    /// <summary>The hyperparameters to lower if training diverges, each with its value: "margin (now 0.4)"; empty if it has neither margin nor scale.</summary>
    internal IEnumerable<string> HyperparametersToLower => Applicable.Where(p => p.LowerIfDiverging).Select(p => $"{p.Name} (now {p.Read(this)})");

    /// <summary>How an embedding is compared with a class center.</summary>
    protected internal virtual Similarity Similarity => Similarity.Cosine;

    /// <summary>K, the number of centers per class.</summary>
    protected internal virtual int CentersPerClass => 1;

    /// <summary>The value of "margin-type", or null if the loss has no such hyperparameter.</summary>
    internal string? MarginTypeName => Info.Hyperparameters.FirstOrDefault(p => p.Name == LossHyperparameter.MarginType)?.Read(this);

    private IEnumerable<LossHyperparameter> Applicable
    {
        get
        {
            string? marginType = MarginTypeName;
            return Info.Hyperparameters.Where(p => p.AppliesTo(marginType));
        }
    }

    /// <summary>Parses the format of <see cref="ToString"/>; omitted hyperparameters have their defaults.</summary>
    /// <exception cref="UniFaceException">Not of the form name(key=value,...), or as <see cref="LossRegistry.Create"/>.</exception>
    public static Loss Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string trimmed = text.Trim();
        int open = trimmed.IndexOf('(', StringComparison.Ordinal);
        Dictionary<string, string> given = [];
        if (open < 0)
        {
            return LossRegistry.Create(trimmed, given);
        }

        if (!trimmed.EndsWith(')'))
        {
            throw new UniFaceException($"'{trimmed}' is not a loss; expected name(key=value,...), e.g. arcface(margin=0.5,scale=64).");
        }

        foreach (string part in trimmed[(open + 1)..^1].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair.Length != 2 || !given.TryAdd(pair[0], pair[1]))
            {
                throw new UniFaceException($"'{part}' in '{trimmed}' is not key=value, or its key is given twice.");
            }
        }

        return LossRegistry.Create(trimmed[..open].Trim(), given);
    }

    /// <summary>The same loss with one hyperparameter changed, by its name in the registry.</summary>
    /// <exception cref="UniFaceException">As <see cref="LossRegistry.Create"/>.</exception>
    public Loss With(string name, string value) => LossRegistry.Create(Name, new Dictionary<string, string>(Values) { [name] = value });

    /// <summary>The text of a hyperparameter, or null if it does not apply.</summary>
    public string? Value(string name) => Values.FirstOrDefault(v => v.Key == name).Value;

    /// <summary>Checks every hyperparameter against its range.</summary>
    /// <exception cref="UniFaceException">A value is out of range, or has no effect with the margin type.</exception>
    public virtual void Validate()
    {
        foreach (LossHyperparameter parameter in Applicable)
        {
            parameter.Parse(Name, parameter.Read(this));
        }

        if (Info.Hyperparameters.FirstOrDefault(p => p.IsSet(this) && Value(p.Name) is null) is LossHyperparameter unused)
        {
            throw NoEffect(unused.Name);
        }
    }

    /// <summary>Creates a head with new class centers. The caller owns it.</summary>
    /// <param name="classes">Number of classes (people).</param>
    /// <param name="embeddingSize">Number of values per embedding.</param>
    /// <param name="seed">Seed of the initial centers and of all draws.</param>
    /// <param name="dtype">float32, or float64 for checks: the type of parameters, state and arithmetic.</param>
    /// <param name="device">The device; the CPU if null.</param>
    /// <param name="centers">Storage type of the class centers: <paramref name="dtype"/> if null, or bfloat16, on the CPU only.</param>
    /// <param name="communicator">The processes over which the centers are sharded; null for one process.</param>
    /// <exception cref="UniFaceException">A hyperparameter is out of range, there are too few classes, or the embedding size is below 1.</exception>
    internal RecognitionHead CreateHead(
        int classes,
        int embeddingSize,
        long seed,
        ScalarType dtype = ScalarType.Float32,
        Device? device = null,
        ScalarType? centers = null,
        ICommunicator? communicator = null)
    {
        Validate();
        if (classes < Info.MinimumClasses)
        {
            string count = classes == 1 ? "is 1" : $"are {classes}";
            throw new UniFaceException($"loss '{Name}' needs at least {Info.MinimumClasses} people to tell apart; there {count}.");
        }

        if (embeddingSize < 1)
        {
            throw new UniFaceException($"embedding size {embeddingSize} is not allowed; it is at least 1 (typical: 128 to 512).");
        }

        if (dtype is not (ScalarType.Float32 or ScalarType.Float64))
        {
            throw new ArgumentException($"A head computes in float32 or float64, not in {dtype}.", nameof(dtype));
        }

        bool onCpu = device is null || device.type == DeviceType.CPU;
        if (centers == ScalarType.BFloat16 && !onCpu)
        {
            throw new UniFaceException(
                $"class centers are stored in bfloat16 on the CPU only, and the device is {device}; store them in float32.");
        }

        HeadExchange? exchange = communicator is { Size: > 1 } ? CreateExchange(communicator, classes, dtype) : null;
        HeadShape shape = new(classes, seed, dtype) { Shard = exchange?.Shard };
        ClassCenters rows = new(classes, embeddingSize, CentersPerClass, NegativeRate, seed, centers ?? dtype, Similarity, exchange?.Shard);
        RecognitionHead head = new(Name, rows, CreateMargin(shape), CreateObjective(shape), exchange);
        return onCpu ? head : head.to(device!);
    }

    /// <summary>"arcface(margin=0.5,scale=64,wrap=guard,gradient=chain,negative-rate=1)".</summary>
    public sealed override string ToString() => $"{Name}({string.Join(',', Values.Select(v => v.Key + "=" + v.Value))})";

    /// <summary>True for the same loss with the same values.</summary>
    public sealed override bool Equals(object? obj) => obj is Loss other && ToString() == other.ToString();

    /// <inheritdoc/>
    public sealed override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    private static HeadExchange CreateExchange(ICommunicator communicator, int classes, ScalarType dtype) =>
        classes < communicator.Size ? throw new UniFaceException(
            $"there are {classes} people for {communicator.Size} processes; each has the centers of at least one, so start at most {classes} processes.")
        : dtype != ScalarType.Float32 ? throw new ArgumentException("A sharded head computes in float32.", nameof(dtype))
        : new HeadExchange(communicator, ShardRange.Of(classes, communicator.Rank, communicator.Size));

    internal UniFaceException NoEffect(string hyperparameter) => new(
        $"loss '{Name}': {hyperparameter} has no effect with margin-type {MarginTypeName}, which takes {string.Join(", ", Values.Select(v => v.Key))}.");

    /// <summary>Creates the margin: none unless overridden.</summary>
    protected virtual Margin CreateMargin(HeadShape shape) => new NoMargin();

    /// <summary>Creates the objective: softmax cross-entropy of the similarities unless overridden.</summary>
    protected virtual Objective CreateObjective(HeadShape shape) => new SoftmaxObjective(scale: 1);
}

/// <summary>The head that a margin or objective is created for.</summary>
/// <param name="Classes">Number of classes.</param>
/// <param name="Seed">Seed of all randomness.</param>
/// <param name="Dtype">float32 or float64.</param>
public readonly record struct HeadShape(int Classes, long Seed, ScalarType Dtype)
{
    /// <summary>The classes of this process; null for all.</summary>
    internal ShardRange? Shard { get; init; }

    /// <summary>Number of classes of this process: rows of a parameter that has one per class.</summary>
    internal int ShardClasses => Shard?.Count ?? Classes;
}
