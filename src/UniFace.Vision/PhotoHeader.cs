using System.Buffers.Binary;

namespace UniFace.Vision;

/// <summary>
/// What a photo's file says of the work of decoding it, read without decoding: costs a pass over a JPEG's bytes, and a few bytes of other formats.
/// </summary>
/// <param name="Width">Stored width in pixels.</param>
/// <param name="Height">Stored height in pixels.</param>
/// <param name="Scans">Passes over the picture: a progressive JPEG has many, all else one.</param>
public readonly record struct PhotoHeader(int Width, int Height, int Scans)
{
    private const byte Marker = 0xFF, StartOfImage = 0xD8, EndOfImage = 0xD9, StartOfScan = 0xDA;

    /// <summary>Pixels times scans: the time of decoding grows with it.</summary>
    public long Work => (long)Width * Height * Scans;

    /// <summary>Reads the header of a JPEG, PNG, WebP, GIF or BMP.</summary>
    /// <returns>Null for another format, or where the header is damaged.</returns>
    public static PhotoHeader? Read(ReadOnlySpan<byte> photo)
    {
        PhotoHeader? header = photo is [Marker, StartOfImage, ..] ? OfJpeg(photo)
            : photo is [0x89, 0x50, 0x4E, 0x47, ..] && photo.Length >= 24 ? OfPng(photo)
            : photo.StartsWith("RIFF"u8) && photo.Length >= 30 ? OfWebP(photo)
            : photo.StartsWith("GIF8"u8) && photo.Length >= 13 ? OfGif(photo)
            : photo.StartsWith("BM"u8) && photo.Length >= 26 ? OfBmp(photo)
            : null;
        return header is { Width: > 0, Height: > 0, Scans: > 0 } ? header : null;
    }

    // Walks as libjpeg does: to the next marker over whatever lies between, and over a segment by its length. What libjpeg may pass over without its
    // length (markers that are none) is walked into, so that no scan hides in it.
    private static PhotoHeader? OfJpeg(ReadOnlySpan<byte> photo)
    {
        (int width, int height, int scans) = (0, 0, 0);
        for (int at = 2; photo[at..].IndexOf(Marker) is >= 0 and int skipped;)
        {
            at += skipped + 1;
            if (at >= photo.Length || photo[at] is Marker)
            {
                continue;
            }

            byte kind = photo[at++];
            if (kind == EndOfImage)
            {
                break;
            }

            if (kind is < 0xC0 or (>= 0xD0 and <= 0xD8) or 0xC8 or (>= 0xF0 and not 0xFE) || photo.Length - at < 2)
            {
                continue;
            }

            if (kind <= 0xCF && kind is not (0xC4 or 0xCC) && photo.Length - at >= 7)
            {
                (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(photo[(at + 3)..]), BinaryPrimitives.ReadUInt16BigEndian(photo[(at + 5)..]));
            }

            scans += kind == StartOfScan ? 1 : 0;
            at = Math.Min(photo.Length, at + BinaryPrimitives.ReadUInt16BigEndian(photo[at..]));
        }

        return new(width, height, scans);
    }

    private static PhotoHeader OfPng(ReadOnlySpan<byte> photo) =>
        new(BinaryPrimitives.ReadInt32BigEndian(photo[16..]), BinaryPrimitives.ReadInt32BigEndian(photo[20..]), 1);

    // The size of the picture that is decoded: the first coded one, within the first frame of an animation. A canvas may say another.
    private static PhotoHeader? OfWebP(ReadOnlySpan<byte> photo)
    {
        for (long at = 12; at + 18 <= photo.Length;)
        {
            ReadOnlySpan<byte> chunk = photo[(int)at..];
            uint lossy = BinaryPrimitives.ReadUInt32LittleEndian(chunk[14..]), lossless = BinaryPrimitives.ReadUInt32LittleEndian(chunk[9..]);
            if (chunk.StartsWith("VP8 "u8))
            {
                return new((int)(lossy & 0x3FFF), (int)((lossy >> 16) & 0x3FFF), 1);
            }

            if (chunk.StartsWith("VP8L"u8))
            {
                return new((int)(lossless & 0x3FFF) + 1, (int)((lossless >> 14) & 0x3FFF) + 1, 1);
            }

            long length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            at += chunk.StartsWith("ANMF"u8) ? 24 : 8 + length + (length & 1); // behind a frame's place, time and flags are its chunks
        }

        return null;
    }

    private static PhotoHeader OfGif(ReadOnlySpan<byte> photo) =>
        new(BinaryPrimitives.ReadUInt16LittleEndian(photo[6..]), BinaryPrimitives.ReadUInt16LittleEndian(photo[8..]), 1);

    private static PhotoHeader OfBmp(ReadOnlySpan<byte> photo) =>
        new(BinaryPrimitives.ReadInt32LittleEndian(photo[18..]), Math.Abs(Math.Max(-int.MaxValue, BinaryPrimitives.ReadInt32LittleEndian(photo[22..]))), 1);
}
