using Google.Protobuf;
using UniFace.Faces;
using UniFace.Onnx.Schema;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests.Onnx;

/// <summary>A rewritten network gives the embeddings of the original one; other models are left alone.</summary>
public sealed class BlockedPReluTests : IDisposable
{
    private const int Side = 16, Channels = 16;

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_rewritten_PRelu_has_the_values_of_PRelu_for_any_slope(bool leadingOne)
    {
        Random random = new(3);
        float[] weights = [.. Enumerable.Range(0, Channels * 3).Select(_ => (float)random.NextDouble() - 0.5f)];
        float[] slopes = [.. Enumerable.Range(0, Channels).Select(i => (i - 4) / 5f)];
        byte[] model = Model(weights, slopes, leadingOne);
        ModelProto rewritten = ModelProto.Parser.ParseFrom(model);
        Assert.True(BlockedPRelu.Rewrite(rewritten.Graph));
        Assert.DoesNotContain(rewritten.Graph.Node, node => node.OpType == "PRelu");
        Assert.False(BlockedPRelu.Rewrite(rewritten.Graph));
        string path = Path.Combine(folder, "m.onnx");
        File.WriteAllBytes(path, model);
        ModelManifest manifest = new() { EmbeddingSize = Channels * Side * Side, InputWidth = Side, InputHeight = Side, OnnxSha256 = "" };
        using OnnxEmbedder embedder = OnnxEmbedder.Open(path, manifest, threads: 2);
        RgbImage[] faces = [.. Enumerable.Range(0, 5).Select(seed => TestImages.Noise(Side, Side, seed))];
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
    public void A_model_with_one_slope_for_all_channels_is_left_alone()
    {
        GraphProto graph = ModelProto.Parser.ParseFrom(Model(new float[Channels * 3], new float[Channels], true)).Graph;
        graph.Initializer.Single(tensor => tensor.Name == "s").Dims[1] = 1;
        Assert.False(BlockedPRelu.Rewrite(graph));
    }

    [Fact]
    public void Damaged_models_with_PRelu_are_rewritten_or_refused()
    {
        string path = Path.Combine(folder, "damaged.onnx");
        Fuzzer.Run([Model(new float[Channels * 3], new float[Channels], true)], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            OnnxFile.Read(path);
        });
    }

    private static byte[] Model(float[] weights, float[] slopes, bool leadingOne)
    {
        TensorProto weight = OnnxMessages.Tensor<float>("w", TensorProto.Types.DataType.Float, [Channels, 3, 1, 1], weights);
        TensorProto slope = OnnxMessages.Tensor<float>("s", TensorProto.Types.DataType.Float, leadingOne ? [1, Channels, 1, 1] : [Channels, 1, 1], slopes);
        GraphProto graph = new()
        {
            Name = "g",
            Node = { OnnxMessages.Node("Conv", "c", "x", "w"), OnnxMessages.Node("PRelu", "p", "c", "s"), OnnxMessages.Node("Flatten", "y", "p") },
            Initializer = { weight, slope },
            Input = { Value("x", 3, Side, Side) },
            Output = { Value("y", Channels * Side * Side) },
        };
        return new ModelProto { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 } } }.ToByteArray();
    }

    private static ValueInfoProto Value(string name, params long[] dims)
    {
        TensorShapeProto shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        shape.Dim.Add(dims.Select(d => new TensorShapeProto.Types.Dimension { DimValue = d }));
        return new() { Name = name, Type = new TypeProto { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float, Shape = shape } } };
    }
}
