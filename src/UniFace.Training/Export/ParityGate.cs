using UniFace.Embeddings;
using UniFace.Faces;

namespace UniFace.Training.Export;

/// <summary>How alike two embedders of one model are.</summary>
/// <param name="Batch1">Smallest cosine between both embeddings of a picture, pictures embedded one by one.</param>
/// <param name="Batch7">The same, seven pictures in one batch.</param>
public sealed record ParityResult(double Batch1, double Batch7)
{
    /// <summary>The smaller of both; NaN where one is.</summary>
    public double Cosine => Math.Min(Batch1, Batch7);

    /// <summary>Whether a package may be written: both cosines reach <see cref="ParityGate.MinCosine"/>.</summary>
    public bool Passed => Cosine >= ParityGate.MinCosine;
}

/// <summary>
/// Compares a model before and after export on pictures that it makes itself: pixel noise, which shakes every filter, and smooth
/// waves, which look more like photos. Both are the same on every machine.
/// </summary>
public static class ParityGate
{
    /// <summary>A package whose embeddings have a smaller cosine with the trained ones is refused.</summary>
    public const double MinCosine = 0.9999;

    private const int Pictures = 7;
    private const int Seed = 20230713;

    /// <summary>Embeds the pictures by both, one by one and in a batch of seven.</summary>
    /// <param name="trained">The model as it was trained.</param>
    /// <param name="exported">The model as it was written; of the same sizes.</param>
    public static ParityResult Measure(IEmbedder trained, IEmbedder exported)
    {
        ArgumentNullException.ThrowIfNull(trained);
        ArgumentNullException.ThrowIfNull(exported);
        RgbImage[] pictures = CreatePictures(trained.InputSize.Width, trained.InputSize.Height);
        RgbImage[][] single = [[pictures[0]], [pictures[1]]];
        return new ParityResult(single.Min(picture => SmallestCosine(trained, exported, picture)), SmallestCosine(trained, exported, pictures));
    }

    /// <summary>Seven pictures, noise and waves in turn.</summary>
    internal static RgbImage[] CreatePictures(int width, int height)
    {
        Random random = new(Seed);
        RgbImage[] pictures = new RgbImage[Pictures];
        for (int i = 0; i < Pictures; i++)
        {
            pictures[i] = new RgbImage(width, height);
            if (i % 2 == 0)
            {
                random.NextBytes(pictures[i].Pixels);
            }
            else
            {
                PaintWaves(pictures[i], random);
            }
        }

        return pictures;
    }

    /// <summary>A sum of a few long waves in each colour.</summary>
    private static void PaintWaves(RgbImage picture, Random random)
    {
        const int Waves = 5;
        const double MostPeriods = 4;
        for (int channel = 0; channel < 3; channel++)
        {
            double level = 60 + (random.NextDouble() * 130);
            (double X, double Y, double Phase, double Height)[] waves = new (double, double, double, double)[Waves];
            for (int i = 0; i < Waves; i++)
            {
                waves[i] = (Periods(), Periods(), random.NextDouble() * Math.Tau, random.NextDouble() * 40);
            }

            for (int y = 0; y < picture.Height; y++)
            {
                for (int x = 0; x < picture.Width; x++)
                {
                    double value = level;
                    foreach ((double px, double py, double phase, double height) in waves)
                    {
                        value += height * Math.Sin((Math.Tau * ((px * x / picture.Width) + (py * y / picture.Height))) + phase);
                    }

                    picture.Pixels[(((y * picture.Width) + x) * 3) + channel] = (byte)Math.Clamp(Math.Round(value), 0, 255);
                }
            }
        }

        double Periods() => (random.NextDouble() * 2 * MostPeriods) - MostPeriods;
    }

    private static double SmallestCosine(IEmbedder trained, IEmbedder exported, RgbImage[] pictures)
    {
        int size = trained.EmbeddingSize;
        float[] expected = trained.Embed(pictures); // [pictures, D]
        float[] actual = exported.Embed(pictures); // [pictures, D]
        double smallest = 1;
        for (int i = 0; i < pictures.Length; i++)
        {
            double product = 0, squareExpected = 0, squareActual = 0;
            for (int k = i * size; k < (i + 1) * size; k++)
            {
                product += (double)expected[k] * actual[k];
                squareExpected += (double)expected[k] * expected[k];
                squareActual += (double)actual[k] * actual[k];
            }

            smallest = Math.Min(smallest, product / Math.Sqrt(squareExpected * squareActual));
        }

        return smallest;
    }
}
