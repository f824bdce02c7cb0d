using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests;

public sealed class OnnxEmbedderTests : IDisposable
{
    private const int Side = 16;
    private const int Size = 20;

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(false, false, ColorOrder.Rgb)]
    [InlineData(false, true, ColorOrder.Rgb)]
    [InlineData(true, false, ColorOrder.Rgb)]
    [InlineData(true, true, ColorOrder.Bgr)]
    [InlineData(false, false, ColorOrder.Bgr)]
    public void Embeddings_are_the_networks_own_for_colour_order_normalisation_and_flip_sum(bool fixedBatch, bool flipSum, ColorOrder order)
    {
        string path = Path.Combine(folder, "m.onnx");
        float[] weights = TinyOnnx.WriteEmbedder(path, Side, Side, Size, fixedBatch);
        using OnnxEmbedder embedder = Embedders.Open(path, new EmbedderOptions { Normalization = new(100, 50), ColorOrder = order, FlipSum = flipSum, Threads = 2 });
        Assert.Equal((Size, (Side, Side)), (embedder.EmbeddingSize, embedder.InputSize));
        RgbImage[] faces = [.. Enumerable.Range(0, 37).Select(i => Pictures.Noise(Side, Side, i))];
        float[] embeddings = embedder.Embed(faces);
        Assert.Equal(37 * Size, embeddings.Length);
        for (int i = 0; i < faces.Length; i++)
        {
            double[] expected = Expected(faces[i], weights, order, flipSum);
            for (int d = 0; d < Size; d++)
            {
                Assert.Equal(expected[d], embeddings[(i * Size) + d], 1e-4);
            }
        }
    }

    [Fact]
    public void Many_threads_on_one_embedder_get_the_same_as_one()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, Side, Side, Size);
        using OnnxEmbedder embedder = Embedders.Open(path);
        RgbImage[] faces = [.. Enumerable.Range(0, 8).Select(i => Pictures.Noise(Side, Side, i))];
        float[] expected = embedder.Embed(faces);
        Parallel.For(0, 32, _ => Assert.Equal(expected, embedder.Embed(faces)));
        Assert.Empty(embedder.Embed([]));
    }

    [Fact]
    public void A_face_of_another_size_and_values_that_are_not_finite_are_named()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, Side, Side, Size);
        using (OnnxEmbedder embedder = Embedders.Open(path))
        {
            Assert.Contains("face 1 of the batch is 8x8 pixels", Assert.Throws<UniFaceException>(() => embedder.Embed([new(Side, Side), new(8, 8)])).Message, StringComparison.Ordinal);
        }

        TinyOnnx.WriteEmbedder(path, Side, Side, Size, weight: float.NaN);
        using OnnxEmbedder broken = Embedders.Open(path);
        Assert.Contains("value 0 of the embedding of face 0 of the batch is NaN", Assert.Throws<UniFaceException>(() => broken.Embed([new(Side, Side)])).Message, StringComparison.Ordinal);

        TinyOnnx.WriteEmbedder(path, Side, Side, Size, weight: 0);
        using OnnxEmbedder empty = Embedders.Open(path);
        Assert.Contains("has no direction", Assert.Throws<UniFaceException>(() => empty.Embed([new(Side, Side)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_package_opens_and_every_tampering_is_refused()
    {
        string package = Path.Combine(folder, "package"), onnx = Path.Combine(package, "model.onnx"), json = Path.Combine(package, ModelManifest.FileName);
        Directory.CreateDirectory(package);
        TinyOnnx.WriteEmbedder(onnx, 112, 112, Size);
        ModelManifest manifest = new() { EmbeddingSize = Size, OnnxSha256 = Sha256.HashFile(onnx), FlipSum = true };
        string good = System.Text.Json.JsonSerializer.Serialize(manifest, ModelManifest.Json);
        File.WriteAllText(json, good);
        using (OnnxEmbedder embedder = Embedders.Open(package))
        {
            Assert.True(embedder.Manifest.FlipSum);
            Assert.Equal(manifest.ContractId, embedder.Manifest.ContractId);
        }

        Refused("schema version 99", good.Replace("\"schemaVersion\": 1", "\"schemaVersion\": 99", StringComparison.Ordinal));
        Refused("no schemaVersion", "{}");
        Refused("not a model manifest", "{\"schemaVersion\": 1");
        Refused("not a model manifest", "{\"schemaVersion\": 1}");
        Refused("contract id", good.Replace("\"flipSum\": true", "\"flipSum\": false", StringComparison.Ordinal));
        Refused("onnxFile", good.Replace("\"model.onnx\"", "\"../model.onnx\"", StringComparison.Ordinal));
        Refused("embeddingSize", good.Replace($"\"embeddingSize\": {Size}", "\"embeddingSize\": 0", StringComparison.Ordinal));
        Refused("alignmentTemplate", good.Replace("arcface-112", "my-own", StringComparison.Ordinal));
        Refused("onnxSha256", good.Replace(manifest.OnnxSha256, "abc", StringComparison.Ordinal));

        File.WriteAllText(json, good);
        Assert.Contains("leave out --normalize and --color", Assert.Throws<UniFaceException>(() => Embedders.Open(package, new EmbedderOptions { ColorOrder = ColorOrder.Bgr })).Message, StringComparison.Ordinal);
        byte[] bytes = File.ReadAllBytes(onnx);
        bytes[^100] ^= 1;
        File.WriteAllBytes(onnx, bytes);
        Assert.Contains("was changed or damaged", Assert.Throws<UniFaceException>(() => Embedders.Open(package)).Message, StringComparison.Ordinal);
        File.Delete(onnx);
        Assert.Contains("missing", Assert.Throws<UniFaceException>(() => Embedders.Open(package)).Message, StringComparison.Ordinal);
        File.Delete(json);
        Assert.Contains("model.json: missing", Assert.Throws<UniFaceException>(() => Embedders.Open(package)).Message, StringComparison.Ordinal);
        Assert.Contains("no such model package", Assert.Throws<UniFaceException>(() => Embedders.Open(Path.Combine(folder, "nowhere"))).Message, StringComparison.Ordinal);

        void Refused(string why, string text)
        {
            File.WriteAllText(json, text);
            Assert.Contains(why, Assert.Throws<UniFaceException>(() => Embedders.Open(package)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_embedding_is_the_output_of_that_shape_and_name_whatever_stands_before_it()
    {
        string path = Path.Combine(folder, "m.onnx");
        float[] expected = WithOutputs([("norm", 1), ("embedding", 32)], null)!;
        Assert.Equal(32, expected.Length);
        Assert.Equal(expected, WithOutputs([("norm", 1), ("embedding", 32)], "embedding"));
        Assert.Equal(32, WithOutputs([("logits", 40), ("embedding", 32), ("age", 1)], null)!.Length);
        Assert.Equal(40, WithOutputs([("logits", 40), ("embedding", 32)], "logits")!.Length);
        Assert.Equal(4, WithOutputs([("y", 4)], "y")!.Length);

        Refused([("a", 32), ("b", 64)], null, "several outputs could be the embedding; it has 'a' Float ?x32, 'b' Float ?x64. Name it: --output NAME.");
        Refused([("emb1", 32), ("emb2", 32)], null, "several outputs could be the embedding");
        Refused([("norm", 1)], null, "no output is an embedding, Float NxD with D of 16 or more; it has 'norm' Float ?x1");
        Refused([("y", 15)], null, "D of 16 or more");
        Refused([("norm", 1), ("y", 32)], "norm", "--output norm is no output of Float NxD with D of 2 or more; it has 'norm' Float ?x1, 'y' Float ?x32.");
        Refused([("norm", 1), ("y", 32)], "z", "--output z is no output");

        // A manifest states the size, and the two outputs of it are a doubt again.
        TinyOnnx.WriteOutputs(path, 112, 112, [("norm", 1), ("y", 8), ("z", 32)]);
        ModelManifest manifest = new() { EmbeddingSize = 8, OnnxSha256 = Sha256.HashFile(path) };
        using (OnnxEmbedder embedder = OnnxEmbedder.Open(path, manifest))
        {
            Assert.Equal(8, embedder.EmbeddingSize);
        }

        Assert.NotEqual(manifest.ContractId, (manifest with { Output = "y" }).ContractId);

        float[]? WithOutputs((string, int)[] outputs, string? output)
        {
            TinyOnnx.WriteOutputs(path, Side, Side, outputs);
            using OnnxEmbedder embedder = Embedders.Open(path, new EmbedderOptions { Output = output });
            return embedder.Embed([Pictures.Noise(Side, Side, 1)]);
        }

        void Refused((string, int)[] outputs, string? output, string why) =>
            Assert.Contains(why, Assert.Throws<UniFaceException>(() => WithOutputs(outputs, output)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_that_does_not_fit_the_network_is_refused()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 112, 112, Size);
        ModelManifest manifest = new() { EmbeddingSize = Size + 1, OnnxSha256 = Sha256.HashFile(path) };
        Assert.Contains("its manifest says 21", Assert.Throws<UniFaceException>(() => OnnxEmbedder.Open(path, manifest)).Message, StringComparison.Ordinal);
        Assert.Contains("its manifest says 128x112", Assert.Throws<UniFaceException>(() => OnnxEmbedder.Open(path, manifest with { EmbeddingSize = Size, InputWidth = 128 })).Message, StringComparison.Ordinal);
    }

    private static double[] Expected(RgbImage face, float[] weights, ColorOrder order, bool flipSum)
    {
        double[] sum = new double[Size];
        for (int mirrored = 0; mirrored < (flipSum ? 2 : 1); mirrored++)
        {
            for (int c = 0; c < 3; c++)
            {
                for (int y = 0; y < Side; y++)
                {
                    for (int x = 0; x < Side; x++)
                    {
                        int column = mirrored == 1 ? Side - 1 - x : x, channel = order == ColorOrder.Rgb ? c : 2 - c;
                        double value = (face.Pixels[(((y * Side) + column) * 3) + channel] - 100.0) / 50;
                        for (int d = 0; d < Size; d++)
                        {
                            sum[d] += value * weights[((((c * Side) + y) * Side) + x) * Size + d];
                        }
                    }
                }
            }
        }

        double norm = Math.Sqrt(sum.Sum(v => v * v));
        return [.. sum.Select(v => v / norm)];
    }
}
