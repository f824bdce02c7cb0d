using System.Buffers.Binary;
using UniFace.Data;
using UniFace.Faces;

namespace UniFace.Training.Tests.Data;

/// <summary>A data set in memory whose "encoded" images are two int32 sizes and raw pixels; counts what is read.</summary>
internal sealed class MemoryDataset : FaceDataset
{
    private readonly int width;
    private readonly int height;

    public int Reads;

    public MemoryDataset(int[] counts, int width = 8, int height = 6)
    {
        this.width = width;
        this.height = height;
        Source = "memory";
        People = [.. counts.Select((_, i) => $"p{i}")];
        Samples = [.. counts.SelectMany((count, person) => Enumerable.Range(0, count).Select(i => new FaceSample($"p{person}/{i}.raw", person)))];
    }

    /// <summary>Samples that cannot be decoded.</summary>
    public HashSet<int> Broken { get; } = [];

    public override byte[] Read(int index)
    {
        Interlocked.Increment(ref Reads);
        return Broken.Contains(index) ? [1, 2, 3] : Encode(Image(index, width, height));
    }

    /// <summary>Random pixels that depend on the index alone.</summary>
    public static RgbImage Image(int index, int width, int height)
    {
        RgbImage image = new(width, height);
        new Random(index).NextBytes(image.Pixels);
        return image;
    }

    public static byte[] Encode(RgbImage image)
    {
        byte[] bytes = new byte[8 + image.Pixels.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), image.Height);
        image.Pixels.CopyTo(bytes, 8);
        return bytes;
    }
}

internal sealed class RawDecoder : IImageDecoder
{
    public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source)
    {
        if (encoded.Length < 8)
        {
            throw new UniFaceException($"{source} is not an image.");
        }

        ReadOnlySpan<byte> span = encoded.Span;
        return new RgbImage(BinaryPrimitives.ReadInt32LittleEndian(span), BinaryPrimitives.ReadInt32LittleEndian(span[4..]), span[8..].ToArray());
    }
}
