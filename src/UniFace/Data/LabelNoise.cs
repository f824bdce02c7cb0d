using System.Numerics;

namespace UniFace.Data;

/// <summary>A picture whose label looks wrong to a model.</summary>
/// <param name="Name">The sample's name.</param>
/// <param name="Person">The person it is filed under.</param>
/// <param name="OwnSimilarity">Cosine with the mean of the person's other pictures.</param>
/// <param name="NearestPerson">The other person whose mean is nearest.</param>
/// <param name="NearestSimilarity">Cosine with that mean.</param>
/// <param name="IsOutlier">True: unlike its own person's pictures far beyond what is usual in the set.</param>
public sealed record SuspectLabel(string Name, string Person, double OwnSimilarity, string NearestPerson, double NearestSimilarity, bool IsOutlier)
{
    /// <summary>True: another person's mean is nearer than its own person's.</summary>
    public bool LooksLikeAnother => NearestSimilarity > OwnSimilarity;
}

/// <summary>
/// Labels that look wrong given a model. Each picture is compared with the mean of its own person's other pictures (itself left out)
/// and with every other person's mean. It is suspect where another person is nearer, or where its similarity to its own person lies
/// <see cref="Deviations"/> robust deviations (1.4826 x the median absolute deviation) under the median of the set.
/// What is suspect is to be looked at, not to be deleted unseen: a hard picture of the right person may be among it.
/// </summary>
/// <param name="Judged">Pictures that could be judged: embedded, and of a person with another embedded picture.</param>
/// <param name="MedianSimilarity">Median cosine with the own person's mean; null if no picture could be judged.</param>
/// <param name="OutlierThreshold">Similarity under which a picture is an outlier; a property of this set and model, not of any other.
/// Null if no picture could be judged.</param>
/// <param name="Suspects">What looks wrong, the worst (own minus nearest similarity) first.</param>
public sealed record LabelNoise(int Judged, double? MedianSimilarity, double? OutlierThreshold, IReadOnlyList<SuspectLabel> Suspects)
{
    /// <summary>Robust deviations under the median at which a picture is an outlier (Iglewicz and Hoaglin, 1993).</summary>
    public const double Deviations = 3.5;

    /// <summary>Judges the labels of a set by embeddings.</summary>
    /// <param name="dataset">The set.</param>
    /// <param name="embeddings">For every sample its L2-normalised embedding, or null where there is none.</param>
    /// <exception cref="UniFaceException">Fewer than two people have embeddings.</exception>
    public static LabelNoise Find(FaceDataset dataset, IReadOnlyList<float[]?> embeddings)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(embeddings);
        int[][] byPerson = [.. dataset.SamplesByPerson().Select(samples => samples.Where(i => embeddings[i] is not null).ToArray())];
        int[] people = [.. Enumerable.Range(0, byPerson.Length).Where(person => byPerson[person].Length > 0)];
        if (people.Length < 2)
        {
            throw new UniFaceException($"{dataset.Source}: {people.Length} people have pictures that the model takes; labels are judged by comparing two people at least.");
        }

        int size = embeddings.First(embedding => embedding is not null)!.Length;
        float[][] sums = new float[byPerson.Length][];
        float[][] means = new float[byPerson.Length][];
        foreach (int person in people)
        {
            sums[person] = new float[size];
            foreach (int i in byPerson[person])
            {
                Add(sums[person], embeddings[i]!, 1);
            }

            means[person] = Normalized(sums[person]);
        }

        int[] judged = [.. people.Where(person => byPerson[person].Length > 1).SelectMany(person => byPerson[person]).Order()];
        (double Own, double Nearest, int Person)[] scores = new (double, double, int)[judged.Length];
        Parallel.For(0, judged.Length, k =>
        {
            float[] embedding = embeddings[judged[k]]!;
            int label = dataset.Samples[judged[k]].Label;
            float[] others = [.. sums[label]];
            Add(others, embedding, -1);
            double nearest = double.NegativeInfinity;
            int nearestPerson = -1;
            foreach (int person in people)
            {
                double similarity = person == label ? double.NegativeInfinity : Dot(embedding, means[person]);
                if (similarity > nearest)
                {
                    (nearest, nearestPerson) = (similarity, person);
                }
            }

            scores[k] = (Dot(embedding, Normalized(others)), nearest, nearestPerson);
        });

        if (judged.Length == 0)
        {
            return new LabelNoise(0, null, null, []);
        }

        double median = Median([.. scores.Select(score => score.Own)]);
        double deviation = 1.4826 * Median([.. scores.Select(score => Math.Abs(score.Own - median))]);
        double threshold = median - (Deviations * deviation);
        SuspectLabel[] suspects = [.. Enumerable.Range(0, judged.Length)
            .Where(k => scores[k].Nearest > scores[k].Own || scores[k].Own < threshold)
            .OrderBy(k => scores[k].Own - scores[k].Nearest).ThenBy(k => judged[k])
            .Select(k => new SuspectLabel(
                dataset.Samples[judged[k]].Name,
                dataset.People[dataset.Samples[judged[k]].Label],
                scores[k].Own,
                dataset.People[scores[k].Person],
                scores[k].Nearest,
                scores[k].Own < threshold))];
        return new LabelNoise(judged.Length, median, threshold, suspects);
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }

    private static float[] Normalized(float[] vector)
    {
        double norm = Math.Sqrt(Dot(vector, vector));
        return norm > 0 ? [.. vector.Select(value => (float)(value / norm))] : vector;
    }

    private static void Add(float[] target, float[] vector, float factor)
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] += factor * vector[i];
        }
    }

    private static double Dot(float[] a, float[] b)
    {
        Vector<float> sums = Vector<float>.Zero;
        int i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            sums += new Vector<float>(a, i) * new Vector<float>(b, i);
        }

        float sum = Vector.Sum(sums);
        for (; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
