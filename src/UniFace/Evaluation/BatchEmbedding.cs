using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.IO;

namespace UniFace.Evaluation;

/// <summary>Embeddings of many pictures, some of which may have shown no face.</summary>
/// <param name="Values">[N, D], row after row; zeros where no face was found.</param>
/// <param name="Dimension">D.</param>
/// <param name="Found">[N], false where no face was found.</param>
public sealed record EmbeddedFaces(float[] Values, int Dimension, bool[] Found)
{
    /// <summary>Number of pictures.</summary>
    public int Count => Found.Length;

    /// <summary>Cosine of two pictures' embeddings; both must be found.</summary>
    public double Cosine(int first, int second) =>
        PairScores.Dot(Values.AsSpan(first * Dimension, Dimension), Values.AsSpan(second * Dimension, Dimension));

    /// <summary>The pictures that were found, with their labels.</summary>
    /// <param name="labels">[N], the person of each picture.</param>
    public (EmbeddedFaces Faces, int[] Labels) WithoutMissing(IReadOnlyList<int> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        int[] found = [.. Enumerable.Range(0, Count).Where(i => Found[i])];
        float[] values = new float[found.Length * Dimension];
        for (int row = 0; row < found.Length; row++)
        {
            Values.AsSpan(found[row] * Dimension, Dimension).CopyTo(values.AsSpan(row * Dimension));
        }

        bool[] all = new bool[found.Length];
        Array.Fill(all, true);
        return (new EmbeddedFaces(values, Dimension, all), [.. found.Select(i => labels[i])]);
    }
}

/// <summary>Embeds many pictures, each once: the next batch is decoded and aligned in parallel while the model works on this one.</summary>
public static class BatchEmbedding
{
    /// <summary>Embeds pictures.</summary>
    /// <param name="embedder">The model.</param>
    /// <param name="count">Number of pictures.</param>
    /// <param name="load">The aligned face of a picture, or null where it shows none; called from several threads at once.</param>
    /// <param name="batchSize">Pictures in a batch.</param>
    /// <param name="progress">Told how many pictures were done since it was last told.</param>
    /// <param name="cancellation">Stops it between batches.</param>
    public static EmbeddedFaces Embed(IEmbedder embedder, int count, Func<int, RgbImage?> load, int batchSize = 64, Action<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        ArgumentNullException.ThrowIfNull(load);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        int dimension = embedder.EmbeddingSize;
        float[] values = new float[checked(count * dimension)];
        bool[] found = new bool[count];
        int start = 0;
        foreach (RgbImage?[] batch in ReadAhead.Of((count + batchSize - 1) / batchSize, LoadBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            RgbImage[] faces = [.. batch.OfType<RgbImage>()];
            float[] embedded = faces.Length == 0 ? [] : embedder.Embed(faces); // [faces, D]
            int row = 0;
            for (int i = 0; i < batch.Length; i++)
            {
                if (batch[i] is not null)
                {
                    embedded.AsSpan(row++ * dimension, dimension).CopyTo(values.AsSpan((start + i) * dimension));
                    found[start + i] = true;
                }
            }

            start += batch.Length;
            progress?.Invoke(batch.Length);
        }

        return new EmbeddedFaces(values, dimension, found);

        RgbImage?[] LoadBatch(int piece, CancellationToken left)
        {
            int first = piece * batchSize;
            RgbImage?[] batch = new RgbImage?[Math.Min(count - first, batchSize)];
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, left);
            try
            {
                ParallelOptions options = new() { CancellationToken = either.Token, MaxDegreeOfParallelism = Environment.ProcessorCount };
                Parallel.For(0, batch.Length, options, i => batch[i] = load(first + i));
            }
            catch (AggregateException e) when (e.InnerExceptions.FirstOrDefault(x => x is UniFaceException or OperationCanceledException) is Exception word)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(word);
            }

            return batch;
        }
    }
}
