namespace UniFace.Vision.Decoding;

/// <summary>Windows bitmap. It has no metadata; the header is checked against the length of the file.</summary>
internal static class BmpContainer
{
    /// <inheritdoc cref="ImageContainer.Open"/>
    public static ImageContainer Open(ReadOnlyMemory<byte> file, string source)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        int header = bytes[14];
        if (bytes.Length < 14 + header)
        {
            throw ImageContainer.Truncated(source);
        }

        bool old = header == 12;
        long width = old ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]) : BinaryPrimitives.ReadInt32LittleEndian(bytes[18..]);
        long height = old ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[20..]) : Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(bytes[22..]));
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(old ? 24 : 28)..]);
        uint compression = old ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(bytes[30..]); // 0 none, 1 and 2 run lengths, 3 and 6 bit fields
        if (compression is not (0 or 1 or 2 or 3 or 6) || bits is not (1 or 2 or 4 or 8 or 16 or 24 or 32) || width > int.MaxValue || height > int.MaxValue)
        {
            throw ImageContainer.Damaged(source, $"a BMP of {bits} bits per pixel and compression {compression}");
        }

        return compression is not (1 or 2) && ((width * bits) + 31) / 32 * 4 * height > bytes.Length
            ? throw ImageContainer.Truncated(source)
            : new ImageContainer(file, (int)width, (int)height);
    }
}
