using TorchSharp;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>The checks of what a head is given.</summary>
internal static class HeadInput
{
    /// <summary>The labels of a batch; the first bad one is named.</summary>
    /// <exception cref="UniFaceException">Not one-dimensional, or a label is out of range.</exception>
    public static long[] Labels(Tensor labels, int classes)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.dim() != 1)
        {
            throw new UniFaceException($"labels are [{string.Join(", ", labels.shape)}]; expected [B], one per embedding.");
        }

        using DisposeScope scope = NewDisposeScope();
        long[] values = labels.to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray();
        int bad = Array.FindIndex(values, v => v < 0 || v >= classes);
        if (bad >= 0)
        {
            throw new UniFaceException(
                $"label {values[bad]} of sample {bad} of the batch is out of range: the head has {classes} classes, 0 to {classes - 1}. Check the data set's labels.");
        }

        return values;
    }

    /// <summary>The shapes of a batch.</summary>
    /// <exception cref="UniFaceException">Something does not fit.</exception>
    public static void Check(Tensor embeddings, Tensor labels, Tensor? weights, int embeddingSize)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        if (embeddings.dim() != 2 || embeddings.shape[1] != embeddingSize || embeddings.shape[0] == 0)
        {
            throw new UniFaceException($"embeddings are [{string.Join(", ", embeddings.shape)}]; the head takes [B, {embeddingSize}] with B at least 1.");
        }

        long batch = embeddings.shape[0];
        if (labels.shape[0] != batch)
        {
            throw new UniFaceException($"labels are [{string.Join(", ", labels.shape)}]; expected one for each of {batch} embeddings.");
        }

        if (weights is not null && (weights.dim() != 1 || weights.shape[0] != batch))
        {
            throw new UniFaceException($"weights are [{string.Join(", ", weights.shape)}]; expected one for each of {batch} embeddings.");
        }
    }
}
