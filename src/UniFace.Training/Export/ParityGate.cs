namespace UniFace.Training.Export;

/// <summary>Agreement of two embedders of the same model.</summary>
/// <param name="Batch1">Smallest cosine between the two embeddings of an image, embedded one by one.</param>
/// <param name="Batch7">The same for seven images in one batch.</param>
internal sealed record ParityResult(double Batch1, double Batch7)
{
    /// <summary>The smaller of the two; NaN if one is.</summary>
    public double Cosine => Math.Min(Batch1, Batch7);

    /// <summary>Whether both cosines reach <see cref="ParityGate.MinCosine"/>.</summary>
    public bool Passed => Cosine >= ParityGate.MinCosine;
}

/// <summary>
/// Compares a model before and after export on generated images, which are the same on every machine: pixel noise, which excites every filter, and
/// blurred noise of high contrast, which is closer to photos.
/// </summary>
internal static class ParityGate
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

    /// <summary>Seven images, alternating sharp and blurred noise.</summary>
    private static RgbImage[] CreateImages(int width, int height)
    {
        Random random = new(Seed);
        RgbImage[] images = [.. Enumerable.Range(0, Images).Select(_ => new RgbImage(width, height))];
        for (int i = 0; i < Images; i++)
        {
            random.NextBytes(images[i].Pixels);
            if (i % 2 == 1)
            {
                Augmentations.Blur(images[i], deviation: 6);
                Augmentations.Color(images[i], brightness: 1, contrast: 10, saturation: 1);
            }
        }

        return images;
    }

    private static double SmallestCosine(IEmbedder trained, IEmbedder exported, RgbImage[] images)
    {
        int size = trained.EmbeddingSize;
        float[] expected = trained.Embed(images), actual = exported.Embed(images); // [images, D]
        return Enumerable.Range(0, images.Length).Min(i => (double)TensorPrimitives.CosineSimilarity<float>(
            expected.AsSpan(i * size, size), actual.AsSpan(i * size, size)));
    }
}
