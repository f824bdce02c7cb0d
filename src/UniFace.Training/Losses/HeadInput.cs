using TorchSharp;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>The checks of what a head is given.</summary>
internal static class HeadInput
{
    /// <summary>Shapes and labels; the first bad label is named. Returns the labels.</summary>
    /// <exception cref="UniFaceException">Something does not fit.</exception>
    public static long[] Check(Tensor embeddings, Tensor labels, Tensor? weights, int classes, int embeddingSize)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(labels);
        if (embeddings.dim() != 2 || embeddings.shape[1] != embeddingSize || embeddings.shape[0] == 0)
        {
            throw new UniFaceException($"embeddings are [{string.Join(", ", embeddings.shape)}]; the head takes [B, {embeddingSize}] with B at least 1.");
        }

        long batch = embeddings.shape[0];
        if (labels.dim() != 1 || labels.shape[0] != batch)
        {
            throw new UniFaceException($"labels are [{string.Join(", ", labels.shape)}]; expected one for each of {batch} embeddings.");
        }

        if (weights is not null && (weights.dim() != 1 || weights.shape[0] != batch))
        {
            throw new UniFaceException($"weights are [{string.Join(", ", weights.shape)}]; expected one for each of {batch} embeddings.");
        }

        using DisposeScope scope = NewDisposeScope();
        long[] values = labels.to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray();
        int bad = Array.FindIndex(values, v => v < 0 || v >= classes);
        if (bad >= 0)
        {
            throw new UniFaceException($"label {values[bad]} of sample {bad} of the batch is out of range: the head has {classes} classes, 0 to {classes - 1}. Check the data set's labels.");
        }

        return values;
    }
}
