using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests.Onnx;

/// <summary>An embedder gives the values of its network for every input format, and refuses models and packages that do not fit.</summary>
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
    public void Embeddings_follow_color_order_normalization_and_flip_sum_of_the_manifest(bool fixedBatch, bool flipSum, ColorOrder order)
    {
        string path = Path.Combine(folder, "m.onnx");
        float[] weights = TinyOnnx.WriteEmbedder(path, Side, Side, Size, new TinyOnnx.Input(Batch: fixedBatch ? 1 : 0));
        FaceRecognizerOptions options = new() { Normalization = new(100, 50), ColorOrder = order, FlipSum = flipSum, Threads = 2 };
        using FaceRecognizer recognizer = FaceRecognizer.Open(path, options);
        Assert.Equal((Size, (Side, Side)), (recognizer.Embedder.EmbeddingSize, recognizer.Embedder.InputSize));
        RgbImage[] faces = [.. Enumerable.Range(0, 37).Select(i => TestImages.Noise(Side, Side, i))];
        float[] embeddings = recognizer.Embedder.Embed(faces);
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

    [Theory]
    [InlineData("float32", true, 0)]
    [InlineData("float32", false, 4)]
    [InlineData("float16", false, 0)]
    [InlineData("float16", true, 3)]
    [InlineData("uint8", false, 0)]
    [InlineData("uint8", true, 8)]
    public void Element_type_layout_and_batch_of_the_input_do_not_change_the_embedding(string type, bool channelsLast, int batch)
    {
        string path = Path.Combine(folder, "m.onnx");
        float[] weights = TinyOnnx.WriteEmbedder(path, Side, Side, Size, new TinyOnnx.Input(type, channelsLast, batch));
        PixelNormalization normalization = type == "uint8" ? new(0, 1) : PixelNormalization.Default;
        using FaceRecognizer recognizer = FaceRecognizer.Open(path, new FaceRecognizerOptions { FlipSum = true, Threads = 2 });
        Assert.Equal(normalization, recognizer.Manifest.Normalization);
        Assert.Equal((Side, Side), recognizer.Embedder.InputSize);
        RgbImage[] faces = [.. Enumerable.Range(0, 11).Select(i => TestImages.Noise(Side, Side, i))];
        float[] embeddings = recognizer.Embedder.Embed(faces);
        for (int i = 0; i < faces.Length; i++)
        {
            double[] expected = Expected(faces[i], weights, ColorOrder.Rgb, flipSum: true, normalization, channelsLast);
            Assert.All(expected.Zip(embeddings.Skip(i * Size)), pair => Assert.Equal(pair.First, pair.Second, type == "float16" ? 5e-3 : 1e-4));
        }
    }

    [Fact]
    public void A_uint8_input_takes_no_normalization_and_other_types_are_refused()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, Side, Side, Size, new TinyOnnx.Input("uint8"));
        FaceRecognizerOptions twice = new() { Normalization = PixelNormalization.Default };
        Refused.With("normalizes them itself", () => FaceRecognizer.Open(path, twice));

        TinyOnnx.WriteEmbedder(path, Side, Side, Size, new TinyOnnx.Input("int32"));
        Refused.With("is Int32 ?x3x16x16, expected Float, Float16 or UInt8 of Nx3xHxW or NxHxWx3", () => FaceRecognizer.Open(path));
    }

    [Fact]
    public void Embedding_on_many_threads_gives_the_same_values_as_on_one()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, Side, Side, Size);
        using FaceRecognizer recognizer = FaceRecognizer.Open(path);
        RgbImage[] faces = [.. Enumerable.Range(0, 8).Select(i => TestImages.Noise(Side, Side, i))];
        float[] expected = recognizer.Embedder.Embed(faces);
        Parallel.For(0, 32, _ => Assert.Equal(expected, recognizer.Embedder.Embed(faces)));
        Assert.Empty(recognizer.Embedder.Embed([]));
    }

    [Fact]
    public void A_face_of_another_size_and_a_value_that_is_not_finite_are_named()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, Side, Side, Size);
        using (FaceRecognizer recognizer = FaceRecognizer.Open(path))
        {
            Refused.With("face 1 of the batch is 8x8 pixels", () => recognizer.Embedder.Embed([new(Side, Side), new(8, 8)]));
        }

        TinyOnnx.WriteEmbedder(path, Side, Side, Size, weight: float.NaN);
        using FaceRecognizer broken = FaceRecognizer.Open(path);
        Refused.With("value 0 of the embedding of face 0 of the batch is NaN", () => broken.Embedder.Embed([new(Side, Side)]));

        TinyOnnx.WriteEmbedder(path, Side, Side, Size, weight: 0);
        using FaceRecognizer empty = FaceRecognizer.Open(path);
        Refused.With("has no direction", () => empty.Embedder.Embed([new(Side, Side)]));
    }

    [Fact]
    public void A_package_opens_and_every_modified_package_is_refused()
    {
        string package = Path.Combine(folder, "package"), onnx = Path.Combine(package, "model.onnx"), json = Path.Combine(package, ModelManifest.FileName);
        Directory.CreateDirectory(package);
        TinyOnnx.WriteEmbedder(onnx, 112, 112, Size);
        ModelManifest manifest = new() { EmbeddingSize = Size, OnnxSha256 = Sha256.HashFile(onnx), FlipSum = true };
        string good = System.Text.Json.JsonSerializer.Serialize(manifest, ModelManifest.Json);
        File.WriteAllText(json, good);
        using (FaceRecognizer recognizer = FaceRecognizer.Open(package))
        {
            Assert.True(recognizer.Manifest.FlipSum);
            Assert.Equal(manifest.ContractId, recognizer.ContractId);
        }

        RefusedPackage("schema version 99", good.Replace("\"schemaVersion\": 1", "\"schemaVersion\": 99", StringComparison.Ordinal));
        RefusedPackage("no schemaVersion", "{}");
        RefusedPackage("not a model manifest", "{\"schemaVersion\": 1");
        RefusedPackage("not a model manifest", "{\"schemaVersion\": 1}");
        RefusedPackage("contract id", good.Replace("\"flipSum\": true", "\"flipSum\": false", StringComparison.Ordinal));
        RefusedPackage("onnxFile", good.Replace("\"model.onnx\"", "\"../model.onnx\"", StringComparison.Ordinal));
        RefusedPackage("embeddingSize", good.Replace($"\"embeddingSize\": {Size}", "\"embeddingSize\": 0", StringComparison.Ordinal));
        RefusedPackage("alignmentTemplate", good.Replace("arcface-112", "my-own", StringComparison.Ordinal));
        RefusedPackage("onnxSha256", good.Replace(manifest.OnnxSha256, "abc", StringComparison.Ordinal));

        File.WriteAllText(json, good);
        FaceRecognizerOptions contradiction = new() { ColorOrder = ColorOrder.Bgr };
        Refused.With("normalization, color and output are options for bare .onnx files", () => FaceRecognizer.Open(package, contradiction));
        byte[] bytes = File.ReadAllBytes(onnx);
        bytes[^100] ^= 1;
        File.WriteAllBytes(onnx, bytes);
        Refused.With("was changed or damaged", () => FaceRecognizer.Open(package));
        File.Delete(onnx);
        Refused.With("missing", () => FaceRecognizer.Open(package));
        File.Delete(json);
        Refused.With("model.json: missing", () => FaceRecognizer.Open(package));
        Refused.With("no such model package", () => FaceRecognizer.Open(Path.Combine(folder, "nowhere")));
        Refused.With("nowhere.onnx: no such file", () => FaceRecognizer.Open(Path.Combine(folder, "nowhere.onnx")));

        void RefusedPackage(string why, string text)
        {
            File.WriteAllText(json, text);
            Refused.With(why, () => FaceRecognizer.Open(package));
        }
    }

    [Fact]
    public void The_embedding_output_is_found_by_shape_and_name_at_any_position()
    {
        string path = Path.Combine(folder, "m.onnx");
        float[] expected = WithOutputs([("norm", 1), ("embedding", 32)], null)!;
        Assert.Equal(32, expected.Length);
        Assert.Equal(expected, WithOutputs([("norm", 1), ("embedding", 32)], "embedding"));
        Assert.Equal(32, WithOutputs([("logits", 40), ("embedding", 32), ("age", 1)], null)!.Length);
        Assert.Equal(40, WithOutputs([("logits", 40), ("embedding", 32)], "logits")!.Length);
        Assert.Equal(4, WithOutputs([("y", 4)], "y")!.Length);

        RefusedOutputs(
            [("a", 32), ("b", 64)],
            null,
            "several outputs could be the embedding; it has 'a' Float ?x32, 'b' Float ?x64. Name it with the option 'output'.");
        RefusedOutputs([("emb1", 32), ("emb2", 32)], null, "several outputs could be the embedding");
        RefusedOutputs([("norm", 1)], null, "no output is an embedding, Float NxD with D of 16 or more; it has 'norm' Float ?x1");
        RefusedOutputs([("y", 15)], null, "D of 16 or more");
        RefusedOutputs([("norm", 1), ("y", 32)], "norm", "'norm' is not an output of Float NxD with D of 2 or more; it has 'norm' Float ?x1, 'y' Float ?x32.");
        RefusedOutputs([("norm", 1), ("y", 32)], "z", "'z' is not an output");

        // The size in a manifest selects the output.
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
            using FaceRecognizer recognizer = FaceRecognizer.Open(path, new FaceRecognizerOptions { Output = output });
            return recognizer.Embedder.Embed([TestImages.Noise(Side, Side, 1)]);
        }

        void RefusedOutputs((string, int)[] outputs, string? output, string why) =>
            Refused.With(why, () => WithOutputs(outputs, output));
    }

    [Fact]
    public void A_manifest_that_does_not_fit_the_network_is_refused()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 112, 112, Size);
        ModelManifest manifest = new() { EmbeddingSize = Size + 1, OnnxSha256 = Sha256.HashFile(path) };
        Refused.With("its manifest says 21", () => OnnxEmbedder.Open(path, manifest));
        Refused.With("its manifest says 128x112", () => OnnxEmbedder.Open(path, manifest with { EmbeddingSize = Size, InputWidth = 128 }));
    }

    private static double[] Expected(
        RgbImage face, float[] weights, ColorOrder order, bool flipSum, PixelNormalization? normalization = null, bool channelsLast = false)
    {
        (double mean, double deviation) = normalization is null ? (100, 50) : (normalization.Mean, normalization.Deviation);
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
                        double value = (face.Pixels[(((y * Side) + column) * 3) + channel] - mean) / deviation;
                        int row = channelsLast ? (((y * Side) + x) * 3) + c : (((c * Side) + y) * Side) + x;
                        for (int d = 0; d < Size; d++)
                        {
                            sum[d] += value * weights[(row * Size) + d];
                        }
                    }
                }
            }
        }

        double norm = Math.Sqrt(sum.Sum(v => v * v));
        return [.. sum.Select(v => v / norm)];
    }
}
