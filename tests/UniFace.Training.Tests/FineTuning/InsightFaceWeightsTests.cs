using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using TorchSharp;
using TorchSharp.Modules;
using UniFace.TestSupport;
using UniFace.Training.Backbones;
using UniFace.Training.Checkpoints;
using UniFace.Training.FineTuning;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace UniFace.Training.Tests.FineTuning;

/// <summary>
/// The weights of InsightFace's iresnet, which is written here as its PyTorch code is, give that network's embeddings from either file format. A
/// pickle that is more than tensors is refused and nothing of it is executed.
/// </summary>
public sealed class InsightFaceWeightsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-insightface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(".safetensors", "")]
    [InlineData(".pth", "")]
    [InlineData(".pth", "module.")]
    public void An_iresnet_gives_the_same_embeddings_after_import(string extension, string prefix)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        using InsightFaceNet network = new([2, 2, 2, 2]);
        Prime(network);
        string path = Path.Combine(folder, "backbone" + extension);
        Save(path, prefix, network);
        using StartWeights start = StartWeights.Open(path);
        Assert.Equal(new BackboneSpec("iresnet18", 1, 512), start.Backbone.Spec);
        Assert.Contains(new ImportedWeight("body.2.body.0.weight", prefix + "layer1.0.bn1.weight"), start.Names);
        Assert.Contains(new ImportedWeight("body.10.norm.running_mean", prefix + "features.running_mean"), start.Names);
        Tensor faces = PrimedBackbone.Input(2, 4);
        Tensor expected = network.call(faces), actual = start.Backbone.call(faces);
        Assert.True((expected - actual).abs().max().item<float>() < 1e-3 * expected.abs().max().item<float>());
    }

    [Fact]
    public void A_weight_that_is_missing_or_another_network_is_named()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(folder, "w.safetensors");
        SafeTensorsWriter.Write(path, new Dictionary<string, Tensor> { ["x"] = zeros(1) }, new Dictionary<string, string>());
        Assert.Contains("not those of InsightFace's iresnet", Refused(path), StringComparison.Ordinal);
        using InsightFaceNet network = new([2, 2, 2, 2]);
        Dictionary<string, Tensor> tensors = Checkpoint.Tensors(network).ToDictionary(t => t.Name, t => t.Value);
        tensors.Remove("layer3.1.bn3.bias");
        SafeTensorsWriter.Write(path, tensors, new Dictionary<string, string>());
        Assert.Contains("layer3.1.bn3.bias is missing", Refused(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\x80\x02" + "cos\nsystem\n(X\x04\x00\x00\x00" + "exittR.", "names os.system, which is not a tensor; it was not executed")]
    [InlineData("\x80\x02}X\x01\x00\x00\x00", "ends too early")]
    [InlineData("\x80\x02R.", "empty stack")]
    [InlineData("\x80\x02h\x05.", "recalls value 5")]
    [InlineData("\x80\x02i.", "opcode 0x69")]
    public void A_pickle_that_is_more_than_tensors_is_refused(string pickle, string why)
    {
        string path = Path.Combine(folder, "bad.pth");
        WriteZip(path, Encoding.Latin1.GetBytes(pickle), []);
        Assert.Contains(why, Refused(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 0, "[2, 3]")] // fewer values than the shape
    [InlineData(6, 1, "[2, 3]")] // an offset behind them
    public void A_tensor_outside_of_its_values_is_refused(int values, int offset, string shape)
    {
        string path = Path.Combine(folder, "short.pth");
        WriteZip(path, Pickle([("conv1.weight", "0", [2, 3], offset)]), new() { ["0"] = new float[values] });
        Assert.Contains(shape, Refused(path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_pickle_is_read_or_refused()
    {
        string path = Path.Combine(folder, "fuzzed.pth");
        float[] values = new float[6];
        Fuzzer.Run([Pickle([("conv1.weight", "0", [2, 3], 0), ("fc.weight", "0", [3], 1)])], bytes =>
        {
            WriteZip(path, bytes, new() { ["0"] = values });
            using DisposeScope scope = NewDisposeScope();
            TorchFile.Read(path);
        });
    }

    [Fact]
    public void A_damaged_file_is_read_or_refused()
    {
        string path = Path.Combine(folder, "fuzzed.pth");
        WriteZip(path, Pickle([("conv1.weight", "0", [2, 3], 0), ("fc.weight", "0", [3], 1)]), new() { ["0"] = new float[6] });
        Fuzzer.Run([File.ReadAllBytes(path)], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using DisposeScope scope = NewDisposeScope();
            TorchFile.Read(path);
        });
    }

    [Fact]
    public void What_is_no_zip_is_refused()
    {
        string path = Path.Combine(folder, "old.pth");
        File.WriteAllText(path, "x");
        Assert.Contains("not a zip file", Refused(path), StringComparison.Ordinal);
        WriteZip(path, null, []);
        Assert.Contains("has no data.pkl", Refused(path), StringComparison.Ordinal);
    }

    private static string Refused(string path) => Assert.Throws<UniFaceException>(() => StartWeights.Open(path)).Message;

    private static void Prime(InsightFaceNet network)
    {
        manual_seed(3);
        foreach ((string name, Tensor value) in Checkpoint.Tensors(network).Where(t => t.Value.dtype == ScalarType.Float32))
        {
            _ = name.EndsWith("running_var", StringComparison.Ordinal) ? value.uniform_(0.5, 2)
                : value.Dimensions == 1 ? value.add_(empty_like(value).uniform_(-0.2, 0.2)) : value;
        }

        network.eval();
    }

    private static void Save(string path, string prefix, InsightFaceNet network)
    {
        Dictionary<string, Tensor> tensors = Checkpoint.Tensors(network).ToDictionary(t => prefix + t.Name, t => t.Value);
        if (path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            SafeTensorsWriter.Write(path, tensors, new Dictionary<string, string>());
            return;
        }

        List<(string, string, long[], int)> entries = [];
        Dictionary<string, float[]> values = [];
        foreach ((string name, Tensor value) in tensors.Where(t => t.Value.dtype == ScalarType.Float32))
        {
            string key = $"{values.Count}";
            entries.Add((name, key, value.shape, 0));
            values[key] = value.detach().contiguous().data<float>().ToArray();
        }

        WriteZip(path, Pickle(entries), values);
    }

    /// <summary>An ordered dictionary of tensors as torch.save writes it at protocol 2.</summary>
    private static byte[] Pickle(IReadOnlyList<(string Name, string Key, long[] Shape, int Offset)> tensors)
    {
        using MemoryStream stream = new();
        Raw("\x80\x02" + "ccollections\nOrderedDict\n)R(");
        foreach ((string name, string key, long[] shape, int offset) in tensors)
        {
            Text(name);
            Raw("ctorch._utils\n_rebuild_tensor_v2\n((");
            Text("storage");
            Raw("ctorch\nFloatStorage\n");
            Text(key);
            Text("cpu");
            Number(shape.Aggregate(1L, (a, b) => a * b));
            Raw("tQ");
            Number(offset);
            Tuple(shape);
            Tuple([.. shape.Select((_, i) => shape.Skip(i + 1).Aggregate(1L, (a, b) => a * b))]);
            Raw("\x89" + "ccollections\nOrderedDict\n)RtR");
        }

        Raw("u.");
        return stream.ToArray();

        void Raw(string text) => stream.Write(Encoding.Latin1.GetBytes(text));

        void Text(string text)
        {
            Raw("X");
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
            stream.Write(length);
            Raw(text);
        }

        void Number(long value)
        {
            Raw("J");
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)value);
            stream.Write(bytes);
        }

        void Tuple(long[] values)
        {
            Raw("(");
            Array.ForEach(values, Number);
            Raw("t");
        }
    }

    private static void WriteZip(string path, byte[]? pickle, Dictionary<string, float[]> values)
    {
        File.Delete(path);
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        if (pickle is not null)
        {
            Write("archive/data.pkl", pickle);
        }

        foreach ((string key, float[] floats) in values)
        {
            Write($"archive/data/{key}", MemoryMarshal.AsBytes<float>(floats));
        }

        Write("archive/version", "3\n"u8);

        void Write(string name, ReadOnlySpan<byte> bytes)
        {
            using Stream stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }
    }

    /// <summary>recognition/arcface_torch/backbones/iresnet.py, module by module.</summary>
    private sealed class InsightFaceNet : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv1 = Conv2d(3, 64, 3, 1, 1, bias: false);
        private readonly BatchNorm2d bn1 = BatchNorm2d(64);
        private readonly PReLU prelu = PReLU(64);
        private readonly Sequential layer1, layer2, layer3, layer4;
        private readonly BatchNorm2d bn2 = BatchNorm2d(512);
        private readonly Linear fc = Linear(512 * 7 * 7, 512);
        private readonly BatchNorm1d features = BatchNorm1d(512);

        public InsightFaceNet(int[] blocks)
            : base("iresnet")
        {
            layer1 = Stage(64, 64, blocks[0]);
            layer2 = Stage(64, 128, blocks[1]);
            layer3 = Stage(128, 256, blocks[2]);
            layer4 = Stage(256, 512, blocks[3]);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            x = prelu.call(bn1.call(conv1.call(x)));
            x = bn2.call(layer4.call(layer3.call(layer2.call(layer1.call(x)))));
            return features.call(fc.call(x.flatten(1)));
        }

        private static Sequential Stage(int inputs, int outputs, int blocks) => Sequential(
        [
            .. Enumerable.Range(0, blocks).Select(i => ($"{i}", (Module<Tensor, Tensor>)new Block(i == 0 ? inputs : outputs, outputs, i == 0 ? 2 : 1))),
        ]);
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly BatchNorm2d bn1, bn2, bn3;
        private readonly Conv2d conv1, conv2;
        private readonly PReLU prelu;
        private readonly Sequential? downsample;

        public Block(int inputs, int outputs, int stride)
            : base("block")
        {
            bn1 = BatchNorm2d(inputs);
            conv1 = Conv2d(inputs, outputs, 3, 1, 1, bias: false);
            bn2 = BatchNorm2d(outputs);
            prelu = PReLU(outputs);
            conv2 = Conv2d(outputs, outputs, 3, stride, 1, bias: false);
            bn3 = BatchNorm2d(outputs);
            downsample = stride == 1 ? null : Sequential(("0", Conv2d(inputs, outputs, 1, stride, bias: false)), ("1", BatchNorm2d(outputs)));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) =>
            bn3.call(conv2.call(prelu.call(bn2.call(conv1.call(bn1.call(x)))))) + (downsample?.call(x) ?? x);
    }
}
