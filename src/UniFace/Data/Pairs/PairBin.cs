using UniFace.Data.Pickle;

namespace UniFace.Data.Pairs;

/// <summary>
/// A verification set of InsightFace (lfw.bin, cfp_fp.bin, agedb_30.bin ...): a Python pickle of (images, same). Images 2i and 2i+1 are
/// pair i.
/// </summary>
/// <param name="Images">Encoded images (JPEG, PNG), two per pair.</param>
/// <param name="Same">For each pair, whether both images show one person.</param>
internal sealed record PairBin(IReadOnlyList<ReadOnlyMemory<byte>> Images, IReadOnlyList<bool> Same)
{
    /// <summary>Reads a .bin file; nothing in it is executed.</summary>
    /// <exception cref="UniFaceException">It is not such a pickle; the message gives file, offset and what was expected.</exception>
    public static PairBin Read(string path) => Parse(path, FileSegment.ReadAll(path));

    internal static PairBin Parse(string path, byte[] bytes)
    {
        object root = PickleReader.Read(path, bytes);
        if (root is not IReadOnlyList<object> { Count: 2 } pair || pair[0] is not IReadOnlyList<object> images
            || PickleCalls.Values(pair[1]) is not IReadOnlyList<object> same)
        {
            throw new UniFaceException(
                $"{path} is a pickle of {PickleReader.Describe(root)}, expected (list of images, list of bools) as InsightFace's .bin files are");
        }

        if (same.Count == 0 || images.Count != 2L * same.Count)
        {
            throw new UniFaceException($"{path} holds {images.Count} images and {same.Count} answers, expected two images per answer");
        }

        return new PairBin(
            [.. images.Select((image, i) => PickleCalls.Bytes(image)
                ?? throw new UniFaceException($"{path}: image {i} is {PickleReader.Describe(image)}, expected bytes"))],
            [.. same.Select((answer, i) => answer switch
            {
                bool value => value,
                0L => false,
                1L => true,
                _ => throw new UniFaceException($"{path}: answer {i} is {PickleReader.Describe(answer)}, expected True or False"),
            })]);
    }
}
