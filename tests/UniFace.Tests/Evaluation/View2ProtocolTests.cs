using CsCheck;
using UniFace.Evaluation.Verification;

namespace UniFace.Tests.Evaluation;

/// <summary>Each fold is evaluated at the best threshold of the other folds, as LFW's View 2 defines it.</summary>
public class View2ProtocolTests
{
    [Fact]
    public void A_case_computed_by_hand_gives_its_accuracy_and_thresholds()
    {
        // Fold 0: same 0.9 0.4, different 0.3 0.1. Fold 1: same 0.8 0.6, different 0.5 0.2.
        // Threshold for fold 0, of fold 1: between 0.6 and 0.5 = 0.55: 0.4 is wrong, 3 of 4 right.
        // Threshold for fold 1, of fold 0: between 0.4 and 0.3 = 0.35: 0.5 is wrong, 3 of 4 right.
        VerificationScores scores = new(
            [0.9, 0.4, 0.3, 0.1, 0.8, 0.6, 0.5, 0.2],
            [true, true, false, false, true, true, false, false],
            [0, 0, 0, 0, 1, 1, 1, 1]);
        CrossValidatedAccuracy result = View2Protocol.Evaluate(scores);
        Assert.Equal(0.75, result.Mean, 12);
        Assert.Equal(0, result.Deviation, 12);
        Assert.Equal(0.55, result.Folds[0].Threshold, 12);
        Assert.Equal(0.35, result.Folds[1].Threshold, 12);
    }

    [Fact]
    public void The_deviation_is_over_folds_and_the_standard_error_is_that_of_LFW()
    {
        // Fold 0 all right, fold 1 half right whatever fold 0 and 2 say, fold 2 all right.
        VerificationScores scores = new(
            [0.9, 0.1, 0.9, 0.9, 0.9, 0.1],
            [true, false, true, false, true, false],
            [0, 0, 1, 1, 2, 2]);
        CrossValidatedAccuracy result = View2Protocol.Evaluate(scores);
        double mean = (1 + 0.5 + 1) / 3;
        double squares = 2 * (1 - mean) * (1 - mean) + (0.5 - mean) * (0.5 - mean);
        Assert.Equal(mean, result.Mean, 12);
        Assert.Equal(Math.Sqrt(squares / 3), result.Deviation, 12);
        Assert.Equal(Math.Sqrt(squares / 2) / Math.Sqrt(3), result.StandardError, 12);
    }

