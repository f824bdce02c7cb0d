using BenchmarkDotNet.Attributes;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Synthetic;
using UniFace.Training.Data;
using UniFace.Vision.Imaging;

namespace UniFace.MicroBenchmarks;

/// <summary>The loader's work on 64 images: decoding, and decoding, augmenting and normalizing them into a batch.</summary>
public class ImageBenchmarks
{
    private const int Images = 64;
    private readonly SkiaImageDecoder decoder = new();
    private string folder = "";
    private FaceDataset data = null!;
    private BatchLoader plain = null!;
    private BatchLoader augmented = null!;
    private byte[][] encoded = [];

    [GlobalSetup]
    public void Setup()
    {
        folder = Directory.CreateTempSubdirectory("uniface-bench-").FullName;
        new SyntheticFaces(1, 1).Write(folder, 0, 8, Images / 8, false, () => { }, CancellationToken.None);
        data = FaceDatasets.Open(folder);
        encoded = [.. Enumerable.Range(0, Images).Select(data.Read)];
        plain = Loader(AugmentOptions.None);
        augmented = Loader(AugmentOptions.Parse("flip=0.5,shift=1,color=1,blur=1,lowres=1,erase=1"));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        data.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = Images)]
    public int Decode()
    {
        int pixels = 0;
        foreach (byte[] file in encoded)
        {
            RgbImage image = decoder.Decode(file, "image");
            pixels += image.Width * image.Height;
        }

        return pixels;
    }

    [Benchmark(OperationsPerInvoke = Images)]
    public void Batch() => Read(plain);

    [Benchmark(OperationsPerInvoke = Images)]
    public void AugmentedBatch() => Read(augmented);

    private static void Read(BatchLoader loader)
    {
        foreach (TrainingBatch batch in loader.Read(0))
        {
            batch.Dispose();
        }
    }

    private BatchLoader Loader(AugmentOptions augment) =>
        new(data, decoder, new UniformSampler(Images, 1), augment, new LoaderOptions { BatchSize = Images, Seed = 1, CacheBytes = 0 });
}
