using System.Runtime.InteropServices;
using SkiaSharp;
using UniFace.Faces;
using UniFace.Vision.Decoding;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests.Decoding;

/// <summary>
/// The decoder sees only the image, whatever else the file contains, and the result is upright. Metadata, compressed or not, therefore costs
/// no memory or time.
/// </summary>
public class ImageContainerTests
{
    private static readonly SkiaImageDecoder Decoder = new();

    public static MatrixTheoryData<string, int> Orientations => new(Containers.Kinds, Enumerable.Range(1, 8));

    [Theory]
    [MemberData(nameof(Orientations))]
    public void Every_container_is_decoded_upright_at_every_orientation(string kind, int orientation)
    {
        RgbImage upright = TestImages.Quadrants(64, 32);
        RgbImage decoded = Decoder.Decode(Containers.Store(kind, TestImages.StoredAs(upright, orientation), orientation), kind);
        Assert.Equal((64, 32), (decoded.Width, decoded.Height));
        Assert.InRange(TestImages.LargestDifference(upright, decoded, margin: 8), 0, 6);
    }

    [Fact]
    public void Only_the_pixel_chunks_of_a_PNG_reach_the_decoder()
    {
        byte[] plain = Plain(ImageFormat.Png, ImageEncoder.Png(TestImages.Noise(16, 16, seed: 1))), bomb = plain;
        byte[] text = [.. "Comment\0\0"u8, .. Containers.Deflate(new byte[7_900_000])]; // 7.7 kB
        for (int i = 0; i < 5; i++)
        {
            bomb = Containers.InsertChunk(bomb, "zTXt", text);
        }

        foreach (string type in (string[])["tEXt", "iTXt", "iCCP", "eXIf", "sPLT", "acTL", "fcTL", "fdAT", "prVt"])
        {
            bomb = Containers.InsertChunk(bomb, type, new byte[100]);
        }

        bomb = [.. bomb, .. "a trailer"u8];
        Assert.True(Plain(ImageFormat.Png, bomb).AsSpan().SequenceEqual(plain));
        Assert.Equal(Decoder.Decode(plain, "a").Pixels, Decoder.Decode(bomb, "a").Pixels);
    }

    [Fact]
    public void Only_image_data_and_color_coding_of_a_JPEG_reach_the_decoder()
    {
        byte[] plain = ImageEncoder.Jpeg(TestImages.Smooth(40, 30)), full = Containers.InsertSegment(plain, 0xFE, new byte[5000]);
        full = Containers.InsertSegment(full, 0xE0, [.. "JFXX\0"u8, .. new byte[300]]);
        for (byte app = 0xE1; app <= 0xEF; app++)
        {
            full = Containers.InsertSegment(full, app, new byte[app * 200]);
        }

        Assert.True(Plain(ImageFormat.Jpeg, full).AsSpan().SequenceEqual(plain));
        byte[] adobe = Containers.InsertSegment(plain, 0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 1]);
        Assert.True(Plain(ImageFormat.Jpeg, adobe).AsSpan().SequenceEqual(adobe));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Only_image_and_alpha_chunks_of_a_WebP_reach_the_decoder(bool lossless, bool transparent)
    {
        byte[] plain = Containers.WebP(TestImages.Smooth(41, 31), lossless, transparent);
        byte[] full = Containers.ExtendWebP(plain, ("EXIF", new byte[9999]), ("XMP ", new byte[9999]), ("ABCD", new byte[5]));
        Assert.True(Plain(ImageFormat.WebP, full).AsSpan().SequenceEqual(plain));
        Assert.Equal(Decoder.Decode(plain, "a").Pixels, Decoder.Decode(full, "a").Pixels);
    }

