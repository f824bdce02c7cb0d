namespace UniFace.Training.Checkpoints;

/// <summary>
/// SHA-256 over named tensors: name, type, shape and bytes of each, sorted by name. Two models have the same hash if and only if all their
/// weights are bit-identical.
/// </summary>
internal static class WeightsHash
{
    /// <summary>The hash as lowercase hexadecimal.</summary>
    public static string Compute(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Tensor tensor) in tensors.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            string head = $"{name}\n{SafeTensorsType.Describe(tensor.dtype).Name}\n{string.Join(',', tensor.shape)}\n";
            hash.AppendData(Encoding.UTF8.GetBytes(head));
            TensorMemory.ForEachChunk(tensor, bytes => hash.AppendData(bytes));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
