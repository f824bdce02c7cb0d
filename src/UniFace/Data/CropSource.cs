namespace UniFace.Data;

/// <summary>
/// The mark in a crop that identifies its photo: the SHA-256 of the photo's bytes, in a comment segment (JPEG) or a text chunk (PNG), which
/// decoders skip. Unlike a separate list, it stays with the crop in another folder, a tar or a RecordIO set.
/// </summary>
internal static class CropSource
{
    private const int HexDigits = 64;
    private const int PngHeaderBytes = 33; // signature and IHDR, which must stay first

    private static readonly byte[] JpegMark = [0xFF, 0xFE, 0, 2 + 15 + HexDigits, .. "uniface-source\0"u8];
    private static readonly byte[] PngMark = [0, 0, 0, 15 + HexDigits, .. "tEXtuniface-source\0"u8];

    /// <summary>The crop with the mark; a file that is neither JPEG nor PNG is returned unchanged.</summary>
    /// <param name="crop">An encoded image.</param>
    /// <param name="sourceSha256">SHA-256 of the photo's bytes, 64 hexadecimal digits.</param>
    public static byte[] Write(byte[] crop, string sourceSha256)
    {
        (byte[] mark, int at) = Locate(crop);
        if (mark.Length == 0)
        {
            return crop;
        }

        byte[] text = [.. mark, .. Encoding.ASCII.GetBytes(sourceSha256)];
        byte[] checksum = mark == PngMark ? Crc32(text.AsSpan(4)) : [];
        return [.. crop.AsSpan(0, at), .. text, .. checksum, .. crop.AsSpan(at)];
    }

    /// <summary>SHA-256 of the photo that a crop was made from, 64 hexadecimal digits; null without a mark.</summary>
    /// <param name="encoded">An encoded image, untrusted.</param>
    public static string? Read(ReadOnlySpan<byte> encoded)
    {
        (byte[] mark, int at) = Locate(encoded);
        if (mark.Length == 0 || encoded.Length < at + mark.Length + HexDigits || !encoded[at..].StartsWith(mark))
        {
            return null;
        }

        string text = Encoding.ASCII.GetString(encoded.Slice(at + mark.Length, HexDigits));
        return text.All(char.IsAsciiHexDigit) ? text : null;
    }

    /// <summary>The start of the mark and its offset: after the JFIF header of a JPEG, after IHDR of a PNG.</summary>
    private static (byte[] Mark, int At) Locate(ReadOnlySpan<byte> encoded)
    {
        if (encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8]))
        {
            int at = encoded.Length > 6 && encoded[2] == 0xFF && encoded[3] == 0xE0 ? 4 + BinaryPrimitives.ReadUInt16BigEndian(encoded[4..]) : 2;
            return at <= encoded.Length ? (JpegMark, at) : ([], 0);
        }

        return encoded.Length >= PngHeaderBytes && encoded.StartsWith((ReadOnlySpan<byte>)[0x89, .. "PNG"u8]) ? (PngMark, PngHeaderBytes) : ([], 0);
    }

    /// <summary>The checksum of a PNG chunk (ISO 3309), as it is stored.</summary>
    private static byte[] Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) == 0 ? 0 : 0xEDB88320);
            }
        }

        byte[] stored = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(stored, ~crc);
        return stored;
    }
}
