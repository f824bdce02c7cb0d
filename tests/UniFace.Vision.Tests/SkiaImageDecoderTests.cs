using System.Buffers.Binary;
using SkiaSharp;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests;

/// <summary>Photos are decoded upright with the pixels of the file; anything else is refused with a message.</summary>
public class SkiaImageDecoderTests
{
    private static readonly SkiaImageDecoder Decoder = new();

    [Fact]
    public void A_PNG_is_decoded_exactly()
    {
        RgbImage image = TestImages.Noise(37, 23, seed: 1);
        RgbImage decoded = Decoder.Decode(ImageEncoder.Png(image), "a.png");
        Assert.Equal((37, 23), (decoded.Width, decoded.Height));
        Assert.Equal(image.Pixels, decoded.Pixels);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    [InlineData(SKEncodedImageFormat.Png)]
    public void Each_format_decodes_to_the_encoded_image(SKEncodedImageFormat format)
    {
        RgbImage image = TestImages.Quadrants(48, 32);
        RgbImage decoded = Decoder.Decode(TestImages.Encode(image, format), "an image");
        Assert.Equal((48, 32), (decoded.Width, decoded.Height));
        Assert.True(TestImages.LargestDifference(image, decoded, margin: 8) <= 6);
    }

    [Fact]
    public void A_BMP_is_decoded_exactly()
    {
        RgbImage image = TestImages.Noise(20, 11, seed: 2);
        Assert.Equal(image.Pixels, Decoder.Decode(TestImages.Bmp(image), "a.bmp").Pixels);
    }

    [Fact]
    public void Transparency_is_blended_with_white()
    {
        using SKBitmap bitmap = new(new SKImageInfo(2, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(10, 20, 30, 0));
        bitmap.SetPixel(1, 0, new SKColor(10, 20, 30, 255));
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Assert.Equal([255, 255, 255, 10, 20, 30], Decoder.Decode(png.ToArray(), "a.png").Pixels);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void A_truncated_image_is_refused_by_name_and_never_partly_decoded(SKEncodedImageFormat format)
    {
        byte[] whole = TestImages.Encode(TestImages.Noise(40, 40, seed: 3), format);
        int refused = 0;
        for (int length = 0; length < whole.Length; length++)
        {
            try
            {
                // A file that lacks only its trailer may decode; then it must be the image.
                RgbImage decoded = Decoder.Decode(whole.AsMemory(0, length), "cut.bin");
                Assert.Equal(Decoder.Decode(whole, "whole").Pixels, decoded.Pixels);
            }
            catch (UniFaceException e)
            {
                refused++;
                Assert.StartsWith("cut.bin: ", e.Message, StringComparison.Ordinal);
            }
        }

        Assert.True(refused >= whole.Length - 24, $"{refused} of {whole.Length} lengths refused");
    }

    [Fact]
    public void A_flipped_byte_causes_no_other_exception_than_UniFaceException()
    {
        byte[] whole = ImageEncoder.Jpeg(TestImages.Noise(24, 24, seed: 4));
        Random random = new(2026_11_24);
        for (int i = 0; i < 2000; i++)
        {
            byte[] damaged = [.. whole];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            try
            {
                Decoder.Decode(damaged, "damaged.jpg");
            }
            catch (UniFaceException)
            {
                // Refused, as expected.
            }
        }
    }

    [Fact]
    public void A_decompression_bomb_is_refused_by_its_header_before_memory_is_allocated()
    {
        // A PNG header of 60,000 x 60,000 pixels with hardly any data: 14 GB if it were trusted.
        byte[] png = ImageEncoder.Png(new RgbImage(1, 1));
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), 60_000);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), TestImages.Crc32(png.AsSpan(12, 17)));
        long before = GC.GetAllocatedBytesForCurrentThread();
        UniFaceException e = Assert.Throws<UniFaceException>(() => Decoder.Decode(png, "bomb.png"));
        Assert.Contains("bomb.png: 60000x60000", e.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void The_pixel_limit_is_an_option_and_inclusive()
    {
        byte[] png = ImageEncoder.Png(new RgbImage(10, 10));
        Assert.Equal(10, new SkiaImageDecoder { MaxPixels = 100 }.Decode(png, "a").Width);
        Assert.Throws<UniFaceException>(() => new SkiaImageDecoder { MaxPixels = 99 }.Decode(png, "a"));
    }

    [Fact]
    public void Unsupported_formats_and_random_bytes_are_refused_by_name()
    {
        Assert.Equal(
            "a.jpg: a TIFF image or a camera's raw file; expected JPEG, PNG, WebP, HEIC, AVIF, BMP or GIF: convert it first.",
            Assert.Throws<UniFaceException>(() => Decoder.Decode("II*\0\x08\0\0\0"u8.ToArray(), "a.jpg")).Message);
        Refused.With("notes.txt: not an image", () => Decoder.Decode("hello"u8.ToArray(), "notes.txt"));
        Refused.With("empty: the file is empty", () => Decoder.Decode(Array.Empty<byte>(), "empty"));
    }

    [Fact]
    public void Decoding_on_many_threads_gives_the_same_pixels()
    {
        RgbImage image = TestImages.Noise(50, 50, seed: 5);
        byte[] png = ImageEncoder.Png(image);
        Parallel.For(0, 64, _ => Assert.Equal(image.Pixels, Decoder.Decode(png, "a").Pixels));
    }
}
