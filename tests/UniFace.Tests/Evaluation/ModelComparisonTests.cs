using UniFace.Embeddings;
using UniFace.Evaluation.Verification;

namespace UniFace.Tests.Evaluation;

/// <summary>A model is called better only if the interval of the difference over people says so.</summary>
public class ModelComparisonTests
{
    [Fact]
    public void A_model_is_not_better_than_itself()
    {
        VerificationScores scores = Score(people: 20, images: 5, noise: 1.2, seed: 1);
        ModelComparison same = ModelComparison.Measure(scores, scores)!;
        Assert.Equal(ComparisonVerdict.NotShown, same.Verdict);
        Assert.Equal(new IntervalEstimate(0, 0, 0), same.Difference);
        Assert.Equal(20 * 10, same.MatedPairs);
        Assert.Equal((100 * 99 / 2) - 200, same.NonMatedPairs);
    }

    [Fact]
    public void Less_noise_for_everybody_is_better_and_the_reverse_is_worse()
    {
        VerificationScores noisy = Score(30, 5, 1.5, 1), clear = Score(30, 5, 0.7, 2);
        ModelComparison better = ModelComparison.Measure(noisy, clear)!;
        Assert.Equal(ComparisonVerdict.Better, better.Verdict);
        Assert.True(better.Before.Low <= better.Before.Value && better.Before.Value <= better.Before.High);
        Assert.Equal(ComparisonVerdict.Worse, ModelComparison.Measure(clear, noisy)!.Verdict);
    }

    [Fact]
    public void Sets_put_together_keep_their_pairs_and_count_each_person_once()
    {
        VerificationScores first = Score(people: 20, images: 3, noise: 1.2, seed: 1), second = Score(people: 10, images: 4, noise: 1.2, seed: 2);
        VerificationScores both = VerificationScores.Concatenate([first, second]);
        Assert.Equal([.. first.Scores, .. second.Scores], both.Scores.ToArray());
        Assert.Equal((60 + 60, first.DifferentPairs + second.DifferentPairs), (both.SamePairs, both.DifferentPairs));
        Assert.Equal(30, ModelComparison.Measure(both, both)!.People);
        Assert.Throws<ArgumentException>(() => VerificationScores.Concatenate([first, new VerificationScores([0.5], [true])]));
    }

    /// <summary>A gain on one person of thirty is one that other people may not have.</summary>
    [Fact]
    public void A_gain_on_one_person_is_not_shown_to_be_a_gain()
    {
        (float[] before, int[] labels) = Embeddings(30, 5, 1.5, 1);
        float[] after = [.. before];
        for (int image = 1; image < 5; image++)
        {
            before.AsSpan(0, 16).CopyTo(after.AsSpan(16 * image)); // All images of the first person alike.
        }

        ModelComparison compared = ModelComparison.Measure(Score(before, labels), Score(after, labels))!;
        Assert.True(compared.Difference.Value > 0);
        Assert.Equal(ComparisonVerdict.NotShown, compared.Verdict);
    }

    /// <summary>Independent draws would give the difference the width of both rates together.</summary>
    [Fact]
    public void Both_models_are_measured_on_the_same_draws_of_people()
    {
        (float[] before, int[] labels) = Embeddings(30, 5, 1.5, 1);
        float[] after = [.. before];
        Array.Reverse(after, 0, 16); // One image changes, so the rankings differ and the rates hardly do.
        ModelComparison compared = ModelComparison.Measure(Score(before, labels), Score(after, labels))!;
        Assert.True(compared.Difference.High - compared.Difference.Low < 0.5 * (compared.Before.High - compared.Before.Low));
        Assert.Equal(30, compared.People);
    }

    [Fact]
    public void Too_few_pairs_are_not_compared()
    {
        VerificationScores scores = Score(3, 2, 1, 1);
        Assert.Null(ModelComparison.Measure(scores, scores));
    }

    [Fact]
    public void The_same_seed_gives_the_same_intervals()
    {
        VerificationScores before = Score(12, 5, 1.5, 1), after = Score(12, 5, 1.2, 2);
        Assert.Equal(ModelComparison.Measure(before, after, 5), ModelComparison.Measure(before, after, 5));
    }

    private static VerificationScores Score(int people, int images, double noise, int seed)
    {
        (float[] embeddings, int[] labels) = Embeddings(people, images, noise, seed);
        return Score(embeddings, labels);
    }

    private static VerificationScores Score(float[] embeddings, int[] labels) => PairScores.AllPairs(new EmbeddedFaces(embeddings, 16), labels);

    /// <summary>A person is a direction of 16 values; an image is that plus noise, as a unit vector.</summary>
    private static (float[] Embeddings, int[] Labels) Embeddings(int people, int images, double noise, int seed)
    {
        List<float> all = [];
        Random random = new(seed);
        for (int p = 0; p < people; p++)
        {
            Random own = new(p);
            double[] direction = [.. Enumerable.Range(0, 16).Select(_ => Normal(own))];
            for (int i = 0; i < images; i++)
            {
                double[] values = [.. direction.Select(v => v + (noise * Normal(random)))];
                double norm = Math.Sqrt(values.Sum(v => v * v));
                all.AddRange(values.Select(v => (float)(v / norm)));
            }
        }

        return ([.. all], [.. Enumerable.Range(0, people * images).Select(i => i / images)]);

        static double Normal(Random random) => Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6;
    }
}
