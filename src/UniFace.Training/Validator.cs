using UniFace.Data;
using UniFace.Embeddings;
using UniFace.Evaluation;
using UniFace.Faces;

namespace UniFace.Training;

/// <summary>
/// Verification on people that are not trained on: every pair among up to <see cref="MaxImages"/> pictures, scored by the
/// cosine of flip-summed embeddings.
/// </summary>
internal sealed class Validator
{
    /// <summary>Most pictures that are paired with each other: two million pairs.</summary>
    public const int MaxImages = 2000;

    private const int Chunk = 256;
    private readonly FaceDataset data;
    private readonly IImageDecoder decoder;
    private readonly int[] samples;
    private readonly RgbImage?[] pictures;

    public Validator(FaceDataset data, IImageDecoder decoder)
    {
        this.data = data;
        this.decoder = decoder;

        // Whole people, in the set's order, until there are enough pictures.
        samples = [.. Enumerable.Range(0, data.Samples.Count).OrderBy(i => data.Samples[i].Label).Take(MaxImages)];
        pictures = new RgbImage?[samples.Length];
        int[] people = [.. samples.GroupBy(i => data.Samples[i].Label).Select(g => g.Count())];
        if (people.Length < 2 || people.Max() < 2)
        {
            throw new UniFaceException($"{data.Source} cannot validate: it needs two people or more, and one of them with two pictures or more.");
        }
    }

    public ValidationMetrics Run(IEmbedder embedder, CancellationToken cancellationToken)
    {
        float[] embeddings = new float[samples.Length * embedder.EmbeddingSize];
        for (int first = 0; first < samples.Length; first += Chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            RgbImage[] faces = [.. Enumerable.Range(first, Math.Min(Chunk, samples.Length - first)).Select(Picture)];
            embedder.Embed(faces).CopyTo(embeddings.AsSpan(first * embedder.EmbeddingSize));
        }

        return Score(embeddings, embedder.EmbeddingSize);
    }

    private ValidationMetrics Score(float[] embeddings, int size)
    {
        int count = samples.Length;
        double[] scores = new double[count * (count - 1) / 2];
        bool[] same = new bool[scores.Length];
        int pair = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> a = embeddings.AsSpan(i * size, size);
            for (int j = i + 1; j < count; j++, pair++)
            {
                scores[pair] = Dot(a, embeddings.AsSpan(j * size, size));
                same[pair] = data.Samples[samples[i]].Label == data.Samples[samples[j]].Label;
            }
        }

        RocCurve roc = RocCurve.FromScores(new VerificationScores(scores, same));
        double rate = Math.Max(1e-2, 1.0 / roc.DifferentPairs);
        double tar = rate < 1 ? roc.At(rate).TrueMatchRate ?? 0 : 0;
        return new ValidationMetrics(tar, roc.Auc, roc.EqualError().Rate, scores.Length);
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        System.Numerics.Vector<float> sum = System.Numerics.Vector<float>.Zero;
        int width = System.Numerics.Vector<float>.Count;
        int i = 0;
        for (; i <= a.Length - width; i += width)
        {
            sum += new System.Numerics.Vector<float>(a[i..]) * new System.Numerics.Vector<float>(b[i..]);
        }

        double total = System.Numerics.Vector.Sum(sum);
        for (; i < a.Length; i++)
        {
            total += a[i] * b[i];
        }

        return total;
    }

    private RgbImage Picture(int position)
    {
        int sample = samples[position];
        return pictures[position] ??= decoder.Decode(data.Read(sample), $"{data.Source}: {data.Samples[sample].Name}");
    }
}
