namespace UniFace.Evaluation.Verification;

/// <summary>All 1:1 metrics of scored pairs, with confidence intervals if requested.</summary>
public sealed record VerificationReport
{
    /// <summary>The false match rates that are reported: 1e-1 to 1e-6.</summary>
    public static IReadOnlyList<double> DefaultRates { get; } = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    /// <summary>Accuracy over folds; null if the scores have none.</summary>
    public CrossValidatedAccuracy? Accuracy { get; init; }

    /// <summary>The ROC curve.</summary>
    public required RocCurve Roc { get; init; }

    /// <summary>Area under the curve.</summary>
    public double Auc => Roc.Auc;

    /// <summary>Its interval; null without a bootstrap.</summary>
    public ConfidenceInterval? AucInterval { get; init; }

    /// <summary>Equal error rate and its threshold.</summary>
    public required EqualErrorRate EqualError { get; init; }

    /// <summary>Interval of the equal error rate; null without a bootstrap.</summary>
    public ConfidenceInterval? EqualErrorInterval { get; init; }

    /// <summary>TAR at each false match rate, the largest rate first; without values if the data does not support the rate.</summary>
    public required IReadOnlyList<OperatingPoint> OperatingPoints { get; init; }

    /// <summary>Mated pairs, including missing ones.</summary>
    public required int SamePairs { get; init; }

    /// <summary>Non-mated pairs, including missing ones.</summary>
    public required int DifferentPairs { get; init; }

    /// <summary>Pairs with a face that was not found.</summary>
    public required int Missing { get; init; }

    /// <summary>What the bootstrap resampled; null without one.</summary>
    public BootstrapUnit? BootstrapUnit { get; init; }

    /// <summary>Number of replicates; 0 without a bootstrap.</summary>
    public int BootstrapReplicates { get; init; }

    /// <summary>Measures everything.</summary>
    /// <param name="scores">The scored pairs; accuracy is measured if they have folds.</param>
    /// <param name="rates">The false match rates; null for <see cref="DefaultRates"/>.</param>
    /// <param name="bootstrap">How intervals are computed; null for none, which is faster.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="UniFaceException">There is no mated or no non-mated pair.</exception>
    public static VerificationReport Create(
        VerificationScores scores, IReadOnlyList<double>? rates = null, BootstrapOptions? bootstrap = null, CancellationToken cancellation = default)
    {
        RankedScores ranked = new(scores);
        RocCurve roc = RocCurve.FromRanked(ranked);
        OperatingPoint[] points = [.. (rates ?? DefaultRates).OrderDescending().Select(roc.At)];
        BootstrapIntervals? intervals = bootstrap is null ? null : Bootstrap.Run(scores, points, bootstrap, ranked, cancellation);
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
