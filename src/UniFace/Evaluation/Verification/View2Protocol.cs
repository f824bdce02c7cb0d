namespace UniFace.Evaluation.Verification;

/// <summary>One fold of a cross-validated accuracy.</summary>
/// <param name="Fold">The fold that was held out.</param>
/// <param name="Threshold">The threshold chosen on all other folds.</param>
/// <param name="Accuracy">Fraction of the held-out pairs that are decided correctly, 0 to 1.</param>
/// <param name="Pairs">Pairs in the fold.</param>
internal readonly record struct FoldAccuracy(int Fold, double Threshold, double Accuracy, int Pairs);

/// <summary>Accuracy over folds, each at a threshold chosen on the other folds.</summary>
/// <param name="Mean">Mean of the folds' accuracies, 0 to 1.</param>
/// <param name="Deviation">Their population standard deviation (divided by the number of folds), as InsightFace prints it.</param>
/// <param name="StandardError">
/// Standard error of the mean as the LFW report defines it: the sample standard deviation (divided by folds - 1) over the root of the folds.
/// </param>
/// <param name="Folds">Each fold.</param>
internal sealed record CrossValidatedAccuracy(double Mean, double Deviation, double StandardError, IReadOnlyList<FoldAccuracy> Folds);

/// <summary>
/// View 2 of Labeled Faces in the Wild (Huang et al., technical report 07-49): each fold is evaluated at the threshold that is best on the
/// other folds; the accuracy is the mean over folds.
/// <para>The threshold is searched exactly: candidates are the midpoints between neighboring distinct scores of the training
/// folds, one above all and the lowest score. InsightFace searches a grid of 0.01 in squared distance (0.005 in cosine). Of equally good
/// candidates the highest cosine wins, as in InsightFace, whose first best distance is the smallest.</para>
/// <para>A missing pair is an error in its own fold and does not count in the choice of thresholds.</para>
/// </summary>
internal static class View2Protocol
{
    /// <summary>Accuracy over the folds of the scores.</summary>
    /// <exception cref="UniFaceException">There are no folds, or only one.</exception>
    public static CrossValidatedAccuracy Evaluate(VerificationScores scores)
    {
        int[] folds = scores.Folds.IsEmpty ? [] : [.. scores.Folds.ToArray().Distinct().Order()];
        if (folds.Length < 2)
        {
            throw new UniFaceException($"cross-validation needs pairs in at least 2 folds, given are {folds.Length}");
        }

        int[] order = Rank(scores);
        List<FoldAccuracy> results = [];
        foreach (int fold in folds)
        {
            double threshold = BestThreshold(scores, Array.FindAll(order, pair => scores.Folds[pair] != fold));
            int right = 0, pairs = 0;
            for (int i = 0; i < scores.Count; i++)
            {
                if (scores.Folds[i] == fold)
                {
                    pairs++;
                    right += !scores.IsMissing(i) && scores.Scores[i] >= threshold == scores.Same[i] ? 1 : 0;
                }
            }

            results.Add(new FoldAccuracy(fold, threshold, right / (double)pairs, pairs));
        }

        double mean = results.Average(r => r.Accuracy);
        double squares = results.Sum(r => (r.Accuracy - mean) * (r.Accuracy - mean));
        return new CrossValidatedAccuracy(mean, Math.Sqrt(squares / results.Count), Math.Sqrt(squares / (results.Count - 1) / results.Count), results);
    }

    /// <summary>The threshold with the most correct decisions; the highest of equally good ones.</summary>
    /// <param name="scores">The scored pairs.</param>
    /// <param name="train">The pairs that count, from the highest score to the lowest.</param>
    internal static double BestThreshold(VerificationScores scores, int[] train)
    {
        if (train.Length == 0)
        {
            throw new UniFaceException("no face was found in any pair of the folds on which a threshold is chosen");
        }

        // Correct decisions compared with rejecting every pair: +1 for each mated pair at or above, -1 for each non-mated one.
        double best = Math.BitIncrement(scores.Scores[train[0]]);
        int bestGain = 0;
        int gain = 0;
        for (int i = 0; i < train.Length; i++)
        {
            double score = scores.Scores[train[i]];
            gain += scores.Same[train[i]] ? 1 : -1;
            bool last = i + 1 == train.Length;
            if (!last && scores.Scores[train[i + 1]] == score)
            {
                continue;
            }

            if (gain > bestGain)
            {
                bestGain = gain;
                best = last ? score : Midpoint(score, scores.Scores[train[i + 1]]);
            }
        }

        return best;
    }

    /// <summary>The pairs that are not missing, from the highest score to the lowest.</summary>
    internal static int[] Rank(VerificationScores scores)
    {
        int[] order = [.. Enumerable.Range(0, scores.Count).Where(i => !scores.IsMissing(i))];
        Array.Sort([.. order.Select(i => -scores.Scores[i])], order);
        return order;
    }

    private static double Midpoint(double high, double low)
    {
        double middle = low + (high - low) / 2;
        return middle > low ? middle : high; // Adjacent doubles have no number between them.
    }
}
