namespace UniFace.Vision.Decoding;

/// <summary>
/// JPEG (ITU T.81). Keeps tables, frame and scans, and the two application segments that define the color coding (JFIF, Adobe). Drops EXIF, XMP,
/// color profiles, comments, previews, and in an MPO all images after the first.
/// </summary>
internal static class JpegContainer
{
    /// <inheritdoc cref="ImageContainer.Open"/>
    public static ImageContainer Open(ReadOnlyMemory<byte> file, string source)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        KeptBytes kept = new(file);
        kept.Append(0, 2);
        ImageContainer container = new() { Scans = 0 };
        int orientation = 0, components = 0;
        long coefficients = 0;
        bool buffered = false;
        for (int at = 2; ;)
        {
            int skip = bytes[at..].IndexOf((byte)0xFF);
            at = skip < 0 ? bytes.Length : at + skip + 1;
            if (at >= bytes.Length)
            {
                throw ImageContainer.Truncated(source);
            }

            byte marker = bytes[at];
            if (marker is 0 or 0x01 or 0xFF or (>= 0xD0 and <= 0xD8))
            {
                continue; // Padding, or markers that are not segments.
            }

            at++;
            if (marker == 0xD9)
            {
                kept.Append(at - 2, at);
                return container with { Bytes = kept.Bytes, Orientation = Math.Max(1, orientation), DecoderBytes = buffered ? coefficients : 0 };
            }

            int length = bytes.Length - at < 2 ? int.MaxValue : BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            if (length > bytes.Length - at)
            {
                throw ImageContainer.Truncated(source);
            }

            ReadOnlySpan<byte> data = length < 2 ? throw ImageContainer.Damaged(source, $"a JPEG segment of {length} bytes") : bytes[(at + 2)..(at + length)];
            int from = at - 2;
            at += length;
            bool keep = marker is 0xC4 or 0xCC or 0xDB or 0xDD;
            if (marker is >= 0xC0 and <= 0xCF && !keep && marker != 0xC8)
            {
                (container, components, coefficients) = components == 0 ? Frame(data, source) : throw ImageContainer.Damaged(source, "a JPEG with two frames");
                buffered = (marker & 3) == 2; // Progressive.
                keep = true;
            }
            else if (marker == 0xDA)
            {
                buffered |= data.Length > 0 && data[0] < components;
                container = container with { Scans = container.Scans + 1 };
                at = EndOfScan(bytes, at);
                keep = true;
            }
            else if (marker == 0xE1 && orientation == 0 && data.StartsWith("Exif\0\0"u8))
            {
                orientation = ExifOrientation.Read(data);
            }

            if (keep || (marker == 0xE0 && data.StartsWith("JFIF\0"u8)) || (marker == 0xEE && data.StartsWith("Adobe"u8)))
            {
                kept.Append(from, at);
            }
        }
    }

    // The size, the number of components, and the memory of their coefficients (two bytes each) if the decoder has to buffer the whole image.
    private static (ImageContainer Container, int Components, long Coefficients) Frame(ReadOnlySpan<byte> data, string source)
    {
        int components = data.Length < 6 ? 0 : data[5];
        if (components is < 1 or > 4 || data.Length < 6 + (3 * components))
        {
            throw ImageContainer.Damaged(source, "a JPEG frame with no or too many components");
        }

        int height = BinaryPrimitives.ReadUInt16BigEndian(data[1..]), width = BinaryPrimitives.ReadUInt16BigEndian(data[3..]);
        int across = 1, down = 1, blocks = 0;
        for (int i = 0; i < components; i++)
        {
            (int h, int v) = (data[7 + (3 * i)] >> 4, data[7 + (3 * i)] & 15);
            (across, down, blocks) = (Math.Max(across, h), Math.Max(down, v), blocks + (h * v));
        }

        long units = (long)(((width - 1) / (8 * across)) + 1) * (((height - 1) / (8 * down)) + 1);
        return (new ImageContainer(default, width, height, Scans: 0), components, units * blocks * 64 * sizeof(short));
    }

    // The end of the coded data, in which 0xFF is followed by 0 or by a restart number.
    private static int EndOfScan(ReadOnlySpan<byte> bytes, int at)
    {
        while (true)
        {
            int skip = bytes[at..].IndexOf((byte)0xFF);
            if (skip < 0 || at + skip + 1 >= bytes.Length)
            {
                return bytes.Length;
            }

            at += skip;
            if (bytes[at + 1] is not (0 or (>= 0xD0 and <= 0xD7)))
            {
                return at;
            }

            at += 2;
        }
    }
}
