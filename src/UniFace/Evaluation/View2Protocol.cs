namespace UniFace.Evaluation;

/// <summary>One fold of a cross-validated accuracy.</summary>
/// <param name="Fold">The fold that was held out.</param>
/// <param name="Threshold">The threshold chosen on all other folds.</param>
/// <param name="Accuracy">Share of the held-out pairs that are right at it, 0 to 1.</param>
/// <param name="Pairs">Pairs in the fold.</param>
public readonly record struct FoldAccuracy(int Fold, double Threshold, double Accuracy, int Pairs);

/// <summary>Accuracy over folds, each judged at a threshold that never saw it.</summary>
/// <param name="Mean">Mean of the folds' accuracies, 0 to 1.</param>
/// <param name="Deviation">Their population standard deviation (divided by the number of folds), as InsightFace prints it.</param>
/// <param name="StandardError">
/// Standard error of the mean as the LFW report defines it: the sample standard deviation (divided by folds - 1) over the root of the folds.
/// </param>
/// <param name="Folds">Each fold.</param>
public sealed record CrossValidatedAccuracy(double Mean, double Deviation, double StandardError, IReadOnlyList<FoldAccuracy> Folds);

/// <summary>
/// View 2 of Labeled Faces in the Wild (Huang et al., technical report 07-49): for each fold, the threshold that is best on
/// the other folds judges it; the mean over folds is the accuracy.
/// <para>The threshold is searched exactly: candidates are the midpoints between neighbouring distinct scores of the training
/// folds, one above all and the lowest score itself. InsightFace walks a grid of 0.01 in squared distance (0.005 in cosine).
/// Of equally good candidates the highest cosine wins, as in InsightFace, whose first best distance is the smallest.</para>
/// <para>A missing pair is an error in its own fold and takes no part in choosing thresholds.</para>
/// </summary>
public static class View2Protocol
{
    /// <summary>Accuracy over the folds of the scores.</summary>
    /// <exception cref="UniFaceException">There are no folds, or only one.</exception>
    public static CrossValidatedAccuracy Evaluate(VerificationScores scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        int[] folds = scores.FoldArray is null ? [] : [.. scores.FoldArray.Distinct().Order()];
        if (folds.Length < 2)
        {
            throw new UniFaceException($"cross-validation needs pairs in at least 2 folds, given are {folds.Length}");
        }

        int[] order = [.. Enumerable.Range(0, scores.Count).Where(i => !scores.IsMissing(i))];
        double[] keys = [.. order.Select(i => -scores.ScoreArray[i])];
        Array.Sort(keys, order);

        List<FoldAccuracy> results = [];
        foreach (int fold in folds)
        {
            double threshold = BestThreshold(scores, order, pair => scores.FoldArray![pair] != fold);
            int right = 0;
            int pairs = 0;
            for (int i = 0; i < scores.Count; i++)
            {
                if (scores.FoldArray![i] == fold)
                {
                    pairs++;
                    right += !scores.IsMissing(i) && scores.ScoreArray[i] >= threshold == scores.SameArray[i] ? 1 : 0;
                }
            }

            results.Add(new FoldAccuracy(fold, threshold, right / (double)pairs, pairs));
        }

        double mean = results.Average(r => r.Accuracy);
        double squares = results.Sum(r => (r.Accuracy - mean) * (r.Accuracy - mean));
        return new CrossValidatedAccuracy(mean, Math.Sqrt(squares / results.Count), Math.Sqrt(squares / (results.Count - 1) / results.Count), results);
    }

    /// <summary>The threshold with the most right decisions over all pairs; the highest of equals.</summary>
    public static double BestThreshold(VerificationScores scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        int[] order = [.. Enumerable.Range(0, scores.Count).Where(i => !scores.IsMissing(i))];
        double[] keys = [.. order.Select(i => -scores.ScoreArray[i])];
        Array.Sort(keys, order);
        return BestThreshold(scores, order, _ => true);
    }

    // order: pairs from the highest score to the lowest.
    private static double BestThreshold(VerificationScores scores, int[] order, Func<int, bool> counts)
    {
        int[] train = Array.FindAll(order, pair => counts(pair));
        if (train.Length == 0)
        {
            throw new UniFaceException("no face was found in any pair of the folds that a threshold is chosen on");
        }

        // Gain over calling every pair different: +1 for each same pair at or above, -1 for each different one.
        double best = Math.BitIncrement(scores.ScoreArray[train[0]]);
        int bestGain = 0;
        int gain = 0;
        for (int i = 0; i < train.Length; i++)
        {
            double score = scores.ScoreArray[train[i]];
            gain += scores.SameArray[train[i]] ? 1 : -1;
            bool last = i + 1 == train.Length;
            if (!last && scores.ScoreArray[train[i + 1]] == score)
            {
                continue;
            }

            if (gain > bestGain)
            {
                bestGain = gain;
                best = last ? score : Between(score, scores.ScoreArray[train[i + 1]]);
            }
        }

        return best;
    }

    private static double Between(double high, double low)
    {
        double middle = low + (high - low) / 2;
        return middle > low ? middle : high; // Neighbouring numbers have nothing between them.
    }
}
