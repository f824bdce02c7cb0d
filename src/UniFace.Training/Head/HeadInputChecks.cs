namespace UniFace.Training.Head;

/// <summary>Checks of the input of a head.</summary>
internal static class HeadInputChecks
{
    /// <summary>Reads the labels of a batch; an error names the first bad one.</summary>
    /// <exception cref="UniFaceException">Not one-dimensional, or a label is out of range.</exception>
    public static long[] ReadLabels(Tensor labels, int classes)
    {
        if (labels.dim() != 1)
        {
            throw new UniFaceException($"labels are {Shape(labels)}; expected [B], one per embedding.");
        }

        using DisposeScope scope = NewDisposeScope();
        long[] values = labels.to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray();
        int bad = Array.FindIndex(values, v => v < 0 || v >= classes);
        return bad < 0 ? values : throw new UniFaceException(
            $"label {values[bad]} of sample {bad} of the batch is out of range: the head has {classes} classes, 0 to {classes - 1}. "
            + "Check the labels of the data set.");
    }

    /// <summary>Checks the shapes of a batch.</summary>
    /// <param name="embeddings">The embeddings.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="weights">The weights, or null.</param>
    /// <param name="embeddingSize">D.</param>
    /// <param name="ownSamples">Number of the samples that this process has of the batch; null if it has all.</param>
    /// <exception cref="UniFaceException">A shape does not fit.</exception>
    public static void CheckShapes(Tensor embeddings, Tensor labels, Tensor? weights, int embeddingSize, int? ownSamples = null)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        if (embeddings.dim() != 2 || embeddings.shape[1] != embeddingSize || embeddings.shape[0] == 0)
        {
            throw new UniFaceException($"embeddings are {Shape(embeddings)}; the head takes [B, {embeddingSize}] with B at least 1.");
        }

        if (ownSamples is int own && embeddings.shape[0] != own)
        {
            throw new UniFaceException($"embeddings are {Shape(embeddings)}; this process has {own} of the {labels.shape[0]} samples of the batch.");
        }

        long samples = ownSamples is null ? embeddings.shape[0] : labels.shape[0];
        foreach ((string name, Tensor? values) in new[] { ("labels", labels), ("weights", weights) })
        {
            if (values is not null && (values.dim() != 1 || values.shape[0] != samples))
            {
                throw new UniFaceException($"{name} are {Shape(values)}; expected one for each of {samples} embeddings.");
            }
        }
    }

    private static string Shape(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";
}
