namespace UniFace.Data.Identity;

/// <summary>
/// What identifies a data set at once: its people, and the names, labels and sizes of its samples, which its index knows, and the contents of a few samples.
/// It is the same for a folder and a tar of it. Contents of all samples are hashed as training reads them (<see cref="ContentHashes"/>).
/// </summary>
internal static class DatasetFingerprint
{
    /// <summary>Samples that are read, spread evenly, so that another set with the same names and sizes is noticed.</summary>
    public const int SampledContents = 64;

    /// <summary>The fingerprint: 64 hexadecimal digits in lower case.</summary>
    /// <exception cref="UniFaceException">An image cannot be read.</exception>
    public static string Compute(FaceDataset dataset)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("uniface-fingerprint-1"u8);
        hash.AppendData(dataset.IndexDigest ?? dataset.ComputeIndexDigest());
        int sampled = Math.Min(SampledContents, dataset.Samples.Count);
        for (int i = 0; i < sampled; i++)
        {
            hash.AppendData(SHA256.HashData(dataset.Read((int)((long)i * dataset.Samples.Count / sampled))));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
