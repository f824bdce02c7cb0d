namespace UniFace.Evaluation;

/// <summary>All 1:1 metrics of scored pairs, with intervals where a bootstrap is asked for.</summary>
public sealed record VerificationReport
{
    /// <summary>The false match rates that are reported: 1e-1 to 1e-6.</summary>
    public static IReadOnlyList<double> DefaultRates { get; } = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    /// <summary>Accuracy over folds; null where the scores have none.</summary>
    public CrossValidatedAccuracy? Accuracy { get; init; }

    /// <summary>The curve behind all else.</summary>
    public required RocCurve Roc { get; init; }

    /// <summary>Area under the curve.</summary>
    public double Auc => Roc.Auc;

    /// <summary>Its interval; null without a bootstrap.</summary>
    public ConfidenceInterval? AucInterval { get; init; }

    /// <summary>Equal error rate and its threshold.</summary>
    public required EqualErrorRate EqualError { get; init; }

    /// <summary>Interval of the equal error rate; null without a bootstrap.</summary>
    public ConfidenceInterval? EqualErrorInterval { get; init; }

    /// <summary>TAR at each false match rate, the largest rate first; without values where the data cannot support the rate.</summary>
    public required IReadOnlyList<OperatingPoint> OperatingPoints { get; init; }

    /// <summary>Pairs of one person, missing ones among them.</summary>
    public required int SamePairs { get; init; }

    /// <summary>Pairs of two people, missing ones among them.</summary>
    public required int DifferentPairs { get; init; }

    /// <summary>Pairs with a face that was not found.</summary>
    public required int Missing { get; init; }

    /// <summary>What the bootstrap drew again; null without one.</summary>
    public BootstrapUnit? BootstrapUnit { get; init; }

    /// <summary>How often it did; 0 without one.</summary>
    public int BootstrapReplicates { get; init; }

    /// <summary>Measures everything.</summary>
    /// <param name="scores">The scored pairs; accuracy is measured where they have folds.</param>
    /// <param name="rates">The false match rates; null for <see cref="DefaultRates"/>.</param>
    /// <param name="bootstrap">How intervals are drawn; null for no intervals, which is quicker.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="UniFaceException">There is no pair of one person, or none of two people.</exception>
    public static VerificationReport Create(VerificationScores scores, IReadOnlyList<double>? rates = null, BootstrapOptions? bootstrap = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(scores);
        RankedScores ranked = new(scores);
        RocCurve roc = RocCurve.FromRanked(ranked);
        OperatingPoint[] points = [.. (rates ?? DefaultRates).OrderDescending().Select(roc.At)];
        BootstrapIntervals? intervals = bootstrap is null ? null : Bootstrap.Run(scores, ranked, points, bootstrap, cancellation);
        return new VerificationReport
        {
            Accuracy = scores.FoldArray is null ? null : View2Protocol.Evaluate(scores),
            Roc = roc,
            AucInterval = intervals?.Auc,
            EqualError = roc.EqualError(),
            EqualErrorInterval = intervals?.EqualErrorRate,
            OperatingPoints = intervals?.Points ?? points,
            SamePairs = scores.SamePairs,
            DifferentPairs = scores.DifferentPairs,
            Missing = scores.Missing,
            BootstrapUnit = intervals?.Unit,
            BootstrapReplicates = intervals?.Replicates ?? 0,
        };
    }
}
