namespace UniFace.Evaluation.Verification;

/// <summary>All 1:1 metrics of scored pairs, with confidence intervals if requested.</summary>
/// <param name="Accuracy">Accuracy over folds; null if the scores have none.</param>
/// <param name="Roc">The ROC curve.</param>
/// <param name="EqualError">Equal error rate and its threshold.</param>
/// <param name="OperatingPoints">TAR at each false match rate, the largest rate first; without values if the data does not support the rate.</param>
/// <param name="SamePairs">Mated pairs, including missing ones.</param>
/// <param name="DifferentPairs">Non-mated pairs, including missing ones.</param>
/// <param name="Missing">Pairs with a face that was not found.</param>
/// <param name="Intervals">The confidence intervals; null without a bootstrap.</param>
internal sealed record VerificationReport(
    CrossValidatedAccuracy? Accuracy,
    RocCurve Roc,
    EqualErrorRate EqualError,
    IReadOnlyList<OperatingPoint> OperatingPoints,
    int SamePairs,
    int DifferentPairs,
    int Missing,
    BootstrapIntervals? Intervals)
{
    /// <summary>The false match rates that are reported: 1e-1 to 1e-6.</summary>
    public static IReadOnlyList<double> DefaultRates { get; } = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    /// <summary>Area under the curve.</summary>
    public double Auc => Roc.Auc;

    /// <summary>Measures accuracy, curve, errors and operating points of scored pairs.</summary>
    /// <param name="scores">The scored pairs; accuracy is measured if they have folds.</param>
    /// <param name="rates">The false match rates; null for <see cref="DefaultRates"/>.</param>
    /// <param name="bootstrap">How intervals are computed; null for none, which is faster.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <exception cref="UniFaceException">There is no mated or no non-mated pair.</exception>
    public static VerificationReport Create(
        VerificationScores scores, IReadOnlyList<double>? rates = null, BootstrapOptions? bootstrap = null, CancellationToken cancellationToken = default)
    {
        RankedScores ranked = new(scores);
        RocCurve roc = RocCurve.FromRanked(ranked);
        OperatingPoint[] points = [.. (rates ?? DefaultRates).OrderDescending().Select(roc.At)];
        BootstrapIntervals? intervals = bootstrap is null ? null : Bootstrap.Run(scores, points, bootstrap, ranked, cancellationToken);
        return new VerificationReport(
            scores.Folds.IsEmpty ? null : View2Protocol.Evaluate(scores),
            roc,
            roc.EqualError(),
            intervals?.Points ?? points,
            scores.SamePairs,
            scores.DifferentPairs,
            scores.Missing,
            intervals);
    }
}
