using System.Text;

namespace UniFace.TestSupport;

/// <summary>
/// Writes a tiny embedding network as ONNX, byte by byte: Flatten, then Gemm. Small enough that a test computes what it
/// must give by itself.
/// </summary>
internal static class TinyOnnx
{
    /// <summary>A network from [N, 3, H, W] to [N, D] with weights from a seed; returns them, [3 * H * W, D].</summary>
    /// <param name="path">Where to.</param>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <param name="size">D.</param>
    /// <param name="fixedBatch">True for a network that takes one face at a time.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="weight">Instead of random, all weights this.</param>
    public static float[] WriteEmbedder(string path, int width, int height, int size, bool fixedBatch = false, int seed = 1, float? weight = null) =>
        WriteOutputs(path, width, height, [("y", size)], fixedBatch, seed, weight)[0];

    /// <summary>The same with several outputs, each with weights of its own; returns them.</summary>
    public static float[][] WriteOutputs(
        string path, int width, int height, (string Name, int Size)[] outputs, bool fixedBatch = false, int seed = 1, float? weight = null)
    {
        Random random = new(seed);
        int inputs = 3 * width * height;
        float[][] weights = [
            .. outputs.Select(o => Enumerable.Range(0, inputs * o.Size).Select(_ => weight ?? (float)((random.NextDouble() - 0.5) * 0.1)).ToArray())
        ];
        byte[] graph =
        [
            .. Bytes(1, [.. Text(1, "x"), .. Text(2, "f"), .. Text(4, "Flatten")]),
            .. outputs.SelectMany(o => Bytes(1, [.. Text(1, "f"), .. Text(1, "w" + o.Name), .. Text(2, o.Name), .. Text(4, "Gemm")])),
            .. Text(2, "tiny"),
            .. outputs.Zip(
                weights,
                (o, w) => Bytes(5, [.. Varint(1, inputs), .. Varint(1, o.Size), .. Varint(2, 1), .. Text(8, "w" + o.Name), .. Bytes(9, Raw(w))]))
                .SelectMany(initializer => initializer),
            .. Bytes(11, Value("x", fixedBatch, 3, height, width)),
            .. outputs.SelectMany(o => Bytes(12, Value(o.Name, fixedBatch, o.Size))),
        ];
        File.WriteAllBytes(path, [.. Varint(1, 8), .. Bytes(7, graph), .. Bytes(8, Varint(2, 17))]);
        return weights;
    }

    private static byte[] Raw(float[] values)
    {
        byte[] raw = new byte[values.Length * 4];
        Buffer.BlockCopy(values, 0, raw, 0, raw.Length);
        return raw;
    }

    private static byte[] Value(string name, bool fixedBatch, params int[] dimensions)
    {
        byte[] shape = [.. Bytes(1, fixedBatch ? Varint(1, 1) : Text(2, "N")), .. dimensions.SelectMany(d => Bytes(1, Varint(1, d)))];
        return [.. Text(1, name), .. Bytes(2, Bytes(1, [.. Varint(1, 1), .. Bytes(2, shape)]))];
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
