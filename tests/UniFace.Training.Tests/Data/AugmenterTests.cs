using CsCheck;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Training.Data;

namespace UniFace.Training.Tests.Data;

public class AugmenterTests
{
    private const int Width = 14;
    private const int Height = 11;

    private static readonly AugmentOptions All = new() { Flip = 0.5, Shift = 0.5, Color = 0.5, Blur = 0.5, LowResolution = 0.5, Erase = 0.5 };

    [Fact]
    public void Augmentation_is_a_pure_function_of_image_and_seed() =>
        Gen.Select(Gen.Long, Gen.Int[0, 1000]).Sample((seed, index) =>
        {
            RgbImage image = MemoryDataset.Image(index, Width, Height);
            byte[] before = [.. image.Pixels];
            Augmenter used = new(All);
            Apply(used, MemoryDataset.Image(index + 1, Width, Height), seed + 1);
            float[] planes = Apply(used, image, seed);
            Assert.Equal(Apply(new Augmenter(All), image, seed), planes);
            Assert.All(planes, value => Assert.InRange(value, -1, 1));
            Assert.Equal(before, image.Pixels);
        }, iter: 200);

    [Fact]
    public void Flip_with_probability_1_mirrors_and_with_0_changes_nothing()
    {
        RgbImage image = MemoryDataset.Image(1, Width, Height);
        float[] straight = Apply(new Augmenter(AugmentOptions.None), image, 1);
        float[] mirrored = Apply(new Augmenter(AugmentOptions.None with { Flip = 1 }), image, 1);
        for (int i = 0; i < straight.Length; i++)
        {
            int x = i / 3 % Width;
            Assert.Equal((image.Pixels[i] / 127.5f) - 1, straight[i], 1e-6f);
            Assert.Equal(straight[i], mirrored[i + (3 * (Width - 1 - (2 * x)))]);
        }
    }

    [Fact]
    public void Normalization_equals_the_scalar_formula_for_every_length()
    {
        for (int width = 1; width < 70; width++)
        {
            byte[] pixels = MemoryDataset.Image(width, width, 1).Pixels;
            float[] values = new float[pixels.Length];
            PixelNormalization.Default.Apply(pixels, values);
            Assert.Equal(pixels.Select(pixel => (pixel - 127.5f) / 127.5f), values);
        }
    }

    [Fact]
    public void Half_of_the_images_are_flipped_by_default()
    {
        RgbImage image = MemoryDataset.Image(1, Width, Height);
        float[] straight = Apply(new Augmenter(AugmentOptions.None), image, 1);
        Augmenter augmenter = new(AugmentOptions.Default);
        int flipped = Enumerable.Range(0, 2000).Count(seed => !straight.AsSpan().SequenceEqual(Apply(augmenter, image, seed)));
        Assert.InRange(flipped, 1000 - 112, 1000 + 112); // 5 deviations of Binomial(2000, 1/2)
    }

    [Fact]
    public void Augmentations_draw_independently()
    {
        RgbImage flat = new(Width, Height, [.. Enumerable.Repeat((byte)90, Width * Height * 3)]);
        Augmenter erase = new(AugmentOptions.None with { Erase = 0.5 });
        Augmenter both = new(AugmentOptions.None with { Erase = 0.5, Flip = 0.5, Shift = 0.5, LowResolution = 0.5 });
        for (int seed = 0; seed < 100; seed++)
        {
            Assert.Equal(Apply(erase, flat, seed).Distinct().Count() > 1, Apply(both, flat, seed).Distinct().Count() > 1);
        }
    }

    [Fact]
    public void Neutral_augmentations_and_flat_images_change_nothing()
    {
        RgbImage image = MemoryDataset.Image(3, Width, Height);
        RgbImage copy = new(Width, Height, [.. image.Pixels]);
        Augmentations.Color(copy, 1, 1, 1);
        Augmentations.Shift(copy, 0, 0);
        Assert.Equal(image.Pixels, copy.Pixels);

        RgbImage flat = new(Width, Height, [.. Enumerable.Range(0, Width * Height * 3).Select(i => (byte)(40 + (60 * (i % 3))))]);
        byte[] expected = [.. flat.Pixels];
        Augmentations.Blur(flat, 1.7);
        Augmentations.LowResolution(flat, 0.3);
        Augmentations.Shift(flat, 3, -2);
        Augmentations.Color(flat, 1, 1, 1);
        Assert.Equal(expected, flat.Pixels);
    }

    [Fact]
    public void Brightness_contrast_and_saturation_follow_their_definitions()
    {
        RgbImage Sample() => new(2, 1, [100, 100, 100, 200, 60, 60]);
        RgbImage dark = Sample();
        Augmentations.Color(dark, 0.5, 1, 1);
        Assert.Equal([50, 50, 50, 100, 30, 30], dark.Pixels);

        // Luma of (200, 60, 60) is 0.299 * 200 + 0.701 * 60 = 101.86; without saturation that is all there is.
        RgbImage gray = Sample();
        Augmentations.Color(gray, 1, 1, 0);
        Assert.Equal([100, 100, 100, 102, 102, 102], gray.Pixels);

        // Mean luma (100 + 101.86) / 2 = 100.93; without contrast every value is drawn there.
        RgbImage even = Sample();
        Augmentations.Color(even, 1, 0, 1);
        Assert.All(even.Pixels, value => Assert.Equal(101, value));
    }

