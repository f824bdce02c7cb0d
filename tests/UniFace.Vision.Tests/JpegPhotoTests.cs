using SkiaSharp;
using UniFace.Faces;
using UniFace.Vision.Imaging;
using UniFace.Vision.Tests.Decoding;

namespace UniFace.Vision.Tests;

/// <summary>A JPEG that is decoded as far as it is used gives the crops of the whole photo, in every orientation, and never more memory than allowed.</summary>
public class JpegPhotoTests
{
    private static readonly SkiaImageDecoder Decoder = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Crops_of_any_size_are_those_of_the_whole_photo(int orientation)
    {
        // Odd sides: the last pixel of each level covers less of the photo than the others, and is the first one of a mirrored photo.
        RgbImage upright = TestImages.Smooth(2203, 1507);
        string kind = Containers.Kinds.First(k => k.Contains("jpeg", StringComparison.OrdinalIgnoreCase));
        byte[] file = Containers.Store(kind, TestImages.StoredAs(upright, orientation), orientation);
        Photo whole = new(Decoder.Decode(file, "photo"));
        (double, double, double)[] crops = [(0.05, 0, 0), (0.3, 900, 500), (0.45, 1900, 1300), (0.8, 300, 900), (1.1, 2100, 40), (1.3, 20, 1400)];
        foreach ((double scale, double x, double y) in crops)
        {
            Photo photo = Decoder.OpenPhoto(file, "photo");
            Assert.Equal((upright.Width, upright.Height), (photo.Width, photo.Height));
            SimilarityTransform crop = new(scale, 0.1 * scale, 50 - (scale * x), 50 - (scale * y));
            RgbImage expected = whole.Warp(crop, 100, 100), found = photo.Warp(crop, 100, 100);
            double difference = expected.Pixels.Zip(found.Pixels).Average(pair => Math.Abs(pair.First - pair.Second));
            Assert.True(difference < 1.5, $"scale {scale} at {x}, {y}: mean difference {difference:F2}");
        }
    }

    [Fact]
    public void A_photo_above_the_limit_is_read_at_reduced_size_and_in_parts()
    {
        RgbImage picture = TestImages.Smooth(2400, 1600);
        byte[] file = TestImages.Encode(picture, SKEncodedImageFormat.Jpeg);
        SkiaImageDecoder decoder = new() { MaxPixels = 1_000_000 };
        Assert.Contains("more than the limit", Assert.Throws<UniFaceException>(() => decoder.Decode(file, "a.jpg")).Message, StringComparison.Ordinal);
        Photo photo = decoder.OpenPhoto(file, "a.jpg");
        Assert.Contains("a.jpg: 2400x1600 pixels", Assert.Throws<UniFaceException>(() => photo.Whole).Message, StringComparison.Ordinal);
        Assert.Equal(1200, photo.Level(1).Image.Width);
        RgbImage part = decoder.OpenPhoto(file, "a.jpg").Warp(new SimilarityTransform(1, 0, -2000, -1200), 200, 200);
        RgbImage expected = new Photo(Decoder.Decode(file, "a.jpg")).Warp(new SimilarityTransform(1, 0, -2000, -1200), 200, 200);
        Assert.Equal(expected.Pixels, part.Pixels);
        Assert.Throws<UniFaceException>(() => new SkiaImageDecoder { MaxPixels = 1_000_000, MaxReducedPixels = 1_000_000 }.OpenPhoto(file, "a.jpg"));
    }

    [Fact]
    public void A_photo_that_is_cut_off_is_refused()
    {
        byte[] file = TestImages.Encode(TestImages.Smooth(2400, 1600), SKEncodedImageFormat.Jpeg);
        Assert.Throws<UniFaceException>(() => Decoder.OpenPhoto(file.AsMemory(0, file.Length / 2), "a.jpg").Level(1));
    }
}