    [Fact]
    public void A_fold_does_not_influence_its_own_threshold() => Gen.Select(Scores(), Gen.Int[0, 9], Gen.Int[0, 1 << 20]).Sample((scores, fold, seed) =>
    {
        // Whatever the held-out fold holds, even the opposite of everything, its threshold stays.
        Random random = new(seed);
        double[] values = scores.Scores.ToArray();
        bool[] same = scores.Same.ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            if (scores.Folds[i] == fold)
            {
                values[i] = 2 * random.NextDouble() - 1;
                same[i] = !same[i];
            }
        }

        FoldAccuracy before = View2Protocol.Evaluate(scores).Folds[fold];
        FoldAccuracy after = View2Protocol.Evaluate(new VerificationScores(values, same, scores.Folds.ToArray())).Folds[fold];
        Assert.Equal(before.Threshold, after.Threshold);
    });

    [Fact]
    public void A_fold_with_inverted_labels_has_an_accuracy_of_zero()
    {
        double[] values = [.. Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? 0.8 : 0.1)];
        bool[] same = [.. Enumerable.Range(0, 100).Select(i => i % 2 == 0 ^ i < 10)];
        CrossValidatedAccuracy result = View2Protocol.Evaluate(new VerificationScores(values, same).WithContiguousFolds());
        Assert.Equal(0, result.Folds[0].Accuracy);
        Assert.All(result.Folds.Skip(1), f => Assert.Equal(1, f.Accuracy));
        Assert.Equal(0.9, result.Mean, 12);
    }

    [Fact]
    public void No_other_threshold_is_better_on_the_training_folds() => Scores().Sample(scores =>
    {
        double best = View2Protocol.BestThreshold(scores, View2Protocol.Rank(scores));
        int right = Right(scores, best);
        foreach (double candidate in scores.Scores.ToArray().SelectMany(s => new[] { s, Math.BitIncrement(s) }))
        {
            Assert.True(Right(scores, candidate) <= right);
            Assert.True(candidate <= best || Right(scores, candidate) < right || Decides(scores, candidate, best));
        }
    });

    [Fact]
    public void The_accuracy_equals_InsightFaces_grid_search_if_the_grid_separates_all_scores() => Gen.Bool.Array[200].Sample(
        same =>
        {
            // Distances in the middle of its steps of 0.01, each of 20 steps in each fold: every cut is on the grid, and none is wide.
            double[] values = [.. same.Select((_, i) => 1 - ((100 + i % 20) * 0.01 + 0.005) / 2)];
            VerificationScores scores = new VerificationScores(values, same).WithContiguousFolds();
            Assert.Equal(GridAccuracy(scores), View2Protocol.Evaluate(scores).Mean, 12);
        },
        iter: 15);

    [Fact]
    public void The_accuracy_is_close_to_InsightFaces_grid_search_on_6000_pairs()
    {
        Random random = new(3);
        double[] values = new double[6000];
        bool[] same = new bool[6000];
        for (int i = 0; i < values.Length; i++)
        {
            same[i] = i / 300 % 2 == 0;
            values[i] = Math.Clamp((same[i] ? 0.5 : 0.02) + 0.14 * Gauss.Next(random), -1, 1);
        }

        VerificationScores scores = new VerificationScores(values, same).WithContiguousFolds();
        double exact = View2Protocol.Evaluate(scores).Mean;
        Assert.InRange(exact, 0.93, 0.98);
        Assert.Equal(GridAccuracy(scores), exact, 0.003);
    }

    [Fact]
    public void A_missing_pair_counts_as_an_error_for_mated_and_non_mated_pairs()
    {
        double[] values = [.. Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? 0.8 : 0.1)];
        bool[] same = [.. Enumerable.Range(0, 40).Select(i => i % 2 == 0)];
        bool[] missing = new bool[40];
        missing[0] = missing[1] = true; // one of one person, one of two
        CrossValidatedAccuracy result = View2Protocol.Evaluate(new VerificationScores(values, same, null, missing).WithContiguousFolds());
        Assert.Equal(0.5, result.Folds[0].Accuracy);
        Assert.All(result.Folds.Skip(1), f => Assert.Equal(1, f.Accuracy));
    }

    [Fact]
    public void Contiguous_folds_are_those_of_KFold()
    {
        VerificationScores scores = new VerificationScores(new double[23], [.. Enumerable.Range(0, 23).Select(i => i % 2 == 0)]).WithContiguousFolds();
        int[] sizes = [.. Enumerable.Range(0, 10).Select(fold => scores.Folds.ToArray().Count(f => f == fold))];
        Assert.Equal([3, 3, 3, 2, 2, 2, 2, 2, 2, 2], sizes);
        Assert.Equal(scores.Folds.ToArray().Order(), scores.Folds.ToArray());
    }

    [Fact]
    public void Fewer_than_two_folds_is_a_clear_error()
    {
        Assert.Throws<UniFaceException>(() => View2Protocol.Evaluate(new VerificationScores([0.1, 0.2], [true, false])));
        Assert.Throws<UniFaceException>(() => View2Protocol.Evaluate(new VerificationScores([0.1, 0.2], [true, false], [3, 3])));
        Assert.Throws<UniFaceException>(() => new VerificationScores([0.1, 0.2], [true, false]).WithContiguousFolds());
    }

    private static Gen<VerificationScores> Scores() => Gen.Select(Gen.Int[-20, 20], Gen.Bool).Array[20, 60]
        .Select(pairs => new VerificationScores(
            [.. pairs.Select(p => p.Item1 / 40.0 + (p.Item2 ? 0.3 : 0))], [.. pairs.Select(p => p.Item2)]).WithContiguousFolds());

    private static int Right(VerificationScores scores, double threshold) =>
        Enumerable.Range(0, scores.Count).Count(i => scores.Scores[i] >= threshold == scores.Same[i]);

    private static bool Decides(VerificationScores scores, double a, double b) =>
        Enumerable.Range(0, scores.Count).All(i => scores.Scores[i] >= a == scores.Scores[i] >= b);

    // verification.py: squared distances 0, 0.01 ... 3.99, the first best on the other folds; strictly below is the same person.
    private static double GridAccuracy(VerificationScores scores)
    {
        double[] distances = [.. scores.Scores.ToArray().Select(s => 2 - 2 * s)];
        double mean = 0;
        for (int fold = 0; fold < 10; fold++)
        {
            double best = 0;
            int bestRight = -1;
            for (int step = 0; step < 400; step++)
            {
                double threshold = step * 0.01;
                int right = Enumerable.Range(0, scores.Count).Count(i => scores.Folds[i] != fold && distances[i] < threshold == scores.Same[i]);
                if (right > bestRight)
                {
                    (best, bestRight) = (threshold, right);
                }
            }

            int[] held = [.. Enumerable.Range(0, scores.Count).Where(i => scores.Folds[i] == fold)];
            mean += held.Count(i => distances[i] < best == scores.Same[i]) / (double)held.Length / 10;
        }

        return mean;
    }
}
