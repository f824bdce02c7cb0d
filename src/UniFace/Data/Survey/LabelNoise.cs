namespace UniFace.Data.Survey;

/// <summary>An image whose label looks wrong according to a model.</summary>
/// <param name="Name">The sample's name.</param>
/// <param name="Person">The person it is filed under.</param>
/// <param name="OwnSimilarity">Cosine with the mean of the person's other images.</param>
/// <param name="NearestPerson">The other person with the nearest mean.</param>
/// <param name="NearestSimilarity">Cosine with that mean.</param>
/// <param name="IsOutlier">Whether it is much less similar to its own person's images than is usual in the set.</param>
internal sealed record SuspectLabel(string Name, string Person, double OwnSimilarity, string NearestPerson, double NearestSimilarity, bool IsOutlier)
{
    /// <summary>Whether another person's mean is nearer than its own person's.</summary>
    public bool LooksLikeAnother => NearestSimilarity > OwnSimilarity;
}

/// <summary>
/// Finds labels that look wrong according to a model. Each image is compared with the mean of its own person's other images and with every
/// other person's mean. It is suspect if another person is nearer, or if its similarity to its own person is <see cref="Deviations"/>
/// robust deviations (1.4826 x the median absolute deviation) below the median of the set. Look at suspects before deleting them: they
/// may be hard images of the right person.
/// </summary>
/// <param name="Judged">Images that could be checked: embedded, and of a person with another embedded image.</param>
/// <param name="MedianSimilarity">Median cosine with the own person's mean; null if no image could be checked.</param>
/// <param name="OutlierThreshold">Similarity below which an image is an outlier in this set; null if no image could be checked.</param>
/// <param name="Suspects">Suspect labels, the worst (own minus nearest similarity) first.</param>
internal sealed record LabelNoise(int Judged, double? MedianSimilarity, double? OutlierThreshold, IReadOnlyList<SuspectLabel> Suspects)
{
    /// <summary>Robust deviations below the median at which an image is an outlier (Iglewicz and Hoaglin, 1993).</summary>
    public const double Deviations = 3.5;

    /// <summary>Checks the labels of a set.</summary>
    /// <param name="dataset">The set.</param>
    /// <param name="embeddings">The L2-normalized embedding of every sample; null if it has none.</param>
    /// <exception cref="UniFaceException">Fewer than two people have embeddings.</exception>
    public static LabelNoise Find(FaceDataset dataset, float[]?[] embeddings)
    {
        int[][] byPerson = [.. dataset.SamplesByPerson().Select(samples => Array.FindAll(samples, i => embeddings[i] is not null))];
        int[] people = [.. Enumerable.Range(0, byPerson.Length).Where(person => byPerson[person].Length > 0)];
        if (people.Length < 2)
        {
            throw new UniFaceException(
                $"{dataset.Source}: {people.Length} people have images of the model's input size; labels are checked by comparing at least two people");
        }

        float[][] sums = new float[byPerson.Length][];
        float[][] means = new float[byPerson.Length][];
        foreach (int person in people)
        {
            sums[person] = new float[embeddings[byPerson[person][0]]!.Length];
            foreach (int i in byPerson[person])
            {
                TensorPrimitives.Add(sums[person], embeddings[i], sums[person]);
            }

            means[person] = Normalize(sums[person]);
        }

        int[] judged = [.. people.Where(person => byPerson[person].Length > 1).SelectMany(person => byPerson[person]).Order()];
        (double Own, double Nearest, int Person)[] scores = new (double, double, int)[judged.Length];
        ParallelLoop.Run(judged.Length, k =>
        {
            float[] embedding = embeddings[judged[k]]!;
            int label = dataset.Samples[judged[k]].Label;
            float[] others = new float[embedding.Length];
            TensorPrimitives.Subtract(sums[label], embedding, others);
            (double nearest, int nearestPerson) = (double.NegativeInfinity, -1);
            foreach (int person in people)
            {
                double similarity = person == label ? double.NegativeInfinity : CosineSimilarity.Dot(embedding, means[person]);
                if (similarity > nearest)
                {
                    (nearest, nearestPerson) = (similarity, person);
                }
            }

            scores[k] = (CosineSimilarity.Dot(embedding, Normalize(others)), nearest, nearestPerson);
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

    private static float[] Normalize(float[] vector)
    {
        float[] normalized = new float[vector.Length];
        TensorPrimitives.Divide(vector, Math.Max(TensorPrimitives.Norm(vector), float.Epsilon), normalized);
        return normalized;
    }
}
