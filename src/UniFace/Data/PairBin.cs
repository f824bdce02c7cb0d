namespace UniFace.Data;

/// <summary>
/// A verification set of InsightFace (lfw.bin, cfp_fp.bin, agedb_30.bin ...): a Python pickle of (pictures, same),
/// pictures 2i and 2i+1 being pair i.
/// </summary>
/// <param name="Images">Encoded pictures (JPEG, PNG), two a pair.</param>
/// <param name="Same">For each pair, whether it is one person.</param>
public sealed record PairBin(IReadOnlyList<ReadOnlyMemory<byte>> Images, IReadOnlyList<bool> Same)
{
    /// <summary>Reads a .bin file; nothing in it is executed.</summary>
    /// <exception cref="UniFaceException">It is no such pickle; says file, offset and what was expected.</exception>
    public static PairBin Read(string path)
    {
        FileSegment file = FileSegment.Open(path, out Microsoft.Win32.SafeHandles.SafeFileHandle handle);
        using (handle)
        {
            return Parse(path, file.ReadAll());
        }
    }

    internal static PairBin Parse(string path, byte[] bytes)
    {
        object root = PickleReader.Read(path, bytes);
        if (root is not IReadOnlyList<object> { Count: 2 } pair || pair[0] is not IReadOnlyList<object> images
            || PickleCalls.Values(pair[1]) is not IReadOnlyList<object> same)
        {
            throw new UniFaceException($"{path} is a pickle of {PickleReader.Describe(root)}, expected (list of pictures, list of bools) as InsightFace's .bin files are.");
        }

        if (same.Count == 0 || images.Count != 2L * same.Count)
        {
            throw new UniFaceException($"{path} holds {images.Count} pictures and {same.Count} answers, expected two pictures an answer.");
        }

        ReadOnlyMemory<byte>[] pictures = new ReadOnlyMemory<byte>[images.Count];
        for (int i = 0; i < pictures.Length; i++)
        {
            pictures[i] = PickleCalls.Bytes(images[i]) is ReadOnlyMemory<byte> picture
                ? picture
                : throw new UniFaceException($"{path}: picture {i} is {PickleReader.Describe(images[i])}, expected bytes.");
        }

        bool[] answers = new bool[same.Count];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = same[i] switch
            {
                bool answer => answer,
                0L => false,
                1L => true,
                object other => throw new UniFaceException($"{path}: answer {i} is {PickleReader.Describe(other)}, expected True or False."),
            };
        }

        return new PairBin(pictures, answers);
    }
}
