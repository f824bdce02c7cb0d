namespace UniFace.Data;

/// <summary>One hash over names, labels and contents, which identifies a data set.</summary>
internal static class DatasetHash
{
    private const int BlockSamples = 1 << 20;

    /// <summary>
    /// SHA-256 over the people's names, and the name, label and SHA-256 of the bytes of every sample in order. The same set as a folder and
    /// as a tar has the same hash. Contents are hashed in parallel.
    /// </summary>
    /// <param name="dataset">The set; all of it is read.</param>
    /// <param name="visit">Called with each sample's index and bytes, from several threads, so that the set is read once.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>64 hexadecimal digits in lower case.</returns>
    public static string ComputeHash(this FaceDataset dataset, Action<int, byte[]>? visit = null, CancellationToken cancellationToken = default)
    {
        // Block by block, so that the memory does not grow with the set.
        int first = 0;
        byte[] contents = new byte[Math.Min(dataset.Samples.Count, BlockSamples) * SHA256.HashSizeInBytes];
        return Combine(dataset, i =>
        {
            if (i % BlockSamples == 0)
            {
                first = i;
                ParallelLoop.Run(Math.Min(BlockSamples, dataset.Samples.Count - first), Read, cancellationToken: cancellationToken);
            }

            return Slot(i - first);
        });

        Memory<byte> Slot(int i) => contents.AsMemory(i * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);

        void Read(int i)
        {
            byte[] encoded = dataset.Read(first + i);
            SHA256.HashData(encoded, Slot(i).Span);
            visit?.Invoke(first + i, encoded);
        }
    }

    /// <summary>The hash, given the SHA-256 of each sample's contents.</summary>
    /// <param name="dataset">The set.</param>
    /// <param name="contentOf">SHA-256 of a sample's contents; called once for each sample, in order.</param>
    internal static string Combine(FaceDataset dataset, Func<int, ReadOnlyMemory<byte>> contentOf)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "uniface-dataset-1");
        Append(hash, dataset.People.Count);
        foreach (string person in dataset.People)
        {
            Append(hash, person);
        }

        Append(hash, dataset.Samples.Count);
        for (int i = 0; i < dataset.Samples.Count; i++)
        {
            FaceSample sample = dataset.Samples[i];
            Append(hash, sample.Name);
            Append(hash, sample.Label);
            hash.AppendData(contentOf(i).Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// SHA-256 over the people's names, and the name, label and size of every sample in order; no image is read. The same set as a folder and as a tar has
    /// the same digest.
    /// </summary>
    internal static byte[] ComputeIndexDigest(this FaceDataset dataset)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "uniface-index-1");
        Append(hash, dataset.People.Count);
        foreach (string person in dataset.People)
        {
            Append(hash, person);
        }

        Append(hash, dataset.Samples.Count);
        for (int i = 0; i < dataset.Samples.Count; i++)
        {
            FaceSample sample = dataset.Samples[i];
            Append(hash, sample.Name);
            Append(hash, sample.Label);
            Append(hash, checked((int)dataset.SizeOf(i)));
        }

        return hash.GetHashAndReset();
    }

    private static void Append(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Append(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
