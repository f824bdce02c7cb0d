using SkiaSharp;
using UniFace.Faces;

namespace UniFace.Vision.Tests;

/// <summary>The work of decoding a photo is known from its bytes, whatever its format, and no scan of a JPEG hides from it.</summary>
public sealed class PhotoHeaderTests
{
    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void The_size_is_that_which_the_decoder_sees(SKEncodedImageFormat format)
    {
        using SKBitmap bitmap = new(123, 45);
        using SKData data = bitmap.Encode(format, 90);
        Assert.Equal(new PhotoHeader(123, 45, 1), PhotoHeader.Read(data.ToArray()));
        RgbImage decoded = new SkiaImageDecoder().Decode(data.ToArray(), "photo");
        Assert.Equal((123, 45), (decoded.Width, decoded.Height));
    }

    [Fact]
    public void A_WebP_has_the_size_of_its_picture_whatever_its_canvas_says_and_a_GIF_that_of_its_header()
    {
        using SKBitmap bitmap = new(123, 45);
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Webp, 100);
        byte[] picture = data.ToArray()[12..], canvas = [.. "VP8X"u8, 10, 0, 0, 0, .. new byte[10]];
        byte[] frame = [.. "ANMF"u8, .. BitConverter.GetBytes(16 + picture.Length), .. new byte[16], .. picture];
        foreach (byte[] body in new[] { picture, [.. canvas, .. picture], [.. canvas, .. frame] })
        {
            byte[] file = [.. "RIFF"u8, .. BitConverter.GetBytes(4 + body.Length), .. "WEBP"u8, .. body];
            Assert.Equal(new PhotoHeader(123, 45, 1), PhotoHeader.Read(file));
            Assert.Equal((123, 45), new SkiaImageDecoder().Decode(file, "photo") is RgbImage seen ? (seen.Width, seen.Height) : default);
        }

        Assert.Equal(new PhotoHeader(300, 2, 1), PhotoHeader.Read([.. "GIF89a"u8, 44, 1, 2, 0, 0, 0, 0]));
    }

    [Fact]
    public void Scans_are_counted_outside_of_segments_only_and_to_the_end_of_the_image()
    {
        byte[] scan = [0xFF, 0xDA, 0, 2, 1, 2, 0xFF, 0x00, 0xFF, 0xD0, 3], thumbnail = [0xFF, 0xE1, 0, 6, 0xFF, 0xDA, 0, 2];
        byte[] frame = [0xFF, 0xC2, 0, 8, 8, 0, 45, 0, 123, 1];
        Assert.Equal(new PhotoHeader(123, 45, 2), PhotoHeader.Read([0xFF, 0xD8, .. thumbnail, .. frame, .. scan, 0xFF, .. scan, 0xFF, 0xD9, .. scan]));
    }

    [Fact]
    public void A_marker_that_libjpeg_passes_over_without_a_length_hides_no_scan()
    {
        byte[] scan = [0xFF, 0xDA, 0, 2], frame = [0xFF, 0xC2, 0, 8, 8, 0, 45, 0, 123, 1];
        Assert.Equal(3, PhotoHeader.Read([0xFF, 0xD8, .. frame, .. scan, 0xFF, 0x02, 0, 8, .. scan, .. scan])?.Scans);
    }

    [Fact]
    public void Damaged_headers_are_no_headers()
    {
        using SKBitmap bitmap = new(16, 16);
        foreach (SKEncodedImageFormat format in new[] { SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp })
        {
            using SKData data = bitmap.Encode(format, 90);
            byte[] whole = data.ToArray();
            Assert.All(Enumerable.Range(0, whole.Length), length => PhotoHeader.Read(whole.AsSpan(0, length)));
            Assert.Null(PhotoHeader.Read(whole.AsSpan(0, 12)));
        }

        Assert.Null(PhotoHeader.Read([]));
        Assert.Null(PhotoHeader.Read("BM"u8));
        Assert.Null(PhotoHeader.Read("a text of some length that is no picture"u8));
    }
}
