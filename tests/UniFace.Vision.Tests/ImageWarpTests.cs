using CsCheck;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests;

/// <summary>Warping and resizing move pixels exactly and never fail.</summary>
public class ImageWarpTests
{
    [Fact]
    public void The_identity_returns_the_image_unchanged()
    {
        RgbImage image = TestImages.Noise(61, 47, seed: 1);
        Assert.Equal(image.Pixels, ImageWarp.Warp(image, SimilarityTransform.Identity, 61, 47).Pixels);
    }

    [Fact]
    public void A_shift_by_whole_pixels_moves_pixels_and_brings_in_black()
    {
        RgbImage image = TestImages.Noise(20, 20, seed: 2);
        RgbImage moved = ImageWarp.Warp(image, new SimilarityTransform(1, 0, 3, -2), 20, 20);
        for (int y = 0; y < 20; y++)
        {
            for (int x = 0; x < 20; x++)
            {
                bool inside = x - 3 >= 0 && y + 2 < 20;
                byte expected = inside ? image.Pixels[(((y + 2) * 20) + x - 3) * 3] : (byte)0;
                Assert.Equal(expected, moved.Pixels[((y * 20) + x) * 3]);
            }
        }
    }

    [Fact]
    public void Halfway_between_two_pixels_the_warp_gives_their_mean()
    {
        RgbImage image = new(2, 1, [10, 20, 30, 50, 100, 150]);
        Assert.Equal([30, 60, 90], ImageWarp.Warp(image, new SimilarityTransform(1, 0, -0.5, 0), 1, 1).Pixels);
    }

    [Fact]
    public void A_quarter_turn_moves_every_pixel_exactly()
    {
        RgbImage image = TestImages.Noise(9, 9, seed: 3);
        RgbImage turned = ImageWarp.Warp(image, new SimilarityTransform(0, 1, 8, 0), 9, 9);
        for (int y = 0; y < 9; y++)
        {
            for (int x = 0; x < 9; x++)
            {
                // (x, y) goes to (8 - y, x).
                Assert.Equal(image.Pixels[((y * 9) + x) * 3], turned.Pixels[((x * 9) + 8 - y) * 3]);
            }
        }
    }

    [Theory]
    [InlineData(CropBorder.Black)]
    [InlineData(CropBorder.Replicate)]
    public void Four_pixels_at_a_time_are_the_same_as_one(CropBorder border)
    {
        RgbImage image = TestImages.Noise(31, 23, seed: 4);
        Random random = new(5);
        for (int i = 0; i < 300; i++)
        {
            // An output of three columns is too narrow for four pixels at a time.
            SimilarityTransform map = new(random.NextDouble() + 0.6, random.NextDouble() - 0.5, random.Next(-12, 4) + random.NextDouble(), random.Next(-20, 4));
            RgbImage wide = ImageWarp.Warp(image, map, 24, 40, antiAlias: false, border), narrow = ImageWarp.Warp(image, map, 3, 40, antiAlias: false, border);
            for (int y = 0; y < 40; y++)
            {
                Assert.Equal(narrow.Pixels.AsSpan(y * 9, 9), wide.Pixels.AsSpan(y * 72, 9));
            }
        }
    }

    [Fact]
    public void A_strong_reduction_averages_and_does_not_alias()
    {
        // A checkerboard of single pixels becomes gray when reduced; one sample per pixel would give white or black.
        RgbImage board = new(128, 128);
        for (int i = 0; i < 128 * 128; i++)
        {
            byte value = ((i / 128) + (i % 128)) % 2 == 0 ? (byte)255 : (byte)0;
            board.Pixels.AsSpan(i * 3, 3).Fill(value);
        }

        RgbImage small = ImageWarp.Warp(board, new SimilarityTransform(0.125, 0, -0.4375, -0.4375), 16, 16);
        Assert.All(small.Pixels, value => Assert.InRange(value, 126, 129));
        Assert.All(ImageResize.To(board, 16, 16).Pixels, value => Assert.InRange(value, 120, 135));
        Assert.All(new Photo(board).Warp(new SimilarityTransform(0.125, 0, -0.4375, -0.4375), 16, 16).Pixels, value => Assert.InRange(value, 126, 129));
    }

    [Fact]
    public void A_warp_through_the_pyramid_equals_a_direct_warp()
    {
        RgbImage image = TestImages.Smooth(400, 300);
        SimilarityTransform transform = new(0.2, 0.05, 10, -5);
        RgbImage direct = ImageWarp.Warp(image, transform, 64, 64), through = new Photo(image).Warp(transform, 64, 64);
        int inside = 0;
        for (int i = 0; i < direct.Pixels.Length; i++)
        {
            // Borders are black in one image and half black in the other.
            if (direct.Pixels[i] > 60 && through.Pixels[i] > 60)
            {
                Assert.InRange(direct.Pixels[i] - through.Pixels[i], -25, 25);
                inside++;
            }
        }

        Assert.True(inside > 3000);
    }

    [Fact]
    public void Resizing_keeps_a_uniform_image_uniform_and_the_same_size_unchanged() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Byte).Sample((width, height, toWidth, toHeight, value) =>
    {
        RgbImage flat = new(width, height);
        flat.Pixels.AsSpan().Fill(value);
        RgbImage resized = ImageResize.To(flat, toWidth, toHeight);
        Assert.Equal((toWidth, toHeight), (resized.Width, resized.Height));
        Assert.All(resized.Pixels, pixel => Assert.Equal(value, pixel));
        Assert.Same(flat, ImageResize.To(flat, width, height));
    });

    [Fact]
    public void A_warp_never_fails_whatever_the_transform() =>
        Gen.Select(Gen.Double[-3, 3], Gen.Double[-3, 3], Gen.Double[-1e6, 1e6], Gen.Double[-1e6, 1e6]).Sample((a, b, x, y) =>
        Assert.Equal(8 * 8 * 3, ImageWarp.Warp(TestImages.Quadrants(16, 16), new SimilarityTransform(a, b, x, y), 8, 8).Pixels.Length));
}
