using CsCheck;
using UniFace.Embeddings;
using UniFace.Evaluation.Verification;
using UniFace.Faces;

namespace UniFace.Tests.Evaluation;

/// <summary>Each pair is scored exactly once, and the score is the cosine similarity of its two images.</summary>
public class PairScoresTests
{
    [Fact]
    public void Every_pair_is_scored_once_with_its_cosine() => Gen.Select(Gen.Int[2, 90], Gen.Int[1, 40], Gen.Int[2, 9], Gen.Int[0, 999]).Sample(
        (count, dimension, people, seed) =>
        {
            (float[] embeddings, int[] labels) = Embeddings(count, dimension, people, seed);
            List<(double, bool, int, int)> expected = [];
            for (int a = 0; a < count; a++)
            {
                for (int b = a + 1; b < count; b++)
                {
                    double cosine = 0;
                    for (int k = 0; k < dimension; k++)
                    {
                        cosine += (double)embeddings[a * dimension + k] * embeddings[b * dimension + k];
                    }

                    expected.Add((cosine, labels[a] == labels[b], Math.Min(labels[a], labels[b]), Math.Max(labels[a], labels[b])));
                }
            }

            if (expected.All(p => p.Item2) || !expected.Any(p => p.Item2))
            {
                Assert.Throws<UniFaceException>(() => PairScores.AllPairs(new EmbeddedFaces(embeddings, dimension), labels));
                return;
            }

            VerificationScores scores = PairScores.AllPairs(new EmbeddedFaces(embeddings, dimension), labels);
            Assert.Equal(expected.Count, scores.Count);
            Assert.Equal(expected.Count(p => p.Item2), scores.SamePairs);
            Assert.True(scores.PeopleKnown);
            double[] same = [.. expected.Where(p => p.Item2).Select(p => p.Item1).Order()];
            double[] different = [.. expected.Where(p => !p.Item2).Select(p => p.Item1).Order()];
            AssertClose(same, [.. Of(scores, true).Order()]);
            AssertClose(different, [.. Of(scores, false).Order()]);
        },
        iter: 60);

    [Fact]
    public void A_draw_has_about_the_requested_size_valid_pairs_only_and_no_duplicates()
    {
        (float[] embeddings, int[] labels) = Embeddings(400, 8, 40, 3);
        double[] all = [.. Of(PairScores.AllPairs(new EmbeddedFaces(embeddings, 8), labels), false).Order()];
        PairOptions options = new() { MaxDifferentPairs = 5000, MaxSamePairs = 700, Seed = 9 };
        VerificationScores drawn = PairScores.AllPairs(new EmbeddedFaces(embeddings, 8), labels, options);
        Assert.InRange(drawn.SamePairs, 690, 700);
        Assert.InRange(drawn.DifferentPairs, 4800, 5200);
        double[] different = Of(drawn, false);
        Assert.InRange(different.Distinct().Count(), (int)(different.Length * 0.99), different.Length);
        Assert.True(Array.TrueForAll(different, score => Distance(all, score) < 1e-6));
        Assert.Equal(drawn.Scores.ToArray(), PairScores.AllPairs(new EmbeddedFaces(embeddings, 8), labels, options).Scores.ToArray());
        Assert.NotEqual(drawn.Scores.ToArray(), PairScores.AllPairs(new EmbeddedFaces(embeddings, 8), labels, options with { Seed = 10 }).Scores.ToArray());
    }

    [Fact]
    public void More_than_a_million_pairs_are_all_scored()
    {
        (float[] embeddings, int[] labels) = Embeddings(1450, 512, 100, 1);
        VerificationReport report = VerificationReport.Create(PairScores.AllPairs(new EmbeddedFaces(embeddings, 512), labels));
        Assert.Equal(1450L * 1449 / 2, report.SamePairs + report.DifferentPairs);
        Assert.NotNull(report.OperatingPoints[5].TrueMatchRate);
    }

