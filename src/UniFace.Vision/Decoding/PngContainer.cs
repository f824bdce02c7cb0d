namespace UniFace.Vision.Decoding;

/// <summary>
/// PNG (ISO/IEC 15948). Keeps only the chunks of the pixels. Text and profiles, which can unpack to a thousand times their size, and the frames of
/// an APNG never reach the decoder.
/// </summary>
internal static class PngContainer
{
    private const int SignatureBytes = 8;

    /// <inheritdoc cref="ImageContainer.Open"/>
    public static ImageContainer Open(ReadOnlyMemory<byte> file, string source)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        KeptBytes kept = new(file);
        kept.Append(0, SignatureBytes);
        int width = 0, height = 0, orientation = 0, profile = 1;
        long interlaced = 0;
        for (int at = SignatureBytes; ;)
        {
            if (bytes.Length - at < 12 || BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]) > bytes.Length - at - 12)
            {
                throw ImageContainer.Truncated(source);
            }

            ReadOnlySpan<byte> type = bytes.Slice(at + 4, 4), data = bytes.Slice(at + 8, BinaryPrimitives.ReadInt32BigEndian(bytes[at..]));
            int end = at + 12 + data.Length;
            bool header = type.SequenceEqual("IHDR"u8), last = type.SequenceEqual("IEND"u8);
            if (header != (at == SignatureBytes) || (header && data.Length != 13))
            {
                throw ImageContainer.Damaged(source, "a PNG begins with one IHDR chunk of 13 bytes");
            }

            if (header)
            {
                (width, height) = (BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data[4..]));
                int channels = data[9] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
                interlaced = data[12] == 0 ? 0 : (long)width * height * Math.Max(1, data[8] * channels / 8);
            }
            else if (type.SequenceEqual("eXIf"u8) && orientation == 0)
            {
                orientation = ExifOrientation.Read(data);
            }
            else if (type.SequenceEqual("zTXt"u8) && profile == 1)
            {
                profile = ExifOrientation.ReadRawProfile(data);
            }

            if (header || last || type.SequenceEqual("IDAT"u8) || type.SequenceEqual("PLTE"u8) || type.SequenceEqual("tRNS"u8))
            {
                kept.Append(at, end);
            }

            at = end;
            if (last)
            {
                return new ImageContainer(kept.Bytes, width, height, orientation == 0 ? profile : orientation, interlaced);
            }
        }
    }
}
