using System.Text.Json;
using System.Text.Json.Serialization;
using UniFace.IO;

namespace UniFace.Packages;

/// <summary>What a calibration was measured on.</summary>
public sealed record CalibrationData
{
    /// <summary>What the data is called: a file's or a folder's name.</summary>
    public required string Name { get; init; }

    /// <summary>Hash over names, labels and contents of the pictures (<see cref="Data.DatasetHash"/>), the kind that a training states as its
    /// dataHash; of a .bin file its SHA-256.</summary>
    public required string Sha256 { get; init; }

    /// <summary>People in the data; 0 where they are not known (a .bin has pairs only).</summary>
    public int People { get; init; }

    /// <summary>Pictures in the data.</summary>
    public int Images { get; init; }

    /// <summary>Pairs of one person that were compared.</summary>
    public required long SamePairs { get; init; }

    /// <summary>Pairs of two people that were compared; they bound how low a false match rate can be stated.</summary>
    public required long DifferentPairs { get; init; }
}

/// <summary>How much of a calibration's data the model was trained on, where that was allowed.</summary>
/// <param name="Pictures">Pictures that were trained on.</param>
/// <param name="People">People, by name, who were trained on.</param>
public sealed record TrainingOverlap(int Pictures, int People);

/// <summary>The threshold for one false match rate, with how sure it is.</summary>
public sealed record CalibrationEntry
{
    /// <summary>The false match rate asked for, e.g. 0.001.</summary>
    public required double FalseMatchRate { get; init; }

    /// <summary>True where the data carries this rate: by the rule of three it is at least 3 / different pairs.</summary>
    public required bool Supported { get; init; }

    /// <summary>
    /// Cosine at or above which two faces are called one person: the lowest at which the measured rate is no
    /// more than <see cref="FalseMatchRate"/>. Null where the rate is not supported.
    /// </summary>
    public double? Threshold { get; init; }

    /// <summary>Lower end of the bootstrap interval of the threshold.</summary>
    public double? ThresholdLow { get; init; }

    /// <summary>Upper end of the bootstrap interval of the threshold.</summary>
    public double? ThresholdHigh { get; init; }

    /// <summary>The false match rate measured at the threshold; never above <see cref="FalseMatchRate"/>.</summary>
    public double? MeasuredFalseMatchRate { get; init; }

    /// <summary>Lower end of the Clopper-Pearson interval of the false match rate at the threshold.</summary>
    public double? FalseMatchRateLow { get; init; }

    /// <summary>Upper end of the Clopper-Pearson interval of the false match rate at the threshold.</summary>
    public double? FalseMatchRateHigh { get; init; }

    /// <summary>Share of the pairs of one person that match at the threshold.</summary>
    public double? TrueMatchRate { get; init; }

    /// <summary>Lower end of the bootstrap interval of the true match rate.</summary>
    public double? TrueMatchRateLow { get; init; }

    /// <summary>Upper end of the bootstrap interval of the true match rate.</summary>
    public double? TrueMatchRateHigh { get; init; }

    /// <summary>Why the rate is not supported and what it would take.</summary>
    public string? Why { get; init; }
}

/// <summary>A measured point of the error curve.</summary>
/// <param name="Threshold">A cosine; at or above it two faces match.</param>
/// <param name="FalseMatchRate">Share of the pairs of two people that match.</param>
/// <param name="TrueMatchRate">Share of the pairs of one person that match.</param>
public readonly record struct CalibrationPoint(double Threshold, double FalseMatchRate, double TrueMatchRate);

/// <summary>
/// calibration.json: which threshold gives which false match rate, on what data, how surely. It belongs to one
/// embedding contract; thresholds of one model say nothing about another.
/// </summary>
public sealed record Calibration
{
    /// <summary>Name of the calibration in a package folder.</summary>
    public const string FileName = "calibration.json";

    /// <summary>The schema that this version writes.</summary>
    public const int CurrentSchemaVersion = 1;

    private const long MaximumFileSize = 16L << 20;

    /// <summary>Version of this file's schema.</summary>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <summary>
    /// <see cref="ModelManifest.ContractId"/> of the model; null only until the model has an ONNX file
    /// (measured in training, before the export).
    /// </summary>
    public string? ContractId { get; init; }

    /// <summary>SHA-256 of the model's ONNX file; null as <see cref="ContractId"/> is.</summary>
    public string? OnnxSha256 { get; init; }

    /// <summary>True where embeddings were f(x) + f(mirrored x).</summary>
    public required bool FlipSum { get; init; }

    /// <summary>What was measured on.</summary>
    public required CalibrationData Data { get; init; }

    /// <summary>What of the data the model was trained on (--allow-overlap); absent if nothing was found.</summary>
    public TrainingOverlap? Overlap { get; init; }

