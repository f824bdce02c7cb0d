namespace UniFace.Training.Export;

/// <summary>Agreement of two embedders of the same model.</summary>
/// <param name="Batch1">Smallest cosine between the two embeddings of an image, embedded one by one.</param>
/// <param name="Batch7">The same for seven images in one batch.</param>
public sealed record ParityResult(double Batch1, double Batch7)
{
    /// <summary>The smaller of the two; NaN if one is.</summary>
    public double Cosine => Math.Min(Batch1, Batch7);

    /// <summary>Whether both cosines reach <see cref="ParityGate.MinCosine"/>.</summary>
    public bool Passed => Cosine >= ParityGate.MinCosine;
}

/// <summary>
/// Compares a model before and after export on generated images, which are the same on every machine: pixel noise, which excites every filter, and
/// smooth waves, which are closer to photos.
/// </summary>
public static class ParityGate
{
    /// <summary>A package is refused if its embeddings have a smaller cosine with the trained ones.</summary>
    public const double MinCosine = 0.9999;

    private const int Images = 7;
    private const int Seed = 20230713;

    /// <summary>Embeds the images with both models, one by one and in a batch of seven.</summary>
    /// <param name="trained">The trained model.</param>
    /// <param name="exported">The exported model, of the same sizes.</param>
    public static ParityResult Measure(IEmbedder trained, IEmbedder exported)
    {
        RgbImage[] images = CreateImages(trained.InputSize.Width, trained.InputSize.Height);
        RgbImage[][] single = [[images[0]], [images[1]]];
        return new ParityResult(single.Min(image => SmallestCosine(trained, exported, image)), SmallestCosine(trained, exported, images));
    }

    /// <summary>Seven images, alternating noise and waves.</summary>
    internal static RgbImage[] CreateImages(int width, int height)
    {
        Random random = new(Seed);
        RgbImage[] images = new RgbImage[Images];
        for (int i = 0; i < Images; i++)
        {
            images[i] = new RgbImage(width, height);
            if (i % 2 == 0)
            {
                random.NextBytes(images[i].Pixels);
            }
            else
            {
                DrawWaves(images[i], random);
            }
        }

        return images;
    }

    /// <summary>A sum of long waves in each color.</summary>
    private static void DrawWaves(RgbImage image, Random random)
    {
        const int Waves = 5;
        const double MaxPeriods = 4;
        for (int channel = 0; channel < 3; channel++)
        {
            double level = 60 + (random.NextDouble() * 130);
            (double X, double Y, double Phase, double Height)[] waves =
                [.. Enumerable.Range(0, Waves).Select(_ => (Periods(), Periods(), random.NextDouble() * Math.Tau, random.NextDouble() * 40))];
            for (int y = 0; y < image.Height; y++)
            {
                for (int x = 0; x < image.Width; x++)
                {
                    double value = level + waves.Sum(wave => wave.Height * Math.Sin(
                        (Math.Tau * ((wave.X * x / image.Width) + (wave.Y * y / image.Height))) + wave.Phase));
                    image.Pixels[(((y * image.Width) + x) * 3) + channel] = (byte)Math.Clamp(Math.Round(value), 0, 255);
                }
            }
        }

        double Periods() => (random.NextDouble() * 2 * MaxPeriods) - MaxPeriods;
    }

    private static double SmallestCosine(IEmbedder trained, IEmbedder exported, RgbImage[] images)
    {
        int size = trained.EmbeddingSize;
        float[] expected = trained.Embed(images), actual = exported.Embed(images); // [images, D]
        return Enumerable.Range(0, images.Length).Min(i => (double)TensorPrimitives.CosineSimilarity<float>(
            expected.AsSpan(i * size, size), actual.AsSpan(i * size, size)));
    }
}
