using Microsoft.Extensions.AI;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;
using UniFace.Vision.Onnx;
using UniFace.Vision.Photos;

namespace UniFace.Vision.Tests;

/// <summary>The generator gives the embeddings of the recognizer, and names a photo that it cannot embed.</summary>
public sealed class FaceEmbeddingGeneratorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_generator_returns_the_embedders_values_in_the_order_of_the_photos()
    {
        RgbImage[] photos = [.. Enumerable.Range(0, 7).Select(seed => TestImages.Noise(112, 112, seed))];
        using FaceEmbeddingGenerator faces = Open(new PhotoOptions { Aligned = true });
        IEmbeddingGenerator<DataContent, Embedding<float>> generator = AsAny(faces);
        OnnxEmbedder embedder = generator.GetService<OnnxEmbedder>()!;
        float[] expected = embedder.Embed(photos);
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(photos.Select(p => new DataContent(ImageEncoder.Png(p), "image/png")));
        Assert.Equal(expected, embeddings.SelectMany(e => e.Vector.ToArray()));
        Assert.All(embeddings, e => Assert.Equal(embedder.Manifest.ContractId, e.ModelId));
        Assert.Equal(8, generator.GetService<EmbeddingGeneratorMetadata>()!.DefaultModelDimensions);
        EmbeddingGenerationOptions other = new() { Dimensions = 512 };
        UniFaceException refused = await Assert.ThrowsAsync<UniFaceException>(() => generator.GenerateAsync([], other));
        Assert.Contains("512", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_photo_without_a_face_and_a_file_that_is_not_an_image_are_refused_by_name()
    {
        using FaceEmbeddingGenerator generator = Open(new PhotoOptions { CustomDetector = new Blind() });
        DataContent photo = new(ImageEncoder.Png(TestImages.Noise(50, 50, 1)), "image/png") { Name = "wall.png" };
        DataContent text = new(new byte[] { 1, 2 }, "image/png");
        Assert.StartsWith("wall.png: no face found", await MessageAsync(photo), StringComparison.Ordinal);
        Assert.StartsWith("photo 1: not an image", await MessageAsync(photo, text), StringComparison.Ordinal);

        async Task<string> MessageAsync(params DataContent[] photos) =>
            (await Assert.ThrowsAsync<UniFaceException>(() => generator.GenerateAsync(photos))).Message;
    }

    private static IEmbeddingGenerator<DataContent, Embedding<float>> AsAny(IEmbeddingGenerator<DataContent, Embedding<float>> generator) => generator;

    private FaceEmbeddingGenerator Open(PhotoOptions photos)
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 112, 112, 8);
        OnnxEmbedder embedder = OnnxEmbedder.Open(path, new ModelManifest { EmbeddingSize = 8, OnnxSha256 = "" });
        return new FaceEmbeddingGenerator(new FaceRecognizer(ModelPackage.Open(path), embedder, photos));
    }

    private sealed class Blind : IFaceDetector
    {
        public string Name => "blind";

        public IReadOnlyList<DetectedFace> Detect(RgbImage photo) => [];

        public void Dispose()
        {
        }
    }
}
