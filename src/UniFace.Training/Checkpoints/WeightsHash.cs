namespace UniFace.Training.Checkpoints;

/// <summary>
/// SHA-256 over named tensors: name, type, shape and bytes of each, sorted by name. Two models have the same hash if and only if all their
/// weights are bit-identical.
/// </summary>
internal static class WeightsHash
{
    /// <summary>The hash as lowercase hexadecimal.</summary>
    /// <param name="tensors">The tensors by name.</param>
    public static string Compute(IReadOnlyDictionary<string, Tensor> tensors) => Compute(tensors, _ => false, SingleProcess.Instance);

    /// <summary>The hash of tensors of which each rank has other rows; empty on all ranks but the first.</summary>
    /// <param name="tensors">The tensors by name.</param>
    /// <param name="isSharded">Whether a tensor is the rows of this rank.</param>
    /// <param name="communicator">The ranks.</param>
    public static string Compute(IReadOnlyDictionary<string, Tensor> tensors, Func<string, bool> isSharded, ICommunicator communicator)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Tensor tensor) in tensors.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            long[] shape = tensor.shape;
            bool sharded = communicator.Size > 1 && isSharded(name);
            double[] rows = new double[communicator.Size];
            if (sharded)
            {
                rows[communicator.Rank] = shape[0];
                communicator.AllReduce(rows, Reduction.Sum, Traffic.Other);
                shape[0] = (long)rows.Sum();
            }

            string head = $"{name}\n{SafeTensorsType.Describe(tensor.dtype).Name}\n{string.Join(',', shape)}\n";
            hash.AppendData(Encoding.UTF8.GetBytes(head));
            TensorMemory.ForEachChunk(tensor, bytes => hash.AppendData(bytes));
            if (sharded)
            {
                AppendOthers(hash, tensor, rows, communicator);
            }
        }

        return communicator.Rank > 0 ? "" : Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Adds the rows of the other ranks in their order; those ranks send them.</summary>
    private static void AppendOthers(IncrementalHash hash, Tensor tensor, double[] rows, ICommunicator communicator)
    {
        if (communicator.Rank > 0)
        {
            TensorMemory.ForEachChunk(tensor, bytes => communicator.Send(bytes, 0));
            return;
        }

        for (int rank = 1; rank < communicator.Size; rank++)
        {
            long[] shape = [(long)rows[rank], .. tensor.shape.Skip(1)];
            using Tensor received = empty(shape, dtype: tensor.dtype);
            TensorMemory.ForEachChunk(received, bytes =>
            {
                communicator.Receive(bytes, rank);
                hash.AppendData(bytes);
            });
        }
    }
}
