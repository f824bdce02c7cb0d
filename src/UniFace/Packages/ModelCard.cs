namespace UniFace.Packages;

/// <summary>
/// model-card.md: what a model is for, what it was trained on, its measured results with intervals, and its limits. Follows from manifest and calibration,
/// so it is written with them and never read.
/// </summary>
internal sealed record ModelCard
{
    /// <summary>Name of the card in a package folder.</summary>
    public const string FileName = "model-card.md";

    /// <summary>The model, e.g. "mobilefacenet(width=0.5,embedding=512)".</summary>
    public required string Model { get; init; }

    /// <summary>Identifies comparable embeddings.</summary>
    public required string ContractId { get; init; }

    /// <summary>What the model is for.</summary>
    public required IReadOnlyList<string> IntendedUse { get; init; }

    /// <summary>What the model was trained on, and how.</summary>
    public required IReadOnlyList<string> Training { get; init; }

    /// <summary>Where the results were measured; null without a calibration.</summary>
    public string? MeasuredOn { get; init; }

    /// <summary>Confidence level of the intervals, in (0, 1); null without a calibration.</summary>
    public double? Confidence { get; init; }

    /// <summary>The results at each false match rate.</summary>
    public IReadOnlyList<CalibrationEntry> Results { get; init; } = [];

    /// <summary>Results by group of people.</summary>
    public required string Groups { get; init; }

    /// <summary>What the model cannot do, or is not known to do.</summary>
    public required IReadOnlyList<string> Limits { get; init; }

    /// <summary>The licence of the weights.</summary>
    public required string Licence { get; init; }

    /// <summary>Describes a model.</summary>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="calibration">Its calibration, or null.</param>
    public static ModelCard Create(ModelManifest manifest, Calibration? calibration) => new()
    {
        Model = manifest.Training?.Backbone ?? manifest.Source ?? $"embeddings of {manifest.EmbeddingSize} values",
        ContractId = manifest.ContractId,
        IntendedUse =
        [
            "Deciding whether two photos show the same person (1:1), and finding a person among enrolled people (1:N), with the consent of those people.",
            "A person must be able to contest a decision. It is not meant for decisions with legal or similar effects without human review, for covert " +
                "surveillance, or for guessing age, gender, origin or emotion.",
            Invariant($"Input: faces aligned to {manifest.AlignmentTemplate}, {manifest.InputWidth}x{manifest.InputHeight} pixels.") +
                (manifest.Suitability is string suitability ? $" The model is {suitability}." : ""),
        ],
        Training = DescribeTraining(manifest),
        MeasuredOn = calibration is null ? null : DescribeData(calibration),
        Confidence = calibration?.Confidence,
        Results = calibration?.Entries ?? [],
        Groups = "Not measured: the photos have no labels of groups (age, gender, skin tone). Error rates of face recognition differ between groups; measure " +
            "each group of your users on its own.",
        Limits = [.. DescribeLimits(manifest, calibration)],
        Licence = manifest.Licence ?? "not stated",
    };

    /// <summary>Writes the card of a package from its manifest and calibration.</summary>
    public static void Save(string folder, ModelManifest manifest, Calibration? calibration) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), Create(manifest, calibration).ToMarkdown());

    /// <summary>The card as Markdown.</summary>
    public string ToMarkdown()
    {
        StringBuilder text = new();
        text.Append(Invariant($"# Model card\n\nModel: {Model}  \nContract: {ContractId}  \nLicence of the weights: {Licence}\n"));
        Section("Intended use", IntendedUse);
        Section("Training data", Training);
        text.Append("\n## Results\n\n").Append(MeasuredOn ?? "Not measured: the package has no calibration.").Append('\n');
        if (Results.Count > 0)
        {
            string level = Invariant($"[{100 * Confidence:G4} %]");
            text.Append(Invariant($"\n| false match rate | threshold {level} | measured {level} | true match rate {level} |\n|---|---|---|---|\n"));
            foreach (CalibrationEntry entry in Results)
            {
                text.Append(entry.Threshold is null
                    ? Invariant($"| {entry.FalseMatchRate:0.########} | not supported by the number of pairs | | |\n")
                    : Invariant($"| {entry.FalseMatchRate:0.########} | {Value(entry.Threshold, entry.ThresholdLow, entry.ThresholdHigh, "F4")} ") +
                        $"| {Value(entry.MeasuredFalseMatchRate, entry.FalseMatchRateLow, entry.FalseMatchRateHigh, "G3")} " +
                        $"| {Value(entry.TrueMatchRate, entry.TrueMatchRateLow, entry.TrueMatchRateHigh, "F4")} |\n");
            }
        }

        Section("Results by group", [Groups]);
        Section("Limits", Limits);
        return text.ToString();

        void Section(string title, IReadOnlyList<string> lines)
        {
            text.Append(Invariant($"\n## {title}\n\n"));
            foreach (string line in lines)
            {
                text.Append("- ").Append(line).Append('\n');
            }
        }
    }

    private static string Value(double? value, double? low, double? high, string format) => value is not double number ? "-"
        : number.ToString(format, CultureInfo.InvariantCulture) + (low is double l && high is double h
            ? $" [{l.ToString(format, CultureInfo.InvariantCulture)}, {h.ToString(format, CultureInfo.InvariantCulture)}]" : "");

    private static IReadOnlyList<string> DescribeTraining(ModelManifest manifest) => manifest.Training is TrainingProvenance training
        ?
        [
            Invariant($"{training.Images} images of {training.People} people; SHA-256 over names, labels and contents: {training.DataHash}"),
            Invariant($"Loss {training.Loss}, backbone {training.Backbone}, {training.Epochs} epochs, seed {training.Seed}."),
        ]
        : [manifest.Source ?? "Not stated."];

    private static string DescribeData(Calibration calibration) => Invariant(
        $"Measured on {calibration.Data.Name} ({calibration.Data.People} people, {calibration.Data.Images} images, {calibration.Data.SamePairs} mated and ") +
        Invariant($"{calibration.Data.DifferentPairs} non-mated pairs; SHA-256 {calibration.Data.Sha256}) on {calibration.Created:yyyy-MM-dd}.");

    private static IEnumerable<string> DescribeLimits(ModelManifest manifest, Calibration? calibration)
    {
        if (calibration is null)
        {
            yield return "Without a calibration, no threshold is known. Calibrate the model on labelled photos of your own.";
        }
        else
        {
            yield return Invariant($"The number of pairs supports false match rates of {calibration.SmallestRate:G3} and above.");
            yield return "Thresholds hold for photos like those that were measured. Other cameras, light, ages or poses need a calibration of their own.";
            if (calibration.Warning is string warning)
            {
                yield return $"Warning: {warning}.";
            }
        }

        if (manifest.Quantization is Quantization stored)
        {
            yield return Invariant(
                $"{stored.Kind}: accuracy {stored.AccuracyAfter:P2}, with float weights {stored.AccuracyBefore:P2} ({stored.Pairs} pairs of {stored.Data}).");
        }

        yield return "The model does not detect masks, prints or replays. A photo of a person is accepted as that person unless a liveness check is added.";
    }
}
