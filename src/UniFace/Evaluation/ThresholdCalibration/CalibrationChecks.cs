using UniFace.Evaluation.Verification;

namespace UniFace.Evaluation.ThresholdCalibration;

/// <summary>A threshold that was set on one half of the people and measured on the other.</summary>
/// <param name="FalseMatchRate">The rate that it was set for.</param>
/// <param name="Threshold">The threshold of the first half.</param>
/// <param name="Measured">The false match rate on the other half.</param>
/// <param name="Interval">Its Clopper-Pearson interval, which assumes independent pairs.</param>
/// <param name="TrueMatchRate">Fraction of the other half's mated pairs that match.</param>
/// <param name="DifferentPairs">Non-mated pairs of the other half.</param>
internal sealed record HeldOutRate(
    double FalseMatchRate, double Threshold, double Measured, ConfidenceInterval Interval, double TrueMatchRate, long DifferentPairs);

/// <summary>An older calibration's threshold, measured on new data.</summary>
/// <param name="FalseMatchRate">The rate that it was set for.</param>
/// <param name="Threshold">Its threshold.</param>
/// <param name="Measured">The false match rate on the new data.</param>
/// <param name="TrueMatchRate">The true match rate on the new data.</param>
/// <param name="Transfers">Whether the threshold intervals of both calibrations overlap.</param>
/// <param name="Warning">What it means if they do not, in a sentence; otherwise null.</param>
internal sealed record TransferredRate(
    double FalseMatchRate,
    double Threshold,
    double Measured,
    double TrueMatchRate,
    [property: JsonPropertyName("travels")] bool Transfers,
    string? Warning);

/// <summary>Checks of a calibration: whether it holds for people that it was not set on, and whether an older one holds for new data.</summary>
internal static class CalibrationChecks
{
    /// <summary>
    /// Sets thresholds on one half of the people and measures them on the other. The seed decides the halves, which are disjoint. Rates that
    /// either half does not support (<see cref="RuleOfThree"/>) are skipped.
    /// </summary>
    /// <param name="faces">Embeddings.</param>
    /// <param name="labels">The person of each, from 0.</param>
    /// <param name="rates">False match rates.</param>
    /// <param name="pairs">How many pairs are scored, and the seed.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <returns>From the largest rate to the smallest; empty if a half has no mated or no non-mated pair.</returns>
    public static IReadOnlyList<HeldOutRate> HoldOut(
        EmbeddedFaces faces, IReadOnlyList<int> labels, IReadOnlyList<double> rates, PairOptions pairs, CancellationToken cancellationToken = default)
    {
        int[] people = [.. labels.Distinct().Order()];
        new SeededRandom(pairs.Seed, RandomStream.CalibrationHalves).Shuffle<int>(people);
        HashSet<int> first = [.. people.Take(people.Length / 2)];
        if (Scores(faces, labels, first.Contains, pairs, cancellationToken) is not VerificationScores fit
            || Scores(faces, labels, person => !first.Contains(person), pairs, cancellationToken) is not VerificationScores check)
        {
            return [];
        }

        RocCurve curve = RocCurve.FromScores(fit);
        int fewest = Math.Min(fit.DifferentPairs, check.DifferentPairs);
        List<HeldOutRate> held = [];
        foreach (double rate in rates.OrderDescending().Where(rate => RuleOfThree.Supports(fewest, rate)))
        {
            double threshold = curve.At(rate).Threshold!.Value;
            (long falseMatches, double trueMatchRate) = MeasureAt(check, threshold);
            ConfidenceInterval interval = BinomialInterval.ClopperPearson(falseMatches, check.DifferentPairs);
            held.Add(new HeldOutRate(
                rate, threshold, falseMatches / (double)check.DifferentPairs, interval, trueMatchRate, check.DifferentPairs));
        }

        return held;
    }

    /// <summary>Compares an older calibration of the same contract with a new one.</summary>
    /// <param name="older">The calibration that came with the package.</param>
    /// <param name="newer">The calibration of the new data.</param>
    /// <param name="scores">The scores of the new data.</param>
    public static IReadOnlyList<TransferredRate> Compare(Calibration older, Calibration newer, VerificationScores scores)
    {
        List<TransferredRate> compared = [];
        foreach (CalibrationEntry entry in newer.Entries.Where(e => e.Supported))
        {
            CalibrationEntry? old = older.Entries.FirstOrDefault(
                e => e.Supported && Math.Abs(e.FalseMatchRate - entry.FalseMatchRate) <= 1e-9 * entry.FalseMatchRate);
            if (old?.Threshold is not double threshold)
            {
                continue;
            }

            (long falseMatches, double trueMatchRate) = MeasureAt(scores, threshold);
            double measured = falseMatches / (double)scores.DifferentPairs;
            bool tooLow = (old.ThresholdHigh ?? threshold) < (entry.ThresholdLow ?? entry.Threshold!.Value);
            bool tooHigh = (old.ThresholdLow ?? threshold) > (entry.ThresholdHigh ?? entry.Threshold!.Value);
            string? problem = tooLow
                ? Invariant($"does not transfer: at its threshold {threshold:F3}, {measured:G2} of your different people match, ") +
                    Invariant($"{measured / entry.FalseMatchRate:F1} times as many; the threshold for your data is {entry.Threshold:F3}")
                : tooHigh
                    ? Invariant($"is stricter than your photos need: its threshold {threshold:F3} recognizes {trueMatchRate:P1}, ") +
                        Invariant($"{entry.Threshold:F3} recognizes {entry.TrueMatchRate:P1}")
                    : null;
            string? warning = problem is null ? null
                : Invariant($"at a false match rate of {entry.FalseMatchRate:G3} the calibration of {older.Data.Name} {problem}");
            compared.Add(new TransferredRate(entry.FalseMatchRate, threshold, measured, trueMatchRate, warning is null, warning));
        }

        return compared;
    }

    private static VerificationScores? Scores(
        EmbeddedFaces faces, IReadOnlyList<int> labels, Func<int, bool> isWanted, PairOptions pairs, CancellationToken cancellationToken)
    {
        (EmbeddedFaces selected, int[] people) = faces.Select(labels, isWanted);
        return people.Distinct().Count() is int count && count >= 2 && count < people.Length
            ? PairScores.AllPairs(selected, people, pairs, cancellationToken)
            : null;
    }

    private static (long FalseMatches, double TrueMatchRate) MeasureAt(VerificationScores scores, double threshold)
    {
        long falseMatches = 0, trueMatches = 0;
        for (int i = 0; i < scores.Count; i++)
        {
            if (scores.Scores[i] >= threshold && !scores.IsMissing(i))
            {
                (falseMatches, trueMatches) = scores.Same[i] ? (falseMatches, trueMatches + 1) : (falseMatches + 1, trueMatches);
            }
        }

        return (falseMatches, trueMatches / (double)scores.SamePairs);
    }
}
