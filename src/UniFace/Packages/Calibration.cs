namespace UniFace.Packages;

/// <summary>
/// calibration.json: which threshold gives which false match rate, measured on what data. It belongs to one embedding contract; thresholds
/// of one model do not apply to another.
/// </summary>
internal sealed record Calibration
{
    /// <summary>Name of the calibration in a package folder.</summary>
    public const string FileName = "calibration.json";

    /// <summary>The schema that this version writes.</summary>
    public const int CurrentSchemaVersion = 1;

    private const long MaxFileBytes = 16L << 20;
    private const double DefaultConfidence = 0.95;

    /// <summary>A calibration with the default confidence level.</summary>
    public Calibration()
    {
    }

    // Generated JSON sets init properties that are missing in a file to zero or null, but respects the defaults of parameters.
    [JsonConstructor]
    internal Calibration(int schemaVersion = CurrentSchemaVersion, double confidence = DefaultConfidence)
    {
        SchemaVersion = schemaVersion;
        Confidence = confidence;
    }

    /// <summary>Version of this file's schema.</summary>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <summary>
    /// <see cref="ModelManifest.ContractId"/> of the model; null until the model has an ONNX file (measured in training, before the export).
    /// </summary>
    public string? ContractId { get; init; }

    /// <summary>SHA-256 of the model's ONNX file; null as <see cref="ContractId"/> is.</summary>
    public string? OnnxSha256 { get; init; }

    /// <summary>Whether embeddings were f(x) + f(mirrored x).</summary>
    public required bool FlipSum { get; init; }

    /// <summary>The data that was measured on.</summary>
    public required CalibrationData Data { get; init; }

    /// <summary>The part of the data that the model was trained on, if overlap was allowed; absent if none was found.</summary>
    public TrainingOverlap? Overlap { get; init; }

    /// <summary>A warning to show with every decision that uses this calibration; null if there is none.</summary>
    [JsonIgnore]
    public string? Warning => Overlap is null ? null
        : "the calibration was measured on what the model was trained on " +
            Invariant($"(images: {Overlap.Images}, people: {Overlap.People}), so strangers match more often than it says");

    /// <summary>Confidence level of the intervals, e.g. 0.95.</summary>
    public double Confidence { get; init; } = DefaultConfidence;

    /// <summary>When it was measured, in UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Version of the tool that measured it.</summary>
    public string? ToolVersion { get; init; }

    /// <summary>The thresholds, from the largest false match rate to the smallest.</summary>
    public required IReadOnlyList<CalibrationEntry> Entries { get; init; }

    /// <summary>Points of the measured curve, from the highest threshold (fewest false matches) to the lowest.</summary>
    public required IReadOnlyList<CalibrationPoint> Curve { get; init; }

    /// <summary>The smallest false match rate that the number of pairs supports (<see cref="RuleOfThree"/>).</summary>
    [JsonIgnore]
    public double SmallestRate => RuleOfThree.SmallestRate(Data.DifferentPairs);

    /// <summary>The smallest false match rate with a threshold: <see cref="SmallestRate"/>, or the smallest measured rate if that is larger.</summary>
    /// <exception cref="UniFaceException">There is no threshold at all.</exception>
    [JsonIgnore]
    public double SmallestSupportedRate => Entries.Where(e => e.Threshold is not null).Select(e => e.FalseMatchRate)
        .Concat(Curve.Select(p => p.FalseMatchRate))
        .Select(rate => (double?)Math.Max(rate, SmallestRate)).Min()
        ?? throw new UniFaceException($"the calibration ({Data.Name}) has no threshold: calibrate again on more people");

    /// <summary>Describes the supported rates, for errors and notes.</summary>
    internal string Limit => Invariant(
        $"the calibration ({Data.Name}) supports false match rates of {SmallestSupportedRate:G3} and above ({Data.DifferentPairs} pairs of different people)");

