using UniFace.Training.FineTuning;

namespace UniFace.Training.Tests.FineTuning;

/// <summary>A model is called better only if the interval of the difference over people says so.</summary>
public class HeldOutComparisonTests
{
    [Fact]
    public void A_model_is_not_better_than_itself()
    {
        (float[] embeddings, int[] labels) = Embeddings(people: 20, images: 5, noise: 1.2, seed: 1);
        HeldOutComparison same = HeldOutComparison.Measure(embeddings, embeddings, labels, seed: 1)!;
        Assert.Equal(ComparisonVerdict.NotShown, same.Verdict);
        Assert.Equal(new IntervalEstimate(0, 0, 0), same.Difference);
        Assert.Equal(20 * 10, same.MatedPairs);
        Assert.Equal((100 * 99 / 2) - 200, same.NonMatedPairs);
    }

    [Fact]
    public void Less_noise_for_everybody_is_better_and_the_reverse_is_worse()
    {
        (float[] noisy, int[] labels) = Embeddings(30, 5, 1.5, 1);
        (float[] clear, _) = Embeddings(30, 5, 0.7, 2);
        HeldOutComparison better = HeldOutComparison.Measure(noisy, clear, labels, seed: 1)!;
        Assert.Equal(ComparisonVerdict.Better, better.Verdict);
        Assert.True(better.Before.Low <= better.Before.Value && better.Before.Value <= better.Before.High);
        Assert.Equal(ComparisonVerdict.Worse, HeldOutComparison.Measure(clear, noisy, labels, seed: 1)!.Verdict);
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

        HeldOutComparison compared = HeldOutComparison.Measure(before, after, labels, seed: 1)!;
        Assert.True(compared.Difference.Value > 0);
        Assert.Equal(ComparisonVerdict.NotShown, compared.Verdict);
    }

    [Fact]
    public void Too_few_pairs_are_not_compared()
    {
        (float[] embeddings, int[] labels) = Embeddings(3, 2, 1, 1);
        Assert.Null(HeldOutComparison.Measure(embeddings, embeddings, labels, seed: 1));
    }

    [Fact]
    public void The_same_seed_gives_the_same_intervals()
    {
        (float[] before, int[] labels) = Embeddings(12, 5, 1.5, 1);
        (float[] after, _) = Embeddings(12, 5, 1.2, 2);
        Assert.Equal(HeldOutComparison.Measure(before, after, labels, 5), HeldOutComparison.Measure(before, after, labels, 5));
    }

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