    /// <summary>What to say with every decision that uses this calibration; null if there is nothing to warn of.</summary>
    [JsonIgnore]
    public string? Warning => Overlap is null ? null
        : "the calibration was measured on what the model was trained on " +
            Text($"(pictures: {Overlap.Pictures}, people: {Overlap.People}), so strangers match more often than it says");

    /// <summary>Confidence of the intervals, e.g. 0.95.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>When it was measured, UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Version of the tool that measured.</summary>
    public string? ToolVersion { get; init; }

    /// <summary>The thresholds, from the largest false match rate to the smallest.</summary>
    public required IReadOnlyList<CalibrationEntry> Entries { get; init; }

    /// <summary>Points of the measured curve, from the highest threshold (fewest false matches) to the lowest.</summary>
    public required IReadOnlyList<CalibrationPoint> Curve { get; init; }

    /// <summary>
    /// The smallest false match rate that the data can state, 3 / different pairs: no false match in n pairs means,
    /// with 95 % confidence, a rate below 3 / n (the rule of three).
    /// </summary>
    [JsonIgnore]
    public double SmallestRate => SmallestRateOf(Data.DifferentPairs);

    /// <summary>The rule of three: the smallest false match rate that <paramref name="differentPairs"/> pairs can state.</summary>
    public static double SmallestRateOf(long differentPairs) => differentPairs > 0 ? Math.Min(1, 3.0 / differentPairs) : 1;

    /// <summary>The rule of three the other way: how many pairs of different people it takes to state a false match rate.</summary>
    public static long PairsFor(double falseMatchRate) => (long)Math.Ceiling(3 / falseMatchRate * (1 - 1e-9));

    /// <summary>
    /// The cosine at or above which two faces are one person, at a false match rate of at most
    /// <paramref name="falseMatchRate"/>. Where the rate is none of <see cref="Entries"/>, the threshold of the
    /// nearest measured point that is no less strict.
    /// </summary>
    /// <param name="falseMatchRate">In (0, 1), e.g. 0.001.</param>
    /// <exception cref="UniFaceException">The rate is no rate, or so small that the data cannot state it.</exception>
    public double ThresholdAt(double falseMatchRate)
    {
        if (!(falseMatchRate > 0 && falseMatchRate < 1))
        {
            throw new UniFaceException(Text($"a false match rate of {falseMatchRate} was asked for: expected a number above 0 and below 1, e.g. 0.001"));
        }

        if (falseMatchRate < SmallestRate * (1 - 1e-9))
        {
            throw new UniFaceException(Text($"the calibration knows {Data.DifferentPairs} pairs of different people ({Data.Name}), which can state false match rates down to {SmallestRate:G3}, not {falseMatchRate:G3}: ask for a larger rate, or calibrate on at least {PairsFor(falseMatchRate)} such pairs"));
        }

        double threshold = double.PositiveInfinity;
        foreach (CalibrationEntry entry in Entries)
        {
            if (entry.Threshold is double exact && Math.Abs(entry.FalseMatchRate - falseMatchRate) <= 1e-9 * falseMatchRate)
            {
                return exact;
            }

            if (entry.Threshold is double listed && entry.FalseMatchRate <= falseMatchRate)
            {
                threshold = Math.Min(threshold, listed);
            }
        }

        foreach (CalibrationPoint point in Curve)
        {
            if (point.FalseMatchRate <= falseMatchRate)
            {
                threshold = Math.Min(threshold, point.Threshold);
            }
        }

        return double.IsFinite(threshold)
            ? threshold
            : throw new UniFaceException(Text($"the calibration has no measured threshold at a false match rate of {falseMatchRate:G3} or below ({Data.Name}): calibrate again on more people"));
    }

    /// <summary>
    /// The false match rate of a threshold set at <paramref name="score"/>: interpolated between measured points (in the
    /// logarithm of the rate), and never below <see cref="SmallestRate"/>, which is all the data can state.
    /// </summary>
    /// <param name="score">A cosine.</param>
    public double FalseMatchRateAt(double score)
    {
        if (Curve.Count == 0 || score >= Curve[0].Threshold)
        {
            return Curve.Count == 0 ? 1 : Math.Max(Math.Min(Curve[0].FalseMatchRate, 1), SmallestRate);
        }

        int low = 0; // Curve[low].Threshold > score >= Curve[high].Threshold
        int high = Curve.Count;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            (low, high) = Curve[middle].Threshold > score ? (middle, high) : (low, middle);
        }

        if (high == Curve.Count)
        {
            return 1;
        }

