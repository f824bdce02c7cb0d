using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace UniFace.Vision.Decoding;

/// <summary>Which side of a stored picture is up (EXIF tag 0x0112): 1 as stored, 2 to 8 mirrored or turned.</summary>
internal static class ExifOrientation
{
    // The directory of the picture comes first in EXIF; what comes later is previews and notes.
    private const int MostProfileBytes = 8192;

    /// <summary>The orientation of EXIF data (a TIFF header, with "Exif" and two zeros before it or not); 1 where it says none that is valid.</summary>
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
                return Number(exif[2..]) == 3 && Number(exif[8..]) is int value and >= 1 and <= 8 ? value : 1; // type 3: two bytes
            }
        }

        return 1;

        int Number(ReadOnlySpan<byte> at) => little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
    }

    /// <summary>The orientation of EXIF data as ImageMagick wrote it into PNG before that had a chunk for it: compressed text, hexadecimal.</summary>
    /// <param name="chunk">A zTXt chunk's data.</param>
    public static int ReadRawProfile(ReadOnlySpan<byte> chunk)
    {
        ReadOnlySpan<byte> keyword = "Raw profile type exif\0\0"u8, app1 = "Raw profile type APP1\0\0"u8;
        if (!chunk.StartsWith(keyword) && !chunk.StartsWith(app1))
        {
            return 1;
        }

        byte[] text = new byte[MostProfileBytes];
        int length;
        try
        {
            using MemoryStream packed = new(chunk[keyword.Length..Math.Min(chunk.Length, keyword.Length + MostProfileBytes)].ToArray());
            using ZLibStream unpacked = new(packed, CompressionMode.Decompress);
            length = unpacked.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or IOException) // IOException: zlib's own, for a dictionary that is asked for
        {
            return 1;
        }

        // A line with the profile's name, one with its length, then lines of hexadecimal digits.
        string[] lines = Encoding.Latin1.GetString(text, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string digits = string.Concat(lines.Skip(2).Select(line => line.Trim()));
        digits = digits[..(digits.Length & ~1)];
        return digits.All(char.IsAsciiHexDigit) ? Read(Convert.FromHexString(digits)) : 1;
    }
}
