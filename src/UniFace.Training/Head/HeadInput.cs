namespace UniFace.Training.Head;

/// <summary>Checks of the input of a head.</summary>
internal static class HeadInput
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
    /// <exception cref="UniFaceException">A shape does not fit.</exception>
    public static void CheckShapes(Tensor embeddings, Tensor labels, Tensor? weights, int embeddingSize)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        if (embeddings.dim() != 2 || embeddings.shape[1] != embeddingSize || embeddings.shape[0] == 0)
        {
            throw new UniFaceException($"embeddings are {Shape(embeddings)}; the head takes [B, {embeddingSize}] with B at least 1.");
        }

        foreach ((string name, Tensor? values) in new[] { ("labels", labels), ("weights", weights) })
        {
            if (values is not null && (values.dim() != 1 || values.shape[0] != embeddings.shape[0]))
            {
                throw new UniFaceException($"{name} are {Shape(values)}; expected one for each of {embeddings.shape[0]} embeddings.");
            }
        }
    }

    private static string Shape(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";
}
