using System.IO.Compression;

namespace UniFace.Vision.Decoding;

/// <summary>Reads the EXIF orientation (tag 0x0112): 1 is upright, 2 to 8 are mirrored or rotated.</summary>
internal static class ExifOrientation
{
    // The directory of the image comes first; previews and notes follow.
    private const int MaxProfileBytes = 8192;

    /// <summary>The orientation in EXIF data (a TIFF header, with or without "Exif\0\0" before it); 1 if it has no valid one.</summary>
    public static int Read(ReadOnlySpan<byte> exif)
    {
        exif = exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif;
        bool little = exif.StartsWith("II*\0"u8);
        if (exif.Length < 8 || (!little && !exif.StartsWith("MM\0*"u8)))
        {
            return 1;
        }

        uint directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadUInt32BigEndian(exif[4..]);
        if (directory > exif.Length - 2)
        {
            return 1;
        }

        exif = exif[(int)directory..];
        int entries = Number(exif);
        exif = exif[2..];
        for (int i = 0; i < entries && exif.Length >= 12; i++, exif = exif[12..])
        {
            if (Number(exif) == 0x0112)
            {
                return Number(exif[2..]) == 3 && Number(exif[8..]) is int value and >= 1 and <= 8 ? value : 1; // Type 3: two bytes.
            }
        }

        return 1;

        int Number(ReadOnlySpan<byte> at) => little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
    }

    /// <summary>The orientation in EXIF data as ImageMagick wrote it before PNG had a chunk for it: hexadecimal digits in compressed text.</summary>
    /// <param name="chunk">The data of a zTXt chunk.</param>
    public static int ReadRawProfile(ReadOnlySpan<byte> chunk)
    {
        ReadOnlySpan<byte> keyword = "Raw profile type exif\0\0"u8, app1 = "Raw profile type APP1\0\0"u8;
        if (!chunk.StartsWith(keyword) && !chunk.StartsWith(app1))
        {
            return 1;
        }

        byte[] text = new byte[MaxProfileBytes];
        int length;
        try
        {
            using MemoryStream packed = new(chunk[keyword.Length..Math.Min(chunk.Length, keyword.Length + MaxProfileBytes)].ToArray());
            using ZLibStream unpacked = new(packed, CompressionMode.Decompress);
            length = unpacked.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or IOException) // IOException: zlib asks for a dictionary.
        {
            return 1;
        }

        // The first line is the profile's name, the second its length; hexadecimal digits follow.
        string[] lines = Encoding.Latin1.GetString(text, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string digits = string.Concat(lines.Skip(2).Select(line => line.Trim()));
        digits = digits[..(digits.Length & ~1)];
        return digits.All(char.IsAsciiHexDigit) ? Read(Convert.FromHexString(digits)) : 1;
    }
}
