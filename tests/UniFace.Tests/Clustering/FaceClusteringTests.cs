using CsCheck;
using UniFace.Clustering;
using UniFace.Embeddings;

namespace UniFace.Tests.Clustering;

/// <summary>Groups are those of average linkage over the complete matrix of cosine similarities.</summary>
public sealed class FaceClusteringTests
{
    [Fact]
    public void Groups_equal_average_linkage_over_the_whole_matrix_of_cosines() =>
        Gen.Int[1, 1_000_000].Sample(
            seed =>
            {
                Random random = new(seed);
                int count = random.Next(2, 30);
                float[] faces = Faces(random, count, 6);
                double threshold = random.NextDouble() * 0.8;
                ClusteringOptions options = new() { Threshold = threshold, LinkThreshold = -1, MaxLinks = 100 };
                int[] groups = FaceClustering.Group(new EmbeddedFaces(faces, 6), options);
                if (Plain(faces, 6, threshold) is int[] expected)
                {
                    Assert.Equal(Partition(expected), Partition(groups));
                }
            },
            iter: 200);

    [Fact]
    public void A_chain_of_similar_faces_does_not_become_one_group()
    {
        // Neighbors are 20 degrees apart (cosine 0.94): single linkage would make one person of a whole circle.
        float[] chain = [.. Enumerable.Range(0, 18).SelectMany(i => new float[] { MathF.Cos(i * MathF.PI / 9), MathF.Sin(i * MathF.PI / 9) })];
        int[] groups = FaceClustering.Group(new EmbeddedFaces(chain, 2), new ClusteringOptions { Threshold = 0.8 });
        Assert.InRange(groups.Max() + 1, 5, 9);
        Assert.All(groups.GroupBy(g => g), g => Assert.InRange(g.Count(), 2, 4));
    }

    [Fact]
    public void Groups_are_numbered_by_size_and_a_face_alone_is_a_group()
    {
        float[] faces = [0, 1, 1, 0, 1, 0, -1, 0];
        Assert.Equal([1, 0, 0, 2], FaceClustering.Group(new EmbeddedFaces(faces, 2), new ClusteringOptions { Threshold = 0.9 }));
        Assert.Empty(FaceClustering.Group(new EmbeddedFaces([], 2), new ClusteringOptions { Threshold = 0.9 }));
        Assert.Throws<UniFaceException>(() => FaceClustering.Group(new EmbeddedFaces(faces, 2), new ClusteringOptions { Threshold = double.NaN }));
    }

    [Fact]
    public void Scores_equal_a_count_of_pairs_and_the_definition_of_Bagga_and_Baldwin() =>
        Gen.Int[0, 4].Array[2, 25].SelectMany(groups => Gen.Int[0, 4].Array[groups.Length].Select(people => (groups, people))).Sample(sample =>
        {
            (int[] groups, int[] people) = sample;
            ClusteringScore score = ClusteringScore.Measure(groups, people);
            double together = 0, grouped = 0, belonging = 0, precision = 0, recall = 0;
            for (int i = 0; i < groups.Length; i++)
            {
                double both = 0, group = 0, person = 0;
                for (int j = 0; j < groups.Length; j++)
                {
                    both += groups[i] == groups[j] && people[i] == people[j] ? 1 : 0;
                    group += groups[i] == groups[j] ? 1 : 0;
                    person += people[i] == people[j] ? 1 : 0;
                    if (j < i)
                    {
                        together += groups[i] == groups[j] && people[i] == people[j] ? 1 : 0;
                        grouped += groups[i] == groups[j] ? 1 : 0;
                        belonging += people[i] == people[j] ? 1 : 0;
                    }
                }

                precision += both / group / groups.Length;
                recall += both / person / groups.Length;
            }

            Assert.Equal(grouped > 0 ? together / grouped : 1, score.Pairwise.Precision, 1e-12);
            Assert.Equal(belonging > 0 ? together / belonging : 1, score.Pairwise.Recall, 1e-12);
            Assert.Equal(precision, score.BCubed.Precision, 1e-12);
            Assert.Equal(recall, score.BCubed.Recall, 1e-12);
        });

    // The textbook: merge the two groups of the largest mean cosine until it is below the threshold. Null if a rounding in float32 decides.
    private static int[]? Plain(float[] faces, int dimension, double threshold)
    {
        int count = faces.Length / dimension;
        List<List<int>> groups = [.. Enumerable.Range(0, count).Select(i => new List<int> { i })];
        while (groups.Count > 1)
        {
            (double best, double second, int a, int b) = (double.NegativeInfinity, double.NegativeInfinity, 0, 0);
            for (int i = 0; i < groups.Count; i++)
            {
                for (int j = 0; j < i; j++)
                {
                    double mean = groups[i].Average(
                        x => groups[j].Average(y => Enumerable.Range(0, dimension).Sum(d => (double)faces[(x * dimension) + d] * faces[(y * dimension) + d])));
                    (best, second, a, b) = mean > best ? (mean, best, i, j) : (best, Math.Max(second, mean), a, b);
                }
            }

            if (Math.Abs(best - threshold) < 1e-6 || (best >= threshold && best - second < 1e-6))
            {
                return null;
            }

            if (best < threshold)
            {
                break;
            }

            groups[b].AddRange(groups[a]);
            groups.RemoveAt(a);
        }

        int[] labels = new int[count];
        for (int g = 0; g < groups.Count; g++)
        {
            groups[g].ForEach(i => labels[i] = g);
        }

        return labels;
    }

    private static IEnumerable<string> Partition(int[] labels) =>
        labels.Select((label, i) => (label, i)).GroupBy(l => l.label).Select(g => string.Join(',', g.Select(l => l.i).Order())).Order(StringComparer.Ordinal);

    private static float[] Faces(Random random, int count, int dimension)
    {
        float[] faces = new float[count * dimension];
        for (int i = 0; i < count; i++)
        {
            double[] row = [.. Enumerable.Range(0, dimension).Select(d => random.NextDouble() - 0.5 + (d == i % 3 ? 0.8 : 0))];
            double norm = Math.Sqrt(row.Sum(v => v * v));
            for (int d = 0; d < dimension; d++)
            {
                faces[(i * dimension) + d] = (float)(row[d] / norm);
            }
        }

        return faces;
    }
}