    [Fact]
    public void Well_separated_people_have_perfect_metrics_and_missing_images_are_counted()
    {
        using ColorEmbedder embedder = new();
        int[] labels = [.. Enumerable.Range(0, 80).Select(i => i % 8)];
        RgbImage[] images = [.. labels.Select((person, i) => Filled((byte)(person * 30), (byte)(i / 8)))];
        ValidationResult result = Validator.Evaluate(embedder, i => i % 20 == 7 ? null : images[i], labels, new ValidationOptions { BatchSize = 7 });
        Assert.Equal(1, result.Report.Auc);
        Assert.Equal(0, result.Report.EqualError.Rate);
        Assert.Equal(1, result.Accuracy!.Mean);
        Assert.Equal((80, 4, 8), (result.Images, result.MissingImages, result.People));
        Assert.Equal(76 * 75 / 2, result.Scores.Count);
        Assert.Null(result.Report.Intervals?.Auc);
    }

    [Fact]
    public void Each_image_is_embedded_once_in_order()
    {
        using ColorEmbedder embedder = new();
        int done = 0;
        EmbeddedFaces faces = BatchEmbedding.Embed(embedder, 23, i => i == 11 ? null : Filled((byte)(i * 10), 0), 5, n => done += n);
        Assert.Equal(23, done);
        Assert.Equal(22, embedder.Embedded);
        for (int i = 0; i < 23; i++)
        {
            Assert.Equal(i != 11, faces.Found[i]);
            double angle = i * 10 / 256.0 * Math.PI;
            Assert.Equal(i == 11 ? 0 : Math.Cos(angle), faces.Values[2 * i], 5);
        }
    }

    [Fact]
    public void An_exception_while_loading_is_not_wrapped()
    {
        using ColorEmbedder embedder = new();
        UniFaceException error = Assert.Throws<UniFaceException>(
            () => BatchEmbedding.Embed(embedder, 30, i => i == 20 ? throw new UniFaceException("picture 20 is no picture") : Filled(1, 1), 8));
        Assert.Equal("picture 20 is no picture", error.Message);
        using CancellationTokenSource stopped = new();
        stopped.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => BatchEmbedding.Embed(embedder, 30, _ => Filled(1, 1), 8, null, stopped.Token));
    }

    // Distance to the nearest of a sorted list.
    private static double Distance(double[] sorted, double value)
    {
        int at = Array.BinarySearch(sorted, value);
        int above = at < 0 ? ~at : at;
        return Math.Min(above < sorted.Length ? sorted[above] - value : 1, above > 0 ? value - sorted[above - 1] : 1);
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-5);
        }
    }

    private static double[] Of(VerificationScores scores, bool same) => [
        .. Enumerable.Range(0, scores.Count).Where(i => scores.Same[i] == same).Select(i => scores.Scores[i])
    ];

    private static (float[] Embeddings, int[] Labels) Embeddings(int count, int dimension, int people, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count * dimension];
        for (int row = 0; row < count; row++)
        {
            double[] v = [.. Enumerable.Range(0, dimension).Select(_ => Gauss.Next(random))];
            double norm = Math.Sqrt(v.Sum(x => x * x));
            for (int k = 0; k < dimension; k++)
            {
                values[row * dimension + k] = (float)(v[k] / norm);
            }
        }

        return (values, [.. Enumerable.Range(0, count).Select(_ => random.Next(people))]);
    }

    private static RgbImage Filled(byte red, byte green)
    {
        RgbImage image = new(1, 1);
        (image.Pixels[0], image.Pixels[1]) = (red, green);
        return image;
    }

    /// <summary>Red is the angle of a unit vector, green a small shake of it.</summary>
    private sealed class ColorEmbedder : IEmbedder
    {
        public int Embedded { get; private set; }

        public int EmbeddingSize => 2;

        public (int Width, int Height) InputSize => (1, 1);

        public float[] Embed(IReadOnlyList<RgbImage> faces)
        {
            Embedded += faces.Count;
            return [.. faces.SelectMany(f =>
            {
                double angle = f.Pixels[0] / 256.0 * Math.PI + f.Pixels[1] * 0.001;
                return new[] { (float)Math.Cos(angle), (float)Math.Sin(angle) };
            })];
        }

        public void Dispose()
        {
        }
    }
}
