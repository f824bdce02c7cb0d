using System.Buffers.Binary;
using SkiaSharp;
using UniFace.Faces;

namespace UniFace.Vision.Tests;

/// <summary>Generated images.</summary>
internal static class TestImages
{
    /// <summary>Random pixels.</summary>
    public static RgbImage Noise(int width, int height, int seed)
    {
        RgbImage image = new(width, height);
        new Random(seed).NextBytes(image.Pixels);
        return image;
    }

    /// <summary>Four quarters of different colors: no mirror image or rotation equals the original.</summary>
    public static RgbImage Quadrants(int width, int height)
    {
        RgbImage image = new(width, height);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = ((y * width) + x) * 3;
                bool right = x >= width / 2, below = y >= height / 2;
                image.Pixels[at] = (byte)(right == below ? (right ? 250 : 220) : 20);
                image.Pixels[at + 1] = (byte)(right ? 200 : 30);
                image.Pixels[at + 2] = (byte)(below ? 180 : 10);
            }
        }

        return image;
    }

    /// <summary>A smooth image without noise, whose values survive interpolation.</summary>
    public static RgbImage Smooth(int width, int height)
    {
        RgbImage image = new(width, height);
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = ((y * width) + x) * 3;
                image.Pixels[at] = (byte)(128 + (100 * Math.Sin(x / 9.0)));
                image.Pixels[at + 1] = (byte)(128 + (100 * Math.Cos(y / 7.0)));
                image.Pixels[at + 2] = (byte)(128 + (100 * Math.Sin((x + y) / 11.0)));
            }
        }

        return image;
    }

    /// <summary>Largest difference of a channel, except within a margin of the edges and the center lines.</summary>
    public static int LargestDifference(RgbImage a, RgbImage b, int margin)
    {
        int largest = 0;
        for (int y = 0; y < a.Height; y++)
        {
            for (int x = 0; x < a.Width; x++)
            {
                if (Math.Abs(x - (a.Width / 2)) >= margin && Math.Abs(y - (a.Height / 2)) >= margin)
                {
                    int at = ((y * a.Width) + x) * 3;
                    for (int c = 0; c < 3; c++)
                    {
                        largest = Math.Max(largest, Math.Abs(a.Pixels[at + c] - b.Pixels[at + c]));
                    }
                }
            }
        }

        return largest;
    }

    /// <summary>An upright image as a camera stores it with an EXIF orientation (1 to 8), as the standard defines them.</summary>
    public static RgbImage StoredAs(RgbImage upright, int orientation)
    {
        bool swap = orientation >= 5;
        RgbImage stored = swap ? new RgbImage(upright.Height, upright.Width) : new RgbImage(upright.Width, upright.Height);
        for (int row = 0; row < stored.Height; row++)
        {
            for (int column = 0; column < stored.Width; column++)
            {
                // The standard names the visual sides of the stored row 0 and column 0.
                int w = upright.Width - 1, h = upright.Height - 1;
                (int x, int y) = orientation switch
                {
                    1 => (column, row), // top, left
                    2 => (w - column, row), // top, right
                    3 => (w - column, h - row), // bottom, right
                    4 => (column, h - row), // bottom, left
                    5 => (row, column), // left, top
                    6 => (w - row, column), // right, top
                    7 => (w - row, h - column), // right, bottom
                    _ => (row, h - column), // left, bottom
                };
                upright.Pixels.AsSpan(((y * upright.Width) + x) * 3, 3).CopyTo(stored.Pixels.AsSpan(((row * stored.Width) + column) * 3, 3));
            }
        }

        return stored;
    }

    /// <summary>Encodes with Skia in the best quality.</summary>
    public static byte[] Encode(RgbImage image, SKEncodedImageFormat format)
    {
        using SKBitmap bitmap = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                int at = ((y * image.Width) + x) * 3;
                bitmap.SetPixel(x, y, new SKColor(image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]));
            }
        }

        using SKData data = bitmap.Encode(format, 100);
        return data.ToArray();
    }

    /// <summary>Encodes a 24-bit BMP, which Skia can only read.</summary>
    public static byte[] Bmp(RgbImage image)
    {
        int stride = ((image.Width * 3) + 3) / 4 * 4;
        byte[] bmp = new byte[54 + (stride * image.Height)];
        "BM"u8.CopyTo(bmp);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(2), bmp.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(10), 54);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(14), 40);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(18), image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(22), image.Height);
        BinaryPrimitives.WriteInt16LittleEndian(bmp.AsSpan(26), 1);
        BinaryPrimitives.WriteInt16LittleEndian(bmp.AsSpan(28), 24);
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                int from = ((y * image.Width) + x) * 3, to = 54 + ((image.Height - 1 - y) * stride) + (x * 3);
                (bmp[to], bmp[to + 1], bmp[to + 2]) = (image.Pixels[from + 2], image.Pixels[from + 1], image.Pixels[from]);
            }
        }

        return bmp;
    }

    /// <summary>CRC-32 of PNG chunks.</summary>
    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
