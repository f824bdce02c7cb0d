namespace UniFace.Vision.Decoding;

/// <summary>WebP (RFC 9649). Keeps the image, or the first frame of an animation, with its transparency.</summary>
internal static class WebPContainer
{
    // Lossless: each group of prefix codes needs at least 1,280 table entries in the decoder and 20 bits in the file, and covers 16 pixels or more.
    private const int GroupBytes = 6000, MaxGroups = 1 << 16, GroupBits = 20, GroupPixels = 16;

    /// <inheritdoc cref="ImageContainer.Open"/>
    public static ImageContainer Open(ReadOnlyMemory<byte> file, string source)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        uint size = bytes.Length < 20 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        if (size > bytes.Length - 8)
        {
            throw ImageContainer.Truncated(source);
        }

        int end = 8 + (int)size, orientation = 0;
        Range alpha = default, image = default;
        for (int at = 12; at < end;)
        {
            int next = Next(bytes, at, end, source);
            ReadOnlySpan<byte> type = bytes.Slice(at, 4);
            if (type.SequenceEqual("EXIF"u8) && orientation == 0)
            {
                orientation = ExifOrientation.Read(bytes[(at + 8)..next]);
            }
            else if (type.SequenceEqual("ANMF"u8) && image.Equals(default))
            {
                for (int part = at + 24, behind; part < next && image.Equals(default); part = behind) // After position, time and flags.
                {
                    behind = Next(bytes, part, next, source);
                    Take(bytes, part, behind, ref alpha, ref image);
                }
            }
            else if (image.Equals(default))
            {
                Take(bytes, at, next, ref alpha, ref image);
            }

            at = next;
        }

        ReadOnlySpan<byte> coded = bytes[image];
        if (coded.Length < 18)
        {
            throw ImageContainer.Damaged(source, "a WebP without an image");
        }

        bool lossless = coded[3] == 'L';
        uint packed = BinaryPrimitives.ReadUInt32LittleEndian(lossless ? coded[9..] : coded[14..]);
        int width = (int)(packed & 0x3FFF) + (lossless ? 1 : 0), height = (int)((packed >> (lossless ? 14 : 16)) & 0x3FFF) + (lossless ? 1 : 0);
        long groups = Math.Min(MaxGroups, Math.Min(8L * file.Length / GroupBits, (long)width * height / GroupPixels));
        bool transparent = !alpha.Equals(default);
        bool whole = image.Start.Value == 12 && image.End.Value == bytes.Length;
        long decoder = lossless || transparent ? (4L * width * height) + (groups * GroupBytes) : 0;
        return new ImageContainer(whole ? file : Still(bytes[alpha], coded, width, height), width, height, Math.Max(1, orientation), decoder);
    }

    // The end of a chunk: name, length, data, and one more byte if the length is odd.
    private static int Next(ReadOnlySpan<byte> bytes, int at, int end, string source)
    {
        long next = end - at < 8 ? long.MaxValue : at + 8L + BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]);
        return next > end ? throw ImageContainer.Truncated(source) : (int)Math.Min(end, next + (next & 1));
    }

    private static void Take(ReadOnlySpan<byte> bytes, int at, int next, ref Range alpha, ref Range image)
    {
        ReadOnlySpan<byte> type = bytes.Slice(at, 4);
        if (type.SequenceEqual("VP8 "u8) || type.SequenceEqual("VP8L"u8))
        {
            image = at..next;
        }
        else if (type.SequenceEqual("ALPH"u8))
        {
            alpha = at..next;
        }
    }

    // A file with the image alone. A lossy image with transparency needs the extended header (size, flags) before both.
    private static byte[] Still(ReadOnlySpan<byte> alpha, ReadOnlySpan<byte> image, int width, int height)
    {
        Span<byte> extended = stackalloc byte[alpha.IsEmpty ? 0 : 18];
        if (!alpha.IsEmpty)
        {
            "VP8X\x0A\0\0\0\x10\0\0\0"u8.CopyTo(extended); // 10 bytes; the transparency flag.
            BinaryPrimitives.WriteInt32LittleEndian(extended[12..], (width - 1) | ((height - 1) << 24));
            BinaryPrimitives.WriteUInt16LittleEndian(extended[16..], (ushort)((height - 1) >> 8));
        }

        byte[] still = [.. "RIFF\0\0\0\0WEBP"u8, .. extended, .. alpha, .. image];
        BinaryPrimitives.WriteInt32LittleEndian(still.AsSpan(4), still.Length - 8);
        return still;
    }
}
