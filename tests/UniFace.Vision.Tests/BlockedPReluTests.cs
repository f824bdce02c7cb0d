using CsCheck;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests;

public sealed class BlockedPReluTests : IDisposable
{
    private const int Side = 16, Channels = 16;

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_network_with_PRelu_gives_what_PRelu_is_for_negative_slopes_and_slopes_above_one_too(bool leadingOne)
    {
        Random random = new(3);
        float[] weights = [.. Enumerable.Range(0, Channels * 3).Select(_ => (float)random.NextDouble() - 0.5f)];
        float[] slopes = [.. Enumerable.Range(0, Channels).Select(i => (i - 4) / 5f)];
        byte[] model = Model(weights, slopes, leadingOne);
        byte[]? rewritten = BlockedPRelu.Rewrite(model);
        Assert.NotNull(rewritten);
        Assert.Null(BlockedPRelu.Rewrite(rewritten)); // none is left
        string path = Path.Combine(folder, "m.onnx");
        File.WriteAllBytes(path, model);
        ModelManifest manifest = new() { EmbeddingSize = Channels * Side * Side, InputWidth = Side, InputHeight = Side, OnnxSha256 = "" };
        using OnnxEmbedder embedder = OnnxEmbedder.Open(path, manifest, threads: 2);
        RgbImage[] faces = [.. Enumerable.Range(0, 5).Select(seed => Pictures.Noise(Side, Side, seed))];
        float[] actual = embedder.Embed(faces);
        for (int f = 0; f < faces.Length; f++)
        {
            double[] expected = new double[manifest.EmbeddingSize];
            for (int c = 0; c < Channels; c++)
            {
                for (int p = 0; p < Side * Side; p++)
                {
                    double y = Enumerable.Range(0, 3).Sum(k => weights[(c * 3) + k] * (faces[f].Pixels[(p * 3) + k] - 127.5) / 127.5);
                    expected[(c * Side * Side) + p] = y >= 0 ? y : slopes[c] * y;
                }
            }

            double norm = Math.Sqrt(expected.Sum(v => v * v));
            Assert.All(Enumerable.Range(0, expected.Length), i => Assert.Equal(expected[i] / norm, actual[(f * expected.Length) + i], 1e-5));
        }
    }

    [Fact]
    public void A_slope_for_all_channels_and_bytes_that_are_no_model_are_left_alone() =>
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            BlockedPRelu.Rewrite(bytes);
            byte[] model = Model(new float[Channels * 3], new float[Channels], true);
            for (int i = 0; i < bytes.Length && i < model.Length; i += 7)
            {
                model[(i * 31) % model.Length] ^= bytes[i];
            }

            BlockedPRelu.Rewrite(model);
        });

    private static byte[] Model(float[] weights, float[] slopes, bool leadingOne)
    {
        using MemoryStream graph = new();
        Node(graph, "Conv", ["x", "w"], "c");
        Node(graph, "PRelu", ["c", "s"], "p");
        Node(graph, "Flatten", ["p"], "y");
        ProtoFields.Write(graph, 2, "g");
        Tensor(graph, "w", weights, Channels, 3, 1, 1);
        Tensor(graph, "s", slopes, leadingOne ? [1, Channels, 1, 1] : [Channels, 1, 1]);
        Value(graph, 11, "x", 3, Side, Side);
        Value(graph, 12, "y", Channels * Side * Side);
        using MemoryStream opset = new(), model = new();
        ProtoFields.Write(opset, 2, 17);
        ProtoFields.Write(model, 1, 8);
        ProtoFields.Write(model, 7, graph.ToArray());
        ProtoFields.Write(model, 8, opset.ToArray());
        return model.ToArray();
    }

    private static void Node(Stream graph, string op, string[] inputs, string output)
    {
        using MemoryStream node = new();
        foreach (string input in inputs)
        {
            ProtoFields.Write(node, 1, input);
        }

        ProtoFields.Write(node, 2, output);
        ProtoFields.Write(node, 4, op);
        ProtoFields.Write(graph, 1, node.ToArray());
    }

    private static void Tensor(Stream graph, string name, float[] values, params int[] dims)
    {
        using MemoryStream tensor = new();
        foreach (int dim in dims)
        {
            ProtoFields.Write(tensor, 1, (ulong)dim);
        }

        ProtoFields.Write(tensor, 2, 1);
        ProtoFields.Write(tensor, 8, name);
        ProtoFields.Write(tensor, 9, ProtoFields.Bytes(values));
        ProtoFields.Write(graph, 5, tensor.ToArray());
    }

    private static void Value(Stream graph, int field, string name, params int[] dims)
    {
        using MemoryStream shape = new(), free = new(), tensor = new(), type = new(), value = new();
        ProtoFields.Write(free, 2, "N");
        ProtoFields.Write(shape, 1, free.ToArray());
        foreach (int dim in dims)
        {
            using MemoryStream side = new();
            ProtoFields.Write(side, 1, (ulong)dim);
            ProtoFields.Write(shape, 1, side.ToArray());
        }

        ProtoFields.Write(tensor, 1, 1);
        ProtoFields.Write(tensor, 2, shape.ToArray());
        ProtoFields.Write(type, 1, tensor.ToArray());
        ProtoFields.Write(value, 1, name);
        ProtoFields.Write(value, 2, type.ToArray());
        ProtoFields.Write(graph, field, value.ToArray());
    }
}
