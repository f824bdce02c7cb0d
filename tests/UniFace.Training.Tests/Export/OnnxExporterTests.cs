using System.Globalization;
using TorchSharp;
using UniFace.IO;
using UniFace.Onnx.Schema;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Export;
using UniFace.Vision.Onnx;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Export;

public sealed class OnnxExporterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-onnx-").FullName;

    public static IEnumerable<TheoryDataRow<string, double, int>> Backbones =>
        [.. PrimedBackbone.Tested.Select(name => new TheoryDataRow<string, double, int>(name, 1, 512)), new("mobilefacenet", 0.5, 128)];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Backbones))]
    public void Onnx_runtime_gives_the_embeddings_of_the_backbone(string name, double width, int size)
    {
        using Backbone backbone = PrimedBackbone.Create(name, size, width);
        string path = Path.Combine(folder, "model.onnx");
        OnnxExporter.Write(backbone, path);
        ModelManifest manifest = BackboneRegistry.Manifest(backbone.Spec) with { FlipSum = false, OnnxSha256 = Sha256.HashFile(path) };
        using OnnxEmbedder exported = OnnxEmbedder.Open(path, manifest);
        using BackboneEmbedder trained = new(backbone, flipSum: false, ownsBackbone: false);
        ParityResult parity = ParityGate.Measure(trained, exported);
        Assert.True(parity.Cosine > 0.999999, $"{parity}");
    }

    [Theory]
    [InlineData("mobilefacenet", 0)]
    [InlineData("iresnet18", 8)]
    [InlineData("efficientnet-b0", 0)]
    public void Only_a_batch_norm_before_a_padded_convolution_is_not_folded(string name, int expected)
    {
        using Backbone backbone = PrimedBackbone.Create(name);
        ModelProto model = OnnxExporter.Build(backbone);
        Assert.Equal(expected, model.Graph.Node.Count(node => node.OpType == "BatchNormalization"));
        int convolutions = backbone.named_modules().Sum(m => m.module switch { ConvNorm => 1, SqueezeExcite => 2, _ => 0 });
        Assert.Equal(convolutions, model.Graph.Node.Count(node => node.OpType == "Conv"));
        Assert.Single(model.Graph.Node, node => node.OpType == "Gemm");
    }

    [Fact]
    public void The_model_names_its_input_output_versions_and_producer()
    {
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", 0.25, 64), seed: 1);
        ModelProto model = OnnxExporter.Build(backbone);
        ValueInfoProto input = Assert.Single(model.Graph.Input);
        ValueInfoProto output = Assert.Single(model.Graph.Output);
        Assert.Equal("input", input.Name);
        Assert.Equal("embedding", output.Name);
        Assert.Equal("batch,3,112,112", Shape(input));
        Assert.Equal("batch,64", Shape(output));
        Assert.Equal(17, Assert.Single(model.OpsetImport).Version);
        Assert.Equal(8, model.IrVersion);
        Assert.Equal("UniFace", model.ProducerName);
        Assert.Contains(model.MetadataProps, entry => entry.Key == "producer" && entry.Value == $"UniFace {ToolVersion.Current}");
        Assert.Contains(model.MetadataProps, entry => entry.Key == "backbone" && entry.Value == backbone.Spec.ToString());

        static string Shape(ValueInfoProto value) => string.Join(',', value.Type.TensorType.Shape.Dim.Select(
            d => d.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam ? d.DimParam : d.DimValue.ToString(CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void The_same_weights_give_the_same_bytes_and_others_do_not()
    {
        string Hash(long seed)
        {
            using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", 0.25), seed);
            string path = Path.Combine(folder, "model.onnx");
            OnnxExporter.Write(backbone, path);
            return Sha256.HashFile(path);
        }

        string first = Hash(5);
        rand(1000).Dispose();
        Assert.Equal(first, Hash(5));
        Assert.NotEqual(first, Hash(6));
    }

    [Fact]
    public void Writing_changes_no_backbone_and_leaks_no_tensor()
    {
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("iresnet18"), seed: 1);
        backbone.train();
        long live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        OnnxExporter.Write(backbone, Path.Combine(folder, "model.onnx"));
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.All(backbone.named_modules(), m => Assert.True(m.module.training));
        Assert.All(backbone.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_backbone_without_onnx_is_refused_by_name()
    {
        using Opaque backbone = new();
        UniFaceException e = Assert.Throws<UniFaceException>(() => OnnxExporter.Write(backbone, Path.Combine(folder, "model.onnx")));
        Assert.Contains("opaque", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder));
    }

    private sealed class Opaque : Backbone
    {
        public Opaque()
            : base(new BackboneSpec("opaque"))
        {
        }

        public override Tensor forward(Tensor input) => input.flatten(1);
    }
}