    [Fact]
    public void A_shift_moves_the_content_and_repeats_the_border()
    {
        RgbImage image = new(3, 1, [1, 1, 1, 2, 2, 2, 3, 3, 3]);
        Augmentations.Shift(image, 1, 0);
        Assert.Equal([1, 1, 1, 1, 1, 1, 2, 2, 2], image.Pixels);
    }

    [Fact]
    public void A_blurred_point_keeps_its_sum_and_is_symmetric()
    {
        RgbImage image = new(21, 21);
        image.Pixels.AsSpan(((10 * 21) + 10) * 3, 3).Fill(255);
        Augmentations.Blur(image, 1);
        int[] red = [.. Enumerable.Range(0, 441).Select(i => (int)image.Pixels[3 * i])];
        Assert.InRange(red.Sum(), 245, 265); // 255, but for rounding of each pixel
        Assert.Equal(Math.Round(255 / (2 * Math.PI)), red[220], 1.0); // the Gaussian's density at its center, deviation 1
        Assert.Equal(red, red.Reverse());
    }

    [Fact]
    public void A_warp_moves_every_pixel_by_one_similarity_and_keeps_the_center_near()
    {
        RgbImage image = new(112, 112);
        image.Pixels.AsSpan(((56 * 112) + 56) * 3, 3).Fill(255);
        for (int seed = 0; seed < 50; seed++)
        {
            RgbImage warped = new(112, 112, [.. image.Pixels]);
            Augmentations.Warp(warped, new SeededRandom(seed, RandomStream.Augmentation));
            int brightest = Enumerable.Range(0, 112 * 112).MaxBy(i => warped.Pixels[3 * i]);
            Assert.InRange(brightest % 112, 56 - 13, 56 + 13); // 8 % of the side, magnified by 1.18, and rounding
            Assert.InRange(brightest / 112, 56 - 13, 56 + 13);
        }
    }

    [Fact]
    public void A_mix_is_the_weighted_mean_of_two_images()
    {
        RgbImage image = new(1, 1, [100, 0, 255]);
        Augmentations.Mix(image, new RgbImage(1, 1, [200, 100, 255]), 0.25);
        Assert.Equal([125, 25, 255], image.Pixels);
    }

    [Fact]
    public void An_augmented_image_is_a_new_one()
    {
        RgbImage image = MemoryDataset.Image(3, Width, Height);
        byte[] before = [.. image.Pixels];
        Augmenter augmenter = new(All with { Warp = 1, Mix = 1, Flip = 1 });
        RgbImage first = augmenter.Apply(image, new SeededRandom(1, RandomStream.Augmentation), _ => image);
        byte[] kept = [.. first.Pixels];
        augmenter.Apply(image, new SeededRandom(2, RandomStream.Augmentation), _ => image);
        Assert.Equal(before, image.Pixels);
        Assert.Equal(kept, first.Pixels);
    }

    [Fact]
    public void Erasing_covers_2_to_30_percent_in_one_color()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            RgbImage image = new(112, 112, [.. Enumerable.Range(0, 112 * 112 * 3).Select(i => (byte)(i % 3 == 0 ? 1 : 2))]);
            byte[] before = [.. image.Pixels];
            Augmentations.Erase(image, new SeededRandom(seed));
            int[] changed = [.. Enumerable.Range(0, 112 * 112).Where(i => !image.Pixels.AsSpan(3 * i, 3).SequenceEqual(before.AsSpan(3 * i, 3)))];
            Assert.InRange(changed.Length / (112.0 * 112), 0.018, 0.31);
            Assert.Single(changed.Select(i => (image.Pixels[3 * i], image.Pixels[(3 * i) + 1], image.Pixels[(3 * i) + 2])).Distinct());
        }
    }

    [Fact]
    public void Options_read_back_what_they_print()
    {
        foreach (AugmentOptions options in new[] { AugmentOptions.None, AugmentOptions.Default, All, All with { Blur = 0.125, Flip = 0 } })
        {
            Assert.Equal(options, AugmentOptions.Parse(options.ToString()));
        }

        Assert.Equal(AugmentOptions.None with { Flip = 0.5, Color = 0.2 }, AugmentOptions.Parse("flip, color"));
        UniFaceException unknown = Assert.Throws<UniFaceException>(() => AugmentOptions.Parse("rotate"));
        Assert.Contains("flip, shift, color, blur, lowres, erase", unknown.Message, StringComparison.Ordinal);
        Assert.Throws<UniFaceException>(() => AugmentOptions.Parse("flip=1.5"));
        Assert.Throws<UniFaceException>(() => AugmentOptions.Parse("flip=NaN"));
    }

    private static float[] Apply(Augmenter augmenter, RgbImage image, long seed)
    {
        float[] planes = new float[3 * image.Width * image.Height];
        PixelNormalization.Default.Apply(augmenter.Apply(image, new SeededRandom(seed), _ => image).Pixels, planes);
        return planes;
    }
}