    /// <summary>Whether there is a threshold for a false match rate.</summary>
    public bool Supports(double falseMatchRate) => falseMatchRate >= SmallestSupportedRate * (1 - 1e-9);

    /// <summary>
    /// The cosine at or above which two faces match, at a false match rate of at most <paramref name="falseMatchRate"/>. If the rate is not
    /// listed in <see cref="Entries"/>, it is the threshold of the nearest measured point that is at least as strict.
    /// </summary>
    /// <param name="falseMatchRate">Above 0 and below 1, e.g. 0.001.</param>
    /// <exception cref="UniFaceException">The rate is out of range, or not supported.</exception>
    public double ThresholdAt(double falseMatchRate)
    {
        ErrorRate.Require(falseMatchRate, "false match rate");
        if (!Supports(falseMatchRate))
        {
            throw new UniFaceException(
                $"{Limit}, " + Invariant(
                    $"not {falseMatchRate:G3}: use a larger rate, or calibrate on at least {RuleOfThree.TrialsFor(falseMatchRate)} such pairs"));
        }

        double limit = falseMatchRate * (1 + 2e-9);
        return Entries.FirstOrDefault(e => e.Threshold is not null && Math.Abs(e.FalseMatchRate - falseMatchRate) <= 1e-9 * falseMatchRate)?.Threshold
            ?? Entries.Where(e => e.Threshold is not null && e.FalseMatchRate <= limit).Select(e => e.Threshold!.Value)
                .Concat(Curve.Where(p => p.FalseMatchRate <= limit).Select(p => p.Threshold)).Min();
    }

    /// <summary>
    /// The false match rate of a threshold at <paramref name="score"/>: interpolated between measured points in the logarithm of the rate,
    /// and never below <see cref="SmallestRate"/>.
    /// </summary>
    /// <param name="score">A cosine.</param>
    public double FalseMatchRateAt(double score)
    {
        int next = Curve.TakeWhile(point => point.Threshold > score).Count();
        if (next == Curve.Count)
        {
            return 1;
        }

        CalibrationPoint above = Curve[Math.Max(0, next - 1)], below = Curve[next];
        double part = next == 0 ? 0 : (above.Threshold - score) / (above.Threshold - below.Threshold);
        double logAbove = Log(above), logBelow = Log(below);
        return Math.Clamp(Math.Exp(logAbove + part * (logBelow - logAbove)), SmallestRate, 1);

        double Log(CalibrationPoint point) => Math.Log(Math.Max(point.FalseMatchRate, SmallestRate));
    }

    /// <summary>
    /// How often two different people reach a score, as in "about 1 of 2000" or "about 83 of 100"; "at most" at the limit of what was measured.
    /// </summary>
    public string DescribeRateAt(double score)
    {
        double rate = FalseMatchRateAt(score);
        return rate > 0.1
            ? Invariant($"about {100 * rate:F0} of 100")
            : Invariant($"{(rate <= SmallestRate * (1 + 1e-9) ? "at most" : "about")} 1 of {1 / rate:F0}");
    }

    /// <summary>This calibration for a model: with the manifest's contract id and ONNX hash.</summary>
    /// <exception cref="UniFaceException">It was measured with another flip-sum, or belongs to another model.</exception>
    public Calibration For(ModelManifest manifest)
    {
        EnsureFits(manifest);
        return this with { ContractId = manifest.ContractId, OnnxSha256 = manifest.OnnxSha256 };
    }

    /// <summary>Throws if the calibration was measured with another model, input or flip-sum.</summary>
    /// <exception cref="UniFaceException">The calibration belongs to another model.</exception>
    public void EnsureFits(ModelManifest manifest)
    {
        if (ContractId is not null && ContractId != manifest.ContractId)
        {
            throw new UniFaceException(
                $"the calibration belongs to contract {ContractId}, the model is {manifest.ContractId}: " +
                "their thresholds cannot be exchanged; calibrate this model");
        }

        if (FlipSum != manifest.FlipSum)
        {
            throw new UniFaceException(
                $"the calibration was measured {(FlipSum ? "with" : "without")} flip-sum, " +
                $"the model runs {(manifest.FlipSum ? "with" : "without")} it: calibrate this model");
        }
    }

