using System.Runtime.InteropServices;
using System.Text;

namespace UniFace.TestSupport;

/// <summary>
/// Writes a tiny embedding network as ONNX, byte by byte: Flatten, then Gemm. It is small enough for a test to compute its embeddings.
/// </summary>
internal static class TinyOnnx
{
    private const int Float = 1, UInt8 = 2, Int32 = 6, Float16 = 10;

    /// <summary>The input of a network.</summary>
    /// <param name="ElementType">"float32", "float16", "uint8" or "int32"; a float16 network's output is float16.</param>
    /// <param name="ChannelsLast">[N, H, W, 3] instead of [N, 3, H, W].</param>
    /// <param name="Batch">The fixed N; 0 for a dynamic batch.</param>
    internal sealed record Input(string ElementType = "float32", bool ChannelsLast = false, int Batch = 0);

    /// <summary>A network to [N, D] with weights from a seed; returns them, [3 * H * W, D].</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <param name="size">D.</param>
    /// <param name="input">The input; null for float32 of [N, 3, H, W] with a dynamic N.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="weight">The value of all weights, instead of random ones.</param>
    public static float[] WriteEmbedder(string path, int width, int height, int size, Input? input = null, int seed = 1, float? weight = null) =>
        WriteOutputs(path, width, height, [("y", size)], input, seed, weight)[0];

    /// <summary>A network with several outputs, each with its own weights; returns them.</summary>
    public static float[][] WriteOutputs(
        string path, int width, int height, (string Name, int Size)[] outputs, Input? input = null, int seed = 1, float? weight = null)
    {
        input ??= new Input();
        Random random = new(seed);
        int inputs = 3 * width * height;
        float[][] weights =
        [
            .. outputs.Select(o => Enumerable.Range(0, inputs * o.Size).Select(_ => weight ?? (float)((random.NextDouble() - 0.5) * 0.1)).ToArray()),
        ];
        int element = input.ElementType switch { "float16" => Float16, "uint8" => UInt8, "int32" => Int32, _ => Float };
        bool half = element == Float16, integer = element is UInt8 or Int32;
        int type = half ? Float16 : Float;
        byte[] cast = Bytes(1, [.. Text(1, "x"), .. Text(2, "c"), .. Text(4, "Cast"), .. Bytes(5, [.. Text(1, "to"), .. Varint(3, Float), .. Varint(20, 2)])]);
        int[] shape = input.ChannelsLast ? [height, width, 3] : [3, height, width];
        byte[] graph =
        [
            .. integer ? cast : [],
            .. Bytes(1, [.. Text(1, integer ? "c" : "x"), .. Text(2, "f"), .. Text(4, "Flatten")]),
            .. outputs.SelectMany(o => Bytes(1, [.. Text(1, "f"), .. Text(1, "w" + o.Name), .. Text(2, o.Name), .. Text(4, "Gemm")])),
            .. Text(2, "tiny"),
            .. outputs.Zip(
                weights,
                (o, w) => Bytes(5, [.. Varint(1, inputs), .. Varint(1, o.Size), .. Varint(2, type), .. Text(8, "w" + o.Name), .. Bytes(9, Raw(w, half))]))
                .SelectMany(initializer => initializer),
            .. Bytes(11, Value("x", element, input.Batch, shape)),
            .. outputs.SelectMany(o => Bytes(12, Value(o.Name, type, input.Batch, o.Size))),
        ];
        File.WriteAllBytes(path, [.. Varint(1, 8), .. Bytes(7, graph), .. Bytes(8, Varint(2, 17))]);
        return weights;
    }

    private static byte[] Raw(float[] values, bool half) =>
        half ? MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray() : MemoryMarshal.AsBytes<float>(values).ToArray();

    private static byte[] Value(string name, int type, int batch, params int[] dimensions)
    {
        byte[] shape = [.. Bytes(1, batch > 0 ? Varint(1, batch) : Text(2, "N")), .. dimensions.SelectMany(d => Bytes(1, Varint(1, d)))];
        return [.. Text(1, name), .. Bytes(2, Bytes(1, [.. Varint(1, type), .. Bytes(2, shape)]))];
    }

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Bytes(int field, byte[] bytes) => [.. Number((field << 3) | 2), .. Number(bytes.Length), .. bytes];

    private static byte[] Varint(int field, long value) => [.. Number(field << 3), .. Number(value)];

    private static byte[] Number(long value)
    {
        List<byte> bytes = [];
        for (; value > 127; value >>= 7)
        {
            bytes.Add((byte)((value & 127) | 128));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }
}
