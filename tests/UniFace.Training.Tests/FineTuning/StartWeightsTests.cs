using System.Text.Json;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Training.Backbones;
using UniFace.Training.Export;
using UniFace.Training.FineTuning;
using UniFace.Training.Losses;
using UniFace.Training.Runs;
using UniFace.Vision.Models;
using UniFace.Vision.Onnx;
using ModelProto = UniFace.Onnx.Schema.ModelProto;

namespace UniFace.Training.Tests.FineTuning;

/// <summary>A backbone that starts from a package gives the package's embeddings, and is exported with the same input; anything else is refused.</summary>
public sealed class StartWeightsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-start-").FullName;

    public static TheoryData<string, double> Families => new()
    {
        { "mobilefacenet", 0.25 }, { "iresnet18", 1 }, { "efficientnet-b0", 1 }, { "dlib-resnet", 1 }, { "dlib-resnet-mapped", 1 },
    };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void Export(Backbone backbone, ModelManifest manifest, string package)
    {
        using PackageDraft draft = new(backbone, manifest, package, null);
        draft.Complete(null);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_package_of_every_family_gives_its_backbone_back(string name, double width)
    {
        using Backbone trained = PrimedBackbone.Create(name, 32, width);
        string package = Path.Combine(folder, "package");
        Export(trained, BackboneRegistry.Manifest(trained.Spec), package);
        using StartWeights start = StartWeights.Open(package);
        Assert.Equal(trained.Spec, start.Backbone.Spec);
        using BackboneEmbedder expected = new(trained, flipSum: false, ownsBackbone: false), actual = new(start.Backbone, flipSum: false, ownsBackbone: false);
        Assert.True(ParityGate.Measure(expected, actual).Cosine > 0.999999);
        Assert.Equal(start.Names.Count, start.Names.Select(n => n.Name).Distinct().Count());
        Assert.All(start.Names, n => Assert.Matches(@"^\w+_\d+\.\w+$", n.Source));
    }

    /// <summary>As in MobileFaceNets that others exported: no mark of UniFace, blue first, (pixel - 127) / 128, and a convolution as the last layer.</summary>
    [Fact]
    public void A_MobileFaceNet_of_others_is_known_by_its_operators_and_takes_UniFaces_pixels()
    {
        using Backbone trained = PrimedBackbone.Create("mobilefacenet", 32, 0.5);
        string package = Path.Combine(folder, "package"), onnx = Path.Combine(package, "model.onnx");
        Export(trained, BackboneRegistry.Manifest(trained.Spec), package);
        ModelManifest written = ModelPackage.Open(package).Manifest!;
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(onnx));
        model.MetadataProps.Clear();
        model.Graph.Name = "other";
        UniFace.Onnx.Schema.NodeProto last = model.Graph.Node.Single(n => n.OpType == "Gemm");
        UniFace.Onnx.Schema.NodeProto flatten = model.Graph.Node.Single(n => n.OpType == "Flatten");
        Google.Protobuf.Collections.RepeatedField<long> dims = model.Graph.Initializer.Single(i => i.Name == last.Input[1]).Dims;
        dims.Add([1, 1]);
        (last.OpType, last.Input[0]) = ("Conv", flatten.Input[0]);
        last.Attribute.Clear();
        (flatten.Input[0], flatten.Output[0], last.Output[0]) = ("map", last.Output[0], "map");
        model.Graph.Node.Remove(flatten);
        model.Graph.Node.Add(flatten);
        using (FileStream stream = File.Create(onnx))
        {
            Google.Protobuf.MessageExtensions.WriteTo(model, stream);
        }

        ModelManifest manifest = written with
        {
            OnnxSha256 = Sha256.HashFile(onnx),
            ColorOrder = ColorOrder.Bgr,
            Normalization = new PixelNormalization(127, 128),
            Training = null,
        };
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        using StartWeights start = StartWeights.Open(package);
        Assert.Equal(trained.Spec, start.Backbone.Spec);
        using OnnxEmbedder expected = OnnxEmbedder.Open(onnx, manifest);
        using BackboneEmbedder actual = new(start.Backbone, flipSum: false, ownsBackbone: false);
        Assert.True(ParityGate.Measure(expected, actual).Cosine > 0.9999);
        Assert.Equal((ColorOrder.Rgb, PixelNormalization.Default), (start.Options.Manifest.ColorOrder, start.Options.Manifest.Normalization));
    }

    /// <summary>The package is built from dlib's tensors by another builder than the backbone's exporter.</summary>
    [Fact]
    public void Dlibs_package_is_read_by_name_and_exported_with_its_template_size_normalization_and_mirror_mean()
    {
        string package = DlibPackage();
        using StartWeights start = StartWeights.Open(package);
        Assert.Equal(new BackboneSpec("dlib-resnet", 1, 128), start.Backbone.Spec);
        Assert.Equal(59, start.Names.Count); // 29 convolutions with biases and the last layer
        Assert.Contains(new ImportedWeight("body.6.first.weight", "conv64_down/conv1.weight"), start.Names);
        Assert.Contains(new ImportedWeight("body.17.weight", "fc.weight"), start.Names);
        ModelManifest manifest = ModelPackage.Open(package).Manifest!;
        using OnnxEmbedder expected = OnnxEmbedder.Open(Path.Combine(package, "model.onnx"), manifest);
        using BackboneEmbedder actual = new(start.Backbone, flipSum: true, ownsBackbone: false);
        Assert.True(ParityGate.Measure(expected, actual).Cosine > 0.99999);

        TrainOptions run = new() { Data = "", Loss = new UnifiedCrossEntropy(), Backbone = start.Backbone.Spec, FineTune = start.Options };
        Assert.Equal(("dlib-150", true), (run.CreateManifest().CreateTemplate().Name, run.CreateManifest().FlipSum));
        Assert.Equal("dlib-150", (run with { FineTune = null }).CreateManifest().CreateTemplate().Name);
        string exported = Path.Combine(folder, "exported");
        Export(start.Backbone, start.Options.Manifest with { OnnxSha256 = "" }, exported);
        ModelManifest written = ModelPackage.Open(exported).Manifest!;
        Assert.Equal(
            (150, 150, manifest.Normalization, true, manifest.AlignmentTemplate),
            (written.InputWidth, written.InputHeight, written.Normalization, written.FlipSum, written.AlignmentTemplate));
        Assert.Equal(manifest.CreateTemplate(), written.CreateTemplate());

        // And that package is a start again.
        using StartWeights again = StartWeights.Open(exported);
        using BackboneEmbedder second = new(again.Backbone, flipSum: true, ownsBackbone: false);
        Assert.True(ParityGate.Measure(expected, second).Cosine > 0.99999);
    }

    [Fact]
    public void Another_network_a_bare_file_and_other_weights_are_refused_by_what_was_expected()
    {
        string foreign = TestPackage.Write(Path.Combine(folder, "foreign"));
        Refused(foreign, "is none of UniFace's");
        Refused(Path.Combine(foreign, "model.onnx"), "bare .onnx");
        Refused(Path.Combine(folder, "absent"), "absent");

        // The graph says dlib's, but its weights are those of another: a block is missing.
        string package = DlibPackage();
        string onnx = Path.Combine(package, "model.onnx");
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(onnx));
        model.Graph.Initializer.Single(i => i.Name == "conv64_1/conv1.weight").Dims[0] = 63;
        Assert.Contains("conv64_1/conv1.weight is 63x64x3x3", Error(model), StringComparison.Ordinal);
        model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(onnx));
        model.Graph.Node.Remove(model.Graph.Node.Last(n => n.OpType == "Conv"));
        Assert.Contains("expected Conv, found Gemm", Error(model), StringComparison.Ordinal);

        void Refused(string source, string what) =>
            Assert.Contains(what, Assert.Throws<UniFaceException>(() => StartWeights.Open(source)).Message, StringComparison.Ordinal);

        string Error(ModelProto changed)
        {
            string path = Path.Combine(folder, "changed.onnx");
            using (FileStream stream = File.Create(path))
            {
                Google.Protobuf.MessageExtensions.WriteTo(changed, stream);
            }

            using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("dlib-resnet", 1, 128), 1);
            return Assert.Throws<UniFaceException>(() => ((LayeredBackbone)backbone).Load(UniFace.Training.Onnx.OnnxWeights.Open(path))).Message;
        }
    }

    private string DlibPackage()
    {
        string package = Path.Combine(folder, "dlib");
        Directory.CreateDirectory(package);
        string onnx = Path.Combine(package, "model.onnx");
        File.WriteAllBytes(onnx, DlibResNet.Build(RandomTensors(), "random"));
        ModelManifest manifest = DlibResNet.Manifest with { OnnxSha256 = Sha256.HashFile(onnx) };
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        return package;
    }

    private static Dictionary<string, TfjsTensor> RandomTensors()
    {
        Random random = new(3);
        Dictionary<string, TfjsTensor> tensors = [];
        Layer("conv32_down", 7, 3, 32);
        int channels = 32;
        string[] blocks =
        [
            "conv32_1", "conv32_2", "conv32_3", "conv64_down", "conv64_1", "conv64_2", "conv64_3",
            "conv128_down", "conv128_1", "conv128_2", "conv256_down", "conv256_1", "conv256_2", "conv256_down_out",
        ];
        foreach (string block in blocks)
        {
            int outputs = int.Parse(block.AsSpan(4, block.IndexOf('_', StringComparison.Ordinal) - 4), System.Globalization.CultureInfo.InvariantCulture);
            Layer(block + "/conv1", 3, channels, outputs);
            Layer(block + "/conv2", 3, outputs, outputs);
            channels = outputs;
        }

        Add("fc", 0.2, 0, 256, 128);
        return tensors;

        void Layer(string name, int kernel, int inputs, int outputs)
        {
            Add(name + "/conv/filters", 2 / Math.Sqrt(kernel * kernel * inputs), 0, kernel, kernel, inputs, outputs);
            Add(name + "/conv/bias", 0.2, 0, outputs);
            Add(name + "/scale/weights", 0.3, 0.7, outputs);
            Add(name + "/scale/biases", 0.4, 0, outputs);
        }

        void Add(string name, double range, double center, params int[] shape) => tensors.Add(name, new TfjsTensor(
            shape, [.. Enumerable.Range(0, shape.Aggregate((a, b) => a * b)).Select(_ => (float)(center + (range * ((2 * random.NextDouble()) - 1))))]));
    }
}