    /// <summary>The text of calibration.json.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, PackageJson.Default.Calibration) + "\n";

    /// <summary>Writes calibration.json atomically.</summary>
    public void Save(string path) => AtomicFile.WriteText(path, ToJson());

    /// <summary>Writes it into a package, if that still holds the model that was measured.</summary>
    /// <param name="package">The package's folder, or an installed model's name.</param>
    /// <exception cref="UniFaceException">The package was replaced by another model since it was opened.</exception>
    public void SaveInto(string package)
    {
        string folder = ModelPackage.Open(package).Source;
        using FileLock? held = PackageFolder.AcquireLock(folder);
        ModelManifest manifest = ModelPackage.Open(folder).Manifest ?? throw new UniFaceException($"{folder} is an .onnx file; expected a package folder");
        EnsureFits(manifest);
        Save(Path.Combine(folder, FileName));
        ModelCard.Save(folder, manifest, this);
    }

    /// <summary>Reads a calibration.json.</summary>
    /// <exception cref="UniFaceException">The file is missing, is not a calibration, or has a newer schema.</exception>
    public static Calibration Load(string path)
    {
        FileInfo file = new(path);
        return !file.Exists
            ? throw new UniFaceException($"{path}: no such file; expected a calibration")
            : file.Length > MaxFileBytes
                ? throw new UniFaceException($"{path}: {file.Length} bytes are too many for a calibration (at most {MaxFileBytes})")
                : Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads the text of a calibration.json.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">The name to use in errors.</param>
    /// <exception cref="UniFaceException">The text is not a calibration, or has a newer schema.</exception>
    public static Calibration Parse(string json, string source)
    {
        Calibration calibration;
        try
        {
            calibration = JsonSerializer.Deserialize(json, PackageJson.Default.Calibration) ?? throw new JsonException("the file says null");
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{source}: not a calibration: {e.Message}", e);
        }

        return calibration.FindFault() is string fault ? throw new UniFaceException($"{source}: {fault}") : calibration;
    }

    private string? FindFault()
    {
        if (SchemaVersion != CurrentSchemaVersion)
        {
            return $"schema version {SchemaVersion}, this version reads {CurrentSchemaVersion}: use the UniFace that wrote it, or calibrate again";
        }

        if (Data is null || Entries is null || Curve is null || Entries.Any(e => e is null))
        {
            return "data, entries and curve must not be null";
        }

        if (Data.SamePairs < 0 || Data.DifferentPairs < 0)
        {
            return "a negative number of pairs";
        }

        CalibrationEntry? entry = Entries.FirstOrDefault(e => !IsRate(e.FalseMatchRate) || e.FalseMatchRate == 0
            || e.Threshold is double t && !double.IsFinite(t) || e.Supported && e.Threshold is null);
        if (entry is not null)
        {
            return Invariant($"the entry for false match rate {entry.FalseMatchRate} has no valid threshold, or its rate is not in (0, 1]");
        }

        for (int i = 0; i < Curve.Count; i++)
        {
            CalibrationPoint point = Curve[i];
            bool falls = i == 0 || point.Threshold < Curve[i - 1].Threshold && point.FalseMatchRate >= Curve[i - 1].FalseMatchRate;
            if (!double.IsFinite(point.Threshold) || !IsRate(point.FalseMatchRate) || !IsRate(point.TrueMatchRate) || !falls)
            {
                return $"point {i} of the curve is out of order or out of range: expected falling thresholds and rates from 0 to 1";
            }
        }

        return null;
    }

    private static bool IsRate(double value) => value is >= 0 and <= 1;
}