        CalibrationPoint above = Curve[low];
        CalibrationPoint below = Curve[high];
        double part = (above.Threshold - score) / (above.Threshold - below.Threshold);
        double logAbove = Math.Log(Math.Max(above.FalseMatchRate, SmallestRate));
        double logBelow = Math.Log(Math.Max(below.FalseMatchRate, SmallestRate));
        return Math.Clamp(Math.Exp(logAbove + part * (logBelow - logAbove)), SmallestRate, 1);
    }

    /// <summary>This calibration as that of a model: the manifest's contract id and ONNX hash are written in.</summary>
    /// <exception cref="UniFaceException">It was measured with another flip-sum, or belongs to another model.</exception>
    public Calibration For(ModelManifest manifest)
    {
        EnsureFits(manifest);
        return this with { ContractId = manifest.ContractId, OnnxSha256 = manifest.OnnxSha256 };
    }

    /// <summary>Refuses a calibration that was measured with another model, input or flip-sum.</summary>
    /// <exception cref="UniFaceException">The calibration is not of this model.</exception>
    public void EnsureFits(ModelManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (ContractId is not null && ContractId != manifest.ContractId)
        {
            throw new UniFaceException($"calibration is of contract {ContractId}, the model is {manifest.ContractId}: their thresholds have nothing in common, calibrate this model");
        }

        if (FlipSum != manifest.FlipSum)
        {
            throw new UniFaceException($"calibration was measured {(FlipSum ? "with" : "without")} flip-sum, the model runs {(manifest.FlipSum ? "with" : "without")} it: calibrate this model");
        }
    }

    /// <summary>The text of calibration.json.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ModelManifest.Json) + "\n";

    /// <summary>Writes calibration.json, whole or not at all.</summary>
    public void Save(string path) => AtomicFile.WriteText(path, ToJson());

    /// <summary>Writes it into a package, if that still is the model that was measured.</summary>
    /// <param name="package">The package's folder, or an installed model's name.</param>
    /// <exception cref="UniFaceException">The package was replaced by another model meanwhile.</exception>
    public void SaveInto(string package)
    {
        string folder = ModelPackage.Open(package).Source;
        using FileLock? held = PackageFolder.LockOf(folder);
        EnsureFits(ModelPackage.Open(folder).Manifest!);
        Save(Path.Combine(folder, FileName));
    }

    /// <summary>Reads a calibration.json.</summary>
    /// <exception cref="UniFaceException">The file is not there, is no calibration, or is of a newer schema.</exception>
    public static Calibration Load(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
        {
            throw new UniFaceException($"{path}: no such file; expected a calibration ('uniface eval PACKAGE --pairs ... --write-calibration' makes one)");
        }

        if (file.Length > MaximumFileSize)
        {
            throw new UniFaceException($"{path}: {file.Length} bytes are too many for a calibration (at most {MaximumFileSize})");
        }

        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads the text of a calibration.json.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What to call it in an error.</param>
    /// <exception cref="UniFaceException">The text is no calibration, or is of a newer schema.</exception>
    public static Calibration Parse(string json, string source)
    {
        Calibration? calibration;
        try
        {
            calibration = JsonSerializer.Deserialize<Calibration>(json, ModelManifest.Json);
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{source}: not a calibration: {e.Message}", e);
        }

        if (calibration is null)
        {
            throw new UniFaceException($"{source}: not a calibration: the file says null");
        }

        calibration.Check(source);
        return calibration;
    }

    private void Check(string source)
    {
        if (SchemaVersion != CurrentSchemaVersion)
        {
            throw new UniFaceException($"{source}: schema version {SchemaVersion}, this version reads {CurrentSchemaVersion}: use the UniFace that wrote it, or calibrate again");
        }

        if (Data is null || Entries is null || Curve is null || Entries.Any(e => e is null))
        {
            throw new UniFaceException($"{source}: data, entries and curve must not be null");
        }

        if (Data.SamePairs < 0 || Data.DifferentPairs < 0)
        {
            throw new UniFaceException($"{source}: a negative number of pairs");
        }

        foreach (CalibrationEntry entry in Entries)
        {
            if (!IsRate(entry.FalseMatchRate) || entry.FalseMatchRate == 0 || (entry.Threshold is double t && !double.IsFinite(t)) || (entry.Supported && entry.Threshold is null))
            {
                throw new UniFaceException(Text($"{source}: the entry of false match rate {entry.FalseMatchRate} is no threshold for a rate in (0, 1]"));
            }
        }

        for (int i = 0; i < Curve.Count; i++)
        {
            CalibrationPoint point = Curve[i];
            bool falls = i == 0 || (point.Threshold < Curve[i - 1].Threshold && point.FalseMatchRate >= Curve[i - 1].FalseMatchRate);
            if (!double.IsFinite(point.Threshold) || !IsRate(point.FalseMatchRate) || !IsRate(point.TrueMatchRate) || !falls)
            {
                throw new UniFaceException($"{source}: point {i} of the curve is out of order or out of range: expected falling thresholds and rates from 0 to 1");
            }
        }
    }

    private static bool IsRate(double value) => value is >= 0 and <= 1;

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
