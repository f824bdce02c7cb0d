using Google.Protobuf;

namespace UniFace.Vision.Onnx;

/// <summary>
/// Stores the weights of an ONNX model's Conv and Gemm nodes as int8, symmetric with one scale per output channel, behind DequantizeLinear
/// nodes (opset 13 and later): a quarter of the size, run by any ONNX runtime. ONNX Runtime converts them back to floats once, when it loads
/// the model, so inference is as fast as with floats. Activations are not quantized.
/// </summary>
internal static class Int8Weights
{
    /// <summary>Smaller tensors stay float: they save little and their error counts.</summary>
    private const int MinValues = 1024;

    /// <summary>Quantizes the weights of a model.</summary>
    /// <param name="model">An ONNX file as 'uniface export' writes it: raw float weights.</param>
    /// <param name="source">The name of the model in errors.</param>
    /// <exception cref="UniFaceException">It is not such a model, has an opset before 13, or has no weights to quantize.</exception>
    public static byte[] Quantize(byte[] model, string source)
    {
        ModelProto proto = OnnxFile.Parse(model, source);
        long opset = proto.OpsetImport.Select(o => o.Version).DefaultIfEmpty(0).Max();
        if (proto.Graph is not GraphProto graph || opset < 13)
        {
            throw new UniFaceException($"{source}: opset {opset}, int8 weights need opset 13 or later; export the model again.");
        }

        HashSet<string> weights = [.. graph.Node.Where(n => n is { OpType: "Conv" or "Gemm", Input.Count: >= 2 }).Select(n => n.Input[1])];
        List<NodeProto> nodes = [];
        TensorProto[] initializers = [.. graph.Initializer];
        graph.Initializer.Clear();
        foreach (TensorProto tensor in initializers)
        {
            if (!weights.Contains(tensor.Name) || !Add(graph, tensor, nodes))
            {
                graph.Initializer.Add(tensor);
            }
        }

        if (nodes.Count == 0)
        {
            throw new UniFaceException($"{source}: no weights of {MinValues} values or more to store as int8.");
        }

        // Nodes run in the order they are listed: those that produce the weights come first.
        nodes.AddRange(graph.Node);
        graph.Node.Clear();
        graph.Node.Add(nodes);
        return proto.ToByteArray();
    }

    private static bool Add(GraphProto graph, TensorProto tensor, List<NodeProto> nodes)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(tensor.RawData.Span);
        if (tensor.DataType != (int)TensorProto.Types.DataType.Float || values.Length < MinValues
            || tensor.Dims is not [> 0, _, ..] || values.Length % tensor.Dims[0] != 0)
        {
            return false;
        }

        int channels = (int)tensor.Dims[0], size = values.Length / channels;
        float[] scales = new float[channels];
        sbyte[] stored = new sbyte[values.Length];
        for (int channel = 0; channel < channels; channel++)
        {
            ReadOnlySpan<float> row = values.Slice(channel * size, size);
            float largest = Math.Abs(TensorPrimitives.MaxMagnitude(row));
            scales[channel] = largest > 0 ? largest / 127 : 1;
            for (int i = 0; i < size; i++)
            {
                stored[(channel * size) + i] = (sbyte)Math.Clamp(MathF.Round(row[i] / scales[channel]), -127, 127);
            }
        }

        string name = tensor.Name, quantized = name + ".int8", scale = name + ".scale";
        graph.Initializer.Add(OnnxMessages.Tensor<sbyte>(quantized, TensorProto.Types.DataType.Int8, tensor.Dims, stored));
        graph.Initializer.Add(OnnxMessages.Tensor<float>(scale, TensorProto.Types.DataType.Float, [channels], scales));
        nodes.Add(OnnxMessages.Node("DequantizeLinear", name, quantized, scale).With("axis", 0));
        return true;
    }
}
