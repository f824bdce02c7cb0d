namespace UniFace.Data;

/// <summary>One hash over names, labels and contents, which identifies a data set.</summary>
internal static class DatasetHash
{
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
        byte[] contents = new byte[(long)dataset.Samples.Count * SHA256.HashSizeInBytes];
        ParallelLoop.Run(
            dataset.Samples.Count,
            i =>
            {
                byte[] encoded = dataset.Read(i);
                SHA256.HashData(encoded, contents.AsSpan(i * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes));
                visit?.Invoke(i, encoded);
            },
            cancellationToken: cancellationToken);
        return Combine(dataset, contents);
    }

    /// <summary>The hash, given the concatenated SHA-256 of all contents.</summary>
    internal static string Combine(FaceDataset dataset, byte[] contents)
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
            Append(hash, dataset.Samples[i].Name);
            Append(hash, dataset.Samples[i].Label);
            hash.AppendData(contents, i * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
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
