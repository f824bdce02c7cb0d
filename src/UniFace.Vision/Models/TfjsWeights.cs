namespace UniFace.Vision.Models;

/// <summary>A tensor of float32.</summary>
/// <param name="Shape">Its dimensions; a convolution's filters are [height, width, inputs, outputs].</param>
/// <param name="Values">Its values, the last dimension fastest.</param>
internal sealed record TfjsTensor(IReadOnlyList<int> Shape, float[] Values);

/// <summary>
/// Reads the weights of a TensorFlow.js model: a JSON manifest with the name, shape and type of each tensor, and a file with their values,
/// one after the other. A tensor is float32, or quantized to uint8: value = min + scale * code.
/// </summary>
internal static partial class TfjsWeights
{
    private const int MaxTensors = 4096;
    private const int MaxRank = 4;

    internal sealed record Group(IReadOnlyList<string?>? Paths, IReadOnlyList<Entry?>? Weights);

    internal sealed record Entry(string? Name, IReadOnlyList<int>? Shape, string? Dtype, Codes? Quantization);

    internal sealed record Codes(string? Dtype, double? Scale, double? Min);

    /// <summary>Reads all tensors of a model with one file of values.</summary>
    /// <param name="manifest">The JSON manifest.</param>
    /// <param name="values">The file of values, little-endian.</param>
    /// <param name="source">The model's name in errors.</param>
    /// <returns>The tensors by name.</returns>
    /// <exception cref="UniFaceException">The manifest is damaged, or does not describe exactly the values.</exception>
    public static IReadOnlyDictionary<string, TfjsTensor> Read(ReadOnlySpan<byte> manifest, ReadOnlySpan<byte> values, string source)
    {
        IReadOnlyList<Entry?> entries = ReadManifest(manifest, source);
        Dictionary<string, TfjsTensor> tensors = new(entries.Count, StringComparer.Ordinal);
        int offset = 0;
        foreach (Entry? entry in entries)
        {
            if (entry is not { Name: { Length: > 0 and <= 256 } name, Dtype: "float32", Shape: { Count: >= 1 and <= MaxRank } shape })
            {
                throw new UniFaceException(
                    $"{source}: tensor {tensors.Count} of the weights manifest is not valid: expected a name, a shape of 1 to " +
                    $"{MaxRank} dimensions and dtype float32.");
            }

            int left = values.Length - offset, size = entry.Quantization is null ? sizeof(float) : 1;
            long count = Count(shape, left / size)
                ?? throw new UniFaceException(
                    $"{source}: tensor {name} of shape {string.Join('x', shape)} does not fit: offset {offset}, {left} bytes of values left.");
            int length = (int)count * size;
            if (!tensors.TryAdd(name, new TfjsTensor([.. shape], Decode(values.Slice(offset, length), entry, source))))
            {
                throw new UniFaceException($"{source}: the weights manifest has two tensors named {name}.");
            }

            offset += length;
        }

        return offset == values.Length
            ? tensors
            : throw new UniFaceException($"{source}: the weights manifest describes {offset} bytes of values, the file has {values.Length}.");
    }

    private static IReadOnlyList<Entry?> ReadManifest(ReadOnlySpan<byte> manifest, string source)
    {
        try
        {
            Group?[]? groups = JsonSerializer.Deserialize(manifest, ManifestJson.Default.GroupArray);
            return groups is [{ Paths.Count: 1, Weights: { Count: > 0 and <= MaxTensors } weights }]
                ? weights
                : throw new UniFaceException(
                    $"{source}: expected a weights manifest with one group of 1 to {MaxTensors} tensors and one file of values.");
        }
        catch (JsonException e)
        {
            throw new UniFaceException($"{source}: not a weights manifest: {e.Message}", e);
        }
    }

    // The number of values; null if a dimension is not positive or there are more than the limit.
    private static long? Count(IReadOnlyList<int> shape, int limit)
    {
        long count = 1;
        foreach (int dimension in shape)
        {
            if (dimension < 1 || (count *= dimension) > limit)
            {
                return null;
            }
        }

        return count;
    }

    private static float[] Decode(ReadOnlySpan<byte> bytes, Entry entry, string source)
    {
        float[] values;
        if (entry.Quantization is not Codes codes)
        {
            // The format is little-endian, as all machines that .NET runs ONNX Runtime on.
            values = MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        }
        else if (codes is { Dtype: "uint8", Scale: double scale, Min: double min })
        {
            values = new float[bytes.Length];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)(min + (scale * bytes[i]));
            }
        }
        else
        {
            throw new UniFaceException($"{source}: the quantization of tensor {entry.Name} is not valid: expected dtype uint8, a scale and a min.");
        }

        int bad = Array.FindIndex(values, value => !float.IsFinite(value));
        return bad < 0 ? values : throw new UniFaceException($"{source}: value {bad} of tensor {entry.Name} is {values[bad]}, expected a finite number.");
    }

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web, MaxDepth = 16, GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(Group[]))]
    internal sealed partial class ManifestJson : JsonSerializerContext;
}
