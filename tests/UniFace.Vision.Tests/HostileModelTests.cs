using System.Text;
using Google.Protobuf;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests;

/// <summary>An untrusted model is one file that its hash covers completely, and opening it takes bounded time.</summary>
public sealed class HostileModelTests : IDisposable
{
    private const int Side = 16, Size = 16;

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    private string Model => Path.Combine(folder, "m.onnx");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("initializer")]
    [InlineData("location only")]
    [InlineData("sparse values")]
    [InlineData("sparse indices")]
    [InlineData("constant")]
    [InlineData("list of constants")]
    [InlineData("sparse constant")]
    [InlineData("subgraph")]
    [InlineData("list of subgraphs")]
    [InlineData("function")]
    [InlineData("training")]
    public void External_weights_are_refused_anywhere_in_the_model(string where)
    {
        byte[] entry = [.. Text(1, "location"), .. Text(2, "w.bin")];
        byte[] tensor = [.. Int(1, 1), .. Int(2, 1), .. Text(8, "e"), .. where == "location only" ? [] : Bytes(13, entry), .. Int(14, 1)];
        byte[] Node(byte[] attribute) => [.. Text(2, "o"), .. Text(4, "Constant"), .. Bytes(5, attribute)];
        byte[] added = where switch
        {
            "initializer" or "location only" => Bytes(7, Bytes(5, tensor)),
            "sparse values" => Bytes(7, Bytes(15, Bytes(1, tensor))),
            "sparse indices" => Bytes(7, Bytes(15, Bytes(2, tensor))),
            "constant" => Bytes(7, Bytes(1, Node(Bytes(5, tensor)))),
            "list of constants" => Bytes(7, Bytes(1, Node(Bytes(10, tensor)))),
            "sparse constant" => Bytes(7, Bytes(1, Node(Bytes(22, Bytes(1, tensor))))),
            "subgraph" => Bytes(7, Bytes(1, Node(Bytes(6, Bytes(1, Node(Bytes(6, Bytes(5, tensor)))))))),
            "list of subgraphs" => Bytes(7, Bytes(1, Node(Bytes(11, Bytes(5, tensor))))),
            "function" => Bytes(25, Bytes(7, Node(Bytes(5, tensor)))),
            _ => Bytes(20, Bytes(2, Bytes(5, tensor))),
        };
        TinyOnnx.WriteEmbedder(Model, Side, Side, Size);
        FaceRecognizer.Open(Model).Dispose();

        // Protobuf merges a message that occurs twice, so the appended bytes are part of the model.
        File.AppendAllBytes(Model, added);
        File.WriteAllBytes(Path.Combine(folder, "w.bin"), new byte[4]);
        Refused.With("external data", () => FaceRecognizer.Open(Model));
        Refused.With("external data", () => FaceDetectors.Open(Model));
    }

    [Fact]
    public void Deeply_nested_messages_are_refused_before_the_stack_overflows()
    {
        byte[] graph = [];
        for (int i = 0; i < 2000; i++)
        {
            graph = Bytes(1, Bytes(5, Bytes(6, graph)));
        }

        File.WriteAllBytes(Model, [.. Int(1, 8), .. Bytes(7, graph)]);
        Refused.With("cannot load it as a model", () => FaceRecognizer.Open(Model));
    }

    [Theory]
    [InlineData("over the face", true)]
    [InlineData("over a constant", true)]
    [InlineData("over the face", false)]
    public void A_model_with_an_endless_loop_is_refused_when_it_is_opened(string loop, bool works)
    {
        File.WriteAllBytes(Model, Endless(overFace: loop == "over the face", works));
        UniFaceException refused = Assert.Throws<UniFaceException>(() => OnnxEmbedder.Open(
            Model,
            _ => new Packages.ModelManifest { EmbeddingSize = Size, InputWidth = Side, InputHeight = Side, OnnxSha256 = "" },
            threads: 1,
            timeLimit: TimeSpan.FromSeconds(0.5)));
        Assert.Contains("did not finish within", refused.Message, StringComparison.Ordinal);
        Assert.Contains(Model, refused.Message, StringComparison.Ordinal);
    }

    // Flatten and Gemm as in TinyOnnx; then a Loop whose condition stays true, with or without work in its body.
    private static byte[] Endless(bool overFace, bool works)
    {
        byte[] raw = new byte[3 * Side * Side * Size * 4], constant = new byte[Size * 4];
        byte[] body =
        [
            .. works ? Bytes(1, [.. Text(1, "v_in"), .. Text(1, "v_in"), .. Text(2, "v_out"), .. Text(4, "Add")]) : Identity("v_in", "v_out"),
            .. Identity("c_in", "c_out"),
            .. Text(2, "body"),
            .. Bytes(11, Value("i", 7)),
            .. Bytes(11, Value("c_in", 9)),
            .. Bytes(11, Value("v_in", 1, 0, Size)),
            .. Bytes(12, Value("c_out", 9)),
            .. Bytes(12, Value("v_out", 1, 0, Size)),
        ];
        byte[] attribute = [.. Text(1, "body"), .. Bytes(6, body), .. Int(20, 5)];
        byte[] graph =
        [
            .. Bytes(1, [.. Text(1, "x"), .. Text(2, "f"), .. Text(4, "Flatten")]),
            .. Bytes(1, [.. Text(1, "f"), .. Text(1, "w"), .. Text(2, "g"), .. Text(4, "Gemm")]),
            .. Bytes(1, [.. Text(1, ""), .. Text(1, "c"), .. Text(1, overFace ? "g" : "k"), .. Text(2, "l"), .. Text(4, "Loop"), .. Bytes(5, attribute)]),
            .. Bytes(1, [.. Text(1, "l"), .. Text(1, "g"), .. Text(2, "y"), .. Text(4, "Add")]),
            .. Text(2, "endless"),
            .. Bytes(5, [.. Int(1, 3 * Side * Side), .. Int(1, Size), .. Int(2, 1), .. Text(8, "w"), .. Bytes(9, raw)]),
            .. Bytes(5, [.. Int(1, 1), .. Int(1, Size), .. Int(2, 1), .. Text(8, "k"), .. Bytes(9, constant)]),
            .. Bytes(5, [.. Int(2, 9), .. Text(8, "c"), .. Bytes(9, [1])]),
            .. Bytes(11, Value("x", 1, 0, 3, Side, Side)),
            .. Bytes(12, Value("y", 1, 0, Size)),
        ];
        return [.. Int(1, 8), .. Bytes(7, graph), .. Bytes(8, Int(2, 17))];
    }

    private static byte[] Identity(string from, string to) => Bytes(1, [.. Text(1, from), .. Text(2, to), .. Text(4, "Identity")]);

    // 0 stands for a free dimension.
    private static byte[] Value(string name, int type, params int[] dimensions) =>
        [.. Text(1, name), .. Bytes(2, Bytes(1, [.. Int(1, type), .. Bytes(2, [.. dimensions.SelectMany(d => Bytes(1, d == 0 ? Text(2, "N") : Int(1, d)))])]))];

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Bytes(int field, byte[] bytes) =>
        Write(field, WireFormat.WireType.LengthDelimited, stream => stream.WriteBytes(ByteString.CopyFrom(bytes)));

    private static byte[] Int(int field, int value) => Write(field, WireFormat.WireType.Varint, stream => stream.WriteInt32(value));

    private static byte[] Write(int field, WireFormat.WireType type, Action<CodedOutputStream> value)
    {
        using MemoryStream bytes = new();
        using (CodedOutputStream stream = new(bytes, leaveOpen: true))
        {
            stream.WriteTag(field, type);
            value(stream);
        }

        return bytes.ToArray();
    }
}
