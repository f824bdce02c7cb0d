namespace UniFace.Vision.Decoding;

/// <summary>GIF. Keeps the header, the color table and the first frame with its transparency.</summary>
internal static class GifContainer
{
    private const byte Extension = 0x21, GraphicControl = 0xF9, Frame = 0x2C;

    /// <inheritdoc cref="ImageContainer.Open"/>
    public static ImageContainer Open(ReadOnlyMemory<byte> file, string source)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        int at = bytes.Length < 13 ? throw ImageContainer.Truncated(source) : 13 + ColorBytes(bytes[10]);
        KeptBytes kept = new(file);
        kept.Append(0, Math.Min(at, bytes.Length));
        while (bytes.Length - at >= 10 && bytes[at] is Extension or Frame)
        {
            bool frame = bytes[at] == Frame;
            int end = EndOfBlocks(bytes, at + (frame ? 11 + ColorBytes(bytes[at + 9]) : 2)); // After the frame's position, color table and code size.
            if (end < 0)
            {
                break;
            }

            if (frame || bytes[at + 1] == GraphicControl)
            {
                kept.Append(at, end);
            }

            at = end;
            if (frame)
            {
                (int width, int height) = (BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]));
                return new ImageContainer(kept.Bytes, width, height);
            }
        }

        throw ImageContainer.Truncated(source);
    }

    private static int ColorBytes(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    // The end of a list of data blocks. Each block begins with its length; length 0 ends the list.
    private static int EndOfBlocks(ReadOnlySpan<byte> bytes, int at)
    {
        while (at < bytes.Length)
        {
            int length = bytes[at];
            at += 1 + length;
            if (length == 0)
            {
                return at;
            }
        }

        return -1;
    }
}
