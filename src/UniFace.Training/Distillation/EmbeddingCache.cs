namespace UniFace.Training.Distillation;

/// <summary>
/// Embeddings of one model by the SHA-256 of the pixels that it embeds, kept in a file (safetensors with a checksum) that several processes may
/// use: a save merges with what others have written. A damaged file is replaced, because everything in it can be computed again.
/// </summary>
internal sealed class EmbeddingCache(string path, string contractId, int embeddingSize)
{
    private const string Keys = "sha256", Values = "embeddings", Contract = "contract";
    private readonly Dictionary<UInt128, float[]> known = Read(path, contractId, embeddingSize);
    private bool changed;

    /// <summary>The file of a model.</summary>
    /// <param name="folder">The folder; null for "teachers" in the folder of UniFace.</param>
    /// <param name="contractId">The contract of the model.</param>
    public static string PathOf(string? folder, string contractId) =>
        Path.Combine(folder ?? Path.Combine(UniFaceHome.ForNew(), "teachers"), contractId + ".safetensors");

    /// <summary>Embeddings known.</summary>
    public int Count => known.Count;

    /// <summary>The key of an image: the first 128 bits of the SHA-256 of its pixels.</summary>
    public static UInt128 KeyOf(RgbImage image) => BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(image.Pixels));

    /// <summary>The embedding of an image, or null.</summary>
    public float[]? Find(UInt128 key) => known.GetValueOrDefault(key);

    /// <summary>Adds an embedding; written by <see cref="Save"/>.</summary>
    public void Add(UInt128 key, ReadOnlySpan<float> embedding)
    {
        known[key] = embedding.ToArray();
        changed = true;
    }

    /// <summary>Writes all embeddings, together with those that others have written since.</summary>
    public void Save()
    {
        if (!changed)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using FileLock held = FileLock.AcquireFor(path);
        foreach ((UInt128 key, float[] embedding) in Read(path, contractId, embeddingSize))
        {
            known.TryAdd(key, embedding);
        }

        using DisposeScope scope = NewDisposeScope();
        UInt128[] order = [.. known.Keys.Order()];
        byte[] keys = new byte[16 * order.Length];
        float[] values = new float[embeddingSize * order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            BinaryPrimitives.WriteUInt128BigEndian(keys.AsSpan(16 * i), order[i]);
            known[order[i]].CopyTo(values, embeddingSize * i);
        }

        Dictionary<string, Tensor> tensors = new()
        {
            [Keys] = tensor(keys).view(order.Length, 16),
            [Values] = tensor(values).view(order.Length, embeddingSize),
        };
        SafeTensorsWriter.Write(path, tensors, new Dictionary<string, string> { [Contract] = contractId });
        changed = false;
    }

    private static Dictionary<UInt128, float[]> Read(string path, string contractId, int embeddingSize)
    {
        Dictionary<UInt128, float[]> read = [];
        if (!File.Exists(path))
        {
            return read;
        }

        try
        {
            using SafeTensorsFile file = SafeTensorsFile.Open(path);
            using Tensor keys = file.Read(Keys), values = file.Read(Values);
            if (file.HasChecksum && file.Metadata.GetValueOrDefault(Contract) == contractId
                && keys.dtype == ScalarType.Byte && values.dtype == ScalarType.Float32
                && keys.shape is [long count, 16] && values.shape is [long rows, long size] && rows == count && size == embeddingSize)
            {
                byte[] keyBytes = [.. keys.bytes];
                float[] all = OwnedTensors.Floats(values);
                for (int i = 0; i < count; i++)
                {
                    read[BinaryPrimitives.ReadUInt128BigEndian(keyBytes.AsSpan(16 * i))] = all[(i * embeddingSize)..((i + 1) * embeddingSize)];
                }
            }
        }
        catch (UniFaceException)
        {
            // Damaged: computed again and replaced.
        }

        return read;
    }
}