    [Fact]
    public void The_first_frame_of_an_animation_is_read()
    {
        RgbImage first = TestImages.Noise(20, 10, seed: 1);
        byte[] still = Containers.WebP(first, lossless: true, transparent: false), black = Containers.WebP(new RgbImage(20, 10), true, false);
        byte[] webP = Containers.AnimateWebP(20, 10, still, black);
        Assert.Equal(first.Pixels, Decoder.Decode(webP, "a.webp").Pixels);
        Assert.Equal([255, 0, 0], Decoder.Decode(Containers.Gif(), "a.gif").Pixels);
        Assert.InRange(ImageContainer.Open(ImageFormat.Gif, Containers.Gif(), "a.gif").Bytes.Length, 1, Containers.Gif().Length - 40);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    [InlineData(SKEncodedImageFormat.Bmp)]
    public void A_file_without_metadata_is_not_copied(SKEncodedImageFormat kind)
    {
        RgbImage image = TestImages.Noise(16, 16, seed: 1);
        byte[] file = kind == SKEncodedImageFormat.Bmp ? TestImages.Bmp(image) : TestImages.Encode(image, kind);
        file = Plain(ImageFormat.Detect(file), file);
        Assert.True(MemoryMarshal.TryGetArray(ImageContainer.Open(ImageFormat.Detect(file), file, "a").Bytes, out ArraySegment<byte> seen));
        Assert.Same(file, seen.Array);
    }

    [Fact]
    public void The_work_of_an_image_is_pixels_times_scans_and_known_before_decoding()
    {
        byte[] jpeg = ImageEncoder.Jpeg(TestImages.Smooth(400, 300));
        int scan = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
        Assert.Equal(400 * 300, Decoder.Open(jpeg, "a.jpg").Work);
        Assert.Equal(400 * 300, Decoder.Open(ImageEncoder.Png(TestImages.Smooth(400, 300)), "a.png").Work);
        byte[] thrice = [.. jpeg.AsSpan(0, scan), .. jpeg[scan..(scan + 40)], .. jpeg[scan..(scan + 40)], .. jpeg.AsSpan(scan)];
        Assert.Equal(3 * 400 * 300, Decoder.Open(thrice, "a.jpg").Work);
        Assert.Throws<UniFaceException>(() => Decoder.Open("a text of some length that is not an image"u8.ToArray(), "a.jpg"));
    }

    [Fact]
    public void A_JPEG_with_hundreds_of_scans_is_refused_before_it_is_decoded()
    {
        byte[] jpeg = ImageEncoder.Jpeg(TestImages.Smooth(400, 300));
        int scan = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
        byte[] many = [.. jpeg.AsSpan(0, scan), .. Enumerable.Repeat(jpeg[scan..(scan + 40)], 120).SelectMany(s => s), .. jpeg.AsSpan(scan)];
        string message = Assert.Throws<UniFaceException>(() => Decoder.Decode(many, "a.jpg")).Message;
        Assert.StartsWith("a.jpg: 400x300 pixels in 121 scans, more work than one photo may take: at most 100 scans", message, StringComparison.Ordinal);

        // An image of the maximum size may have fewer scans.
        byte[] some = [.. jpeg.AsSpan(0, scan), .. Enumerable.Repeat(jpeg[scan..(scan + 40)], 20).SelectMany(s => s), .. jpeg.AsSpan(scan)];
        SkiaImageDecoder small = new() { MaxPixels = 120_000 };
        Refused.With("21 scans", () => small.Decode(some, "a.jpg"));
    }

    [Fact]
    public void The_decoders_own_memory_counts_against_the_budget()
    {
        byte[] jpeg = ImageEncoder.Jpeg(TestImages.Smooth(64, 32));
        Assert.Equal(0, ImageContainer.Open(ImageFormat.Jpeg, jpeg, "a").DecoderBytes);
        jpeg[jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]) + 1] = 0xC2; // progressive: coefficients of three components, two bytes each
        Assert.InRange(ImageContainer.Open(ImageFormat.Jpeg, jpeg, "a").DecoderBytes, 64 * 32 * 3, 64 * 32 * 6);
        byte[] png = ImageEncoder.Png(TestImages.Smooth(64, 32));
        png[28] = 1; // interlaced
        Assert.InRange(ImageContainer.Open(ImageFormat.Png, png, "a").DecoderBytes, 64 * 32 * 3, 64 * 32 * 4);
    }

    private static byte[] Plain(ImageFormat format, byte[] file) => ImageContainer.Open(format, file, "a").Bytes.ToArray();
}
