using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using SkiaSharp;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests.Decoding;

/// <summary>Writes images in the containers of cameras, phones and attackers.</summary>
internal static class Containers
{
    /// <summary>Ways to store an image with an EXIF orientation.</summary>
    public static readonly string[] Kinds =
        ["JPEG", "JPEG, little-endian", "MPO", "PNG", "PNG, behind the pixels", "PNG, raw profile", "WebP", "WebP, lossless"];

    /// <summary>An image in one of <see cref="Kinds"/>, with an orientation.</summary>
    public static byte[] Store(string kind, RgbImage stored, int orientation)
    {
        byte[] exif = Exif(orientation, little: kind.Contains("little", StringComparison.Ordinal));
        byte[] jpeg = ImageEncoder.Jpeg(stored), png = ImageEncoder.Png(stored);
        string profile = $"\nexif\n      {exif.Length + 6}\n{Convert.ToHexStringLower([.. "Exif\0\0"u8, .. exif]).Insert(20, "\n")}\n";
        return kind switch
        {
            "PNG" => InsertChunk(png, "eXIf", exif),
            "PNG, behind the pixels" => InsertChunk(png, "eXIf", exif, png.Length - 12),
            "PNG, raw profile" => InsertChunk(png, "zTXt", [.. "Raw profile type exif\0\0"u8, .. Deflate(Encoding.Latin1.GetBytes(profile))]),
            "WebP" => ExtendWebP(TestImages.Encode(stored, SKEncodedImageFormat.Webp), ("EXIF", exif)),
            "WebP, lossless" => ExtendWebP(WebP(stored, lossless: true, transparent: false), ("EXIF", [.. "Exif\0\0"u8, .. exif])),
            "MPO" => [.. InsertSegment(jpeg, 0xE1, [.. "Exif\0\0"u8, .. exif]), .. ImageEncoder.Jpeg(new RgbImage(9, 9))],
            _ => InsertSegment(jpeg, 0xE1, [.. "Exif\0\0"u8, .. exif]),
        };
    }

    /// <summary>EXIF data with a maker's name and an orientation.</summary>
    public static byte[] Exif(int orientation, bool little)
    {
        byte[] exif = new byte[8 + 2 + 24 + 4];
        (little ? "II*\0"u8 : "MM\0*"u8).CopyTo(exif);
        Write(4, 4, 8);
        Write(8, 2, 2); // entries
        Write(10, 2, 0x010F); // maker
        Write(12, 2, 2); // text
        Write(14, 4, 4);
        "abc"u8.CopyTo(exif.AsSpan(18));
        Write(22, 2, 0x0112);
        Write(24, 2, 3);
        Write(26, 4, 1);
        Write(30, 2, orientation);
        return exif;

        void Write(int at, int bytes, int value)
        {
            for (int i = 0; i < bytes; i++)
            {
                exif[at + i] = (byte)(value >> (8 * (little ? i : bytes - 1 - i)));
            }
        }
    }

    /// <summary>Adds a segment to a JPEG after its first two bytes.</summary>
    public static byte[] InsertSegment(byte[] jpeg, byte marker, byte[] data) =>
        [0xFF, 0xD8, 0xFF, marker, (byte)((data.Length + 2) >> 8), (byte)(data.Length + 2), .. data, .. jpeg.AsSpan(2)];

    /// <summary>Adds a chunk to a PNG, by default after its header.</summary>
    public static byte[] InsertChunk(byte[] png, string type, byte[] data, int at = 33)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        byte[] ends = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(ends, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(ends.AsSpan(4), TestImages.Crc32(body));
        return [.. png.AsSpan(0, at), .. ends.AsSpan(0, 4), .. body, .. ends.AsSpan(4), .. png.AsSpan(at)];
    }

    /// <summary>A WebP as Skia writes it.</summary>
    public static byte[] WebP(RgbImage image, bool lossless, bool transparent)
    {
        using SKBitmap bitmap = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (int i = 0; i < image.Width * image.Height; i++)
        {
            byte alpha = (byte)(transparent ? 255 * i / (image.Width * image.Height) : 255);
            bitmap.SetPixel(i % image.Width, i / image.Width, new SKColor(image.Pixels[3 * i], image.Pixels[(3 * i) + 1], image.Pixels[(3 * i) + 2], alpha));
        }

        using SKPixmap pixels = bitmap.PeekPixels()!;
        using SKData data = pixels.Encode(new SKWebpEncoderOptions(lossless ? SKWebpEncoderCompression.Lossless : SKWebpEncoderCompression.Lossy, 90))!;
        return data.ToArray();
    }

    /// <summary>A WebP with an extended header, a color profile before the image and metadata after it.</summary>
    public static byte[] ExtendWebP(byte[] webP, params (string Type, byte[] Data)[] metadata)
    {
        byte[] chunks = webP.AsSpan(12, 4).SequenceEqual("VP8X"u8) ? webP[30..] : webP[12..];
        using SKCodec codec = SKCodec.Create(new MemoryStream(webP))!;
        byte[] header = new byte[10];
        header[0] = 0b0011_1100; // profile, transparency, EXIF, XMP
        Write24(header, 4, codec.Info.Width - 1);
        Write24(header, 7, codec.Info.Height - 1);
        return Riff([.. Chunk("VP8X", header), .. Chunk("ICCP", new byte[77]), .. chunks, .. metadata.SelectMany(m => Chunk(m.Type, m.Data))]);
    }

    /// <summary>An animated WebP of full-size frames.</summary>
    public static byte[] AnimateWebP(int width, int height, params byte[][] frames)
    {
        byte[] header = new byte[10], frame = new byte[16];
        header[0] = 0b0000_0010;
        Write24(header, 4, width - 1);
        Write24(header, 7, height - 1);
        Write24(frame, 6, width - 1);
        Write24(frame, 9, height - 1);
        return Riff([.. Chunk("VP8X", header), .. Chunk("ANIM", new byte[6]), .. frames.SelectMany(f => Chunk("ANMF", [.. frame, .. f.AsSpan(12)]))]);
    }

    /// <summary>A GIF of two frames, one red and one blue pixel, with a comment before them and application data between them.</summary>
    public static byte[] Gif() =>
    [
        .. "GIF89a\x01\0\x01\0"u8, 0x80, 0, 0, 255, 0, 0, 0, 0, 255,
        0x21, 0xFE, 5, .. "hello"u8, 0,
        0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0,
        0x21, 0xFF, 11, .. "NETSCAPE2.0"u8, 3, 1, 0, 0, 0,
        0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4C, 1, 0,
        0x3B,
    ];

    /// <summary>Compresses with zlib.</summary>
    public static byte[] Deflate(byte[] data)
    {
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.SmallestSize))
        {
            zlib.Write(data);
        }

        return packed.ToArray();
    }

    private static byte[] Riff(byte[] chunks)
    {
        byte[] file = [.. "RIFF\0\0\0\0WEBP"u8, .. chunks];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        return file;
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, data.Length);
        return [.. Encoding.ASCII.GetBytes(type), .. length, .. data, .. new byte[data.Length & 1]];
    }

    private static void Write24(byte[] to, int at, int value) => (to[at], to[at + 1], to[at + 2]) = ((byte)value, (byte)(value >> 8), (byte)(value >> 16));
}
