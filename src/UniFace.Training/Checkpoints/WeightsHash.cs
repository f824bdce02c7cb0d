using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// One SHA-256 over named tensors: name, type, shape and bytes of each, sorted by name. Two models have the same hash
/// if and only if every weight is the same to the last bit.
/// </summary>
public static class WeightsHash
{
    /// <summary>The hash as lower-case hexadecimal.</summary>
    public static string Of(IReadOnlyDictionary<string, Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Tensor tensor) in tensors.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            string head = $"{name}\n{SafeTensorsType.Of(tensor.dtype).Name}\n{string.Join(',', tensor.shape)}\n";
            hash.AppendData(Encoding.UTF8.GetBytes(head));
            SafeTensorsWriter.ForEachChunk(tensor, hash.AppendData);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
