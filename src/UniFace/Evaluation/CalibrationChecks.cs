using UniFace.Packages;

namespace UniFace.Evaluation;

/// <summary>A threshold that was set on one half of the people, measured on the other.</summary>
/// <param name="FalseMatchRate">The rate it was set for.</param>
/// <param name="Threshold">The threshold of the first half.</param>
/// <param name="Measured">The false match rate on the other half.</param>
/// <param name="Interval">Its Clopper-Pearson interval, which takes pairs as independent.</param>
/// <param name="TrueMatchRate">Share of the other half's pairs of one person that match.</param>
/// <param name="DifferentPairs">Pairs of two people of the other half.</param>
public sealed record HeldOutRate(double FalseMatchRate, double Threshold, double Measured, ConfidenceInterval Interval, double TrueMatchRate, long DifferentPairs);

/// <summary>What an older calibration's threshold does on new data.</summary>
/// <param name="FalseMatchRate">The rate that it promises.</param>
/// <param name="Threshold">Its threshold.</param>
/// <param name="Measured">The false match rate that was measured at it on the new data.</param>
/// <param name="TrueMatchRate">The true match rate measured at it.</param>
/// <param name="Travels">False where the threshold intervals of both calibrations do not meet: the promise is not kept here.</param>
/// <param name="Warning">What that means, in a sentence; null where it travels.</param>
public sealed record TravelledRate(double FalseMatchRate, double Threshold, double Measured, double TrueMatchRate, bool Travels, string? Warning);

/// <summary>Two honest questions to a calibration: does it hold for people that it was not set on, and does an older one hold here?</summary>
public static class CalibrationChecks
{
    /// <summary>
    /// Sets thresholds on one half of the people and measures them on the other. Who is in which half is decided by the seed; nobody is in both.
    /// Rates that either half cannot support (<see cref="Calibration.SmallestRateOf"/>) are left out.
    /// </summary>
    /// <param name="faces">Embeddings, all found.</param>
    /// <param name="labels">The person of each, from 0.</param>
    /// <param name="rates">False match rates.</param>
    /// <param name="pairs">How many pairs are scored, and the seed.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>From the largest rate to the smallest; empty where a half has no pair of one person or of two.</returns>
    public static IReadOnlyList<HeldOutRate> OnHalves(EmbeddedFaces faces, IReadOnlyList<int> labels, IReadOnlyList<double> rates, PairOptions pairs, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(rates);
        ArgumentNullException.ThrowIfNull(pairs);
        int[] people = [.. labels.Distinct().Order()];
        new SeededRandom(pairs.Seed, RandomStream.CalibrationHalves).Shuffle<int>(people);
        HashSet<int> first = [.. people.Take(people.Length / 2)];
        if (Scores(faces, labels, first.Contains, pairs, cancellation) is not VerificationScores fit
            || Scores(faces, labels, person => !first.Contains(person), pairs, cancellation) is not VerificationScores check)
        {
            return [];
        }

        RocCurve curve = RocCurve.FromScores(fit);
        double smallest = Math.Max(Calibration.SmallestRateOf(fit.DifferentPairs), Calibration.SmallestRateOf(check.DifferentPairs));
        List<HeldOutRate> held = [];
        foreach (double rate in rates.OrderDescending().Where(rate => rate >= smallest * (1 - 1e-9)))
        {
            double threshold = curve.At(rate).Threshold!.Value;
            (long falseMatches, double trueMatchRate) = At(check, threshold);
            held.Add(new HeldOutRate(rate, threshold, falseMatches / (double)check.DifferentPairs, BinomialInterval.ClopperPearson(falseMatches, check.DifferentPairs), trueMatchRate, check.DifferentPairs));
        }

        return held;
    }

    /// <summary>Compares an older calibration of the same contract with a new one.</summary>
    /// <param name="older">The one that the package came with.</param>
    /// <param name="newer">The one that was measured now.</param>
    /// <param name="scores">The scores that it was measured on.</param>
    public static IReadOnlyList<TravelledRate> Compare(Calibration older, Calibration newer, VerificationScores scores)
    {
        ArgumentNullException.ThrowIfNull(older);
        ArgumentNullException.ThrowIfNull(newer);
        ArgumentNullException.ThrowIfNull(scores);
        List<TravelledRate> compared = [];
        foreach (CalibrationEntry entry in newer.Entries.Where(e => e.Supported))
        {
            CalibrationEntry? old = older.Entries.FirstOrDefault(e => e.Supported && Math.Abs(e.FalseMatchRate - entry.FalseMatchRate) <= 1e-9 * entry.FalseMatchRate);
            if (old?.Threshold is not double threshold)
            {
                continue;
            }

            (long falseMatches, double trueMatchRate) = At(scores, threshold);
            double measured = falseMatches / (double)scores.DifferentPairs;
            bool tooLow = (old.ThresholdHigh ?? threshold) < (entry.ThresholdLow ?? entry.Threshold!.Value);
            bool tooHigh = (old.ThresholdLow ?? threshold) > (entry.ThresholdHigh ?? entry.Threshold!.Value);
            string? warning = tooLow
                ? FormattableString.Invariant($"at a false match rate of {entry.FalseMatchRate:G3} the calibration of {older.Data.Name} does not travel: its threshold {threshold:F3} lets {measured:G2} of your different people match, {measured / entry.FalseMatchRate:F1} times as many; here it takes {entry.Threshold:F3}")
                : tooHigh
                    ? FormattableString.Invariant($"at a false match rate of {entry.FalseMatchRate:G3} the calibration of {older.Data.Name} is stricter than your photos need: its threshold {threshold:F3} recognises {trueMatchRate:P1}, {entry.Threshold:F3} recognises {entry.TrueMatchRate:P1}")
                    : null;
            compared.Add(new TravelledRate(entry.FalseMatchRate, threshold, measured, trueMatchRate, warning is null, warning));
        }

        return compared;
    }

    private static VerificationScores? Scores(EmbeddedFaces faces, IReadOnlyList<int> labels, Func<int, bool> wanted, PairOptions pairs, CancellationToken cancellation)
    {
        int[] rows = [.. Enumerable.Range(0, faces.Count).Where(i => faces.Found[i] && wanted(labels[i]))];
        int[] people = [.. rows.Select(i => labels[i])];
        if (people.Distinct().Count() < 2 || people.Distinct().Count() == people.Length)
        {
            return null;
        }

        float[] values = new float[rows.Length * faces.Dimension];
        for (int row = 0; row < rows.Length; row++)
        {
            faces.Values.AsSpan(rows[row] * faces.Dimension, faces.Dimension).CopyTo(values.AsSpan(row * faces.Dimension));
        }

        return PairScores.AllPairs(values, faces.Dimension, people, pairs, cancellation);
    }

    private static (long FalseMatches, double TrueMatchRate) At(VerificationScores scores, double threshold)
    {
        long falseMatches = 0, trueMatches = 0;
        for (int i = 0; i < scores.Count; i++)
        {
            if (scores.ScoreArray[i] >= threshold && !scores.IsMissing(i))
            {
                (falseMatches, trueMatches) = scores.SameArray[i] ? (falseMatches, trueMatches + 1) : (falseMatches + 1, trueMatches);
            }
        }

        return (falseMatches, trueMatches / (double)scores.SamePairs);
    }
}
