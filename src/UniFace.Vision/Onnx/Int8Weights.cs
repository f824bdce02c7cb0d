using System.Text;

namespace UniFace.Vision.Onnx;

/// <summary>
/// Stores the weights of an ONNX model's Conv and Gemm nodes as int8, symmetric, a scale an output channel, behind a DequantizeLinear
/// node (opset 13 and later): a quarter of the size, run by any ONNX runtime. ONNX Runtime turns them back into floats once, as it loads
/// the model, so that speed is that of float; activations are not quantised.
/// </summary>
public static class Int8Weights
{
    // Field numbers of onnx.proto.
    private const int ModelGraph = 7, ModelOpset = 8, GraphNode = 1, GraphInitializer = 5;
    private const int NodeInput = 1, NodeOp = 4;
    private const int TensorDims = 1, TensorType = 2, TensorName = 8, TensorRaw = 9;
    private const int Float = 1, Int8 = 3;

    /// <summary>Smaller tensors stay float: their size is nothing, their error is not.</summary>
    private const int MinValues = 1024;

    /// <summary>The model with int8 weights.</summary>
    /// <param name="model">An ONNX file as 'uniface export' writes it: one graph, raw float weights.</param>
    /// <param name="source">What to call it in an error.</param>
    /// <exception cref="UniFaceException">It is no such model, is older than opset 13, or has no weights to store so.</exception>
    public static byte[] Quantize(byte[] model, string source)
    {
        ArgumentNullException.ThrowIfNull(model);
        try
        {
            List<ProtoField> fields = ProtoFields.Read(model);
            ProtoField[] graphs = [.. fields.Where(f => f is { Number: ModelGraph, Wire: 2 })];
            long opset = fields.Where(f => f is { Number: ModelOpset, Wire: 2 }).SelectMany(f => ProtoFields.Read(model.AsSpan(f.Body, f.End - f.Body))).Where(f => f.Number == 2).Select(f => (long)f.Value).DefaultIfEmpty(0).Max();
            if (graphs.Length != 1 || opset < 13)
            {
                throw new UniFaceException($"{source}: opset {opset} and {graphs.Length} graphs, int8 weights take opset 13 and one graph; export the model again.");
            }

            using MemoryStream output = new(model.Length);
            output.Write(model, 0, graphs[0].Start);
            ProtoFields.Write(output, ModelGraph, Graph(model.AsSpan(graphs[0].Body, graphs[0].End - graphs[0].Body), source));
            output.Write(model, graphs[0].End, model.Length - graphs[0].End);
            return output.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw new UniFaceException($"{source}: not an ONNX model: {e.Message}.", e);
        }
    }

    private static byte[] Graph(ReadOnlySpan<byte> graph, string source)
    {
        List<ProtoField> fields = ProtoFields.Read(graph);
        HashSet<string> weights = [];
        foreach (ProtoField field in fields)
        {
            if (field is { Number: GraphNode, Wire: 2 } && WeightOf(graph[field.Body..field.End]) is string weight)
            {
                weights.Add(weight);
            }
        }

        // Nodes stand in the order they run in, so those that give the weights come first.
        using MemoryStream nodes = new(), rest = new();
        foreach (ProtoField field in fields)
        {
            if (field is not { Number: GraphInitializer, Wire: 2 } || !Store(graph[field.Body..field.End], weights, nodes, rest))
            {
                rest.Write(graph[field.Start..field.End]);
            }
        }

        return nodes.Length > 0 ? [.. nodes.ToArray(), .. rest.ToArray()] : throw new UniFaceException($"{source}: no weights of {MinValues} values or more to store as int8.");
    }

    /// <summary>The name of a Conv's or Gemm's weights; null for another node.</summary>
    private static string? WeightOf(ReadOnlySpan<byte> node)
    {
        List<string> inputs = [];
        string op = "";
        foreach (ProtoField field in ProtoFields.Read(node))
        {
            string text = field.Wire == 2 && field.Number is NodeInput or NodeOp ? Encoding.UTF8.GetString(node[field.Body..field.End]) : "";
            if (field.Number == NodeInput)
            {
                inputs.Add(text);
            }
            else if (field.Number == NodeOp)
            {
                op = text;
            }
        }

        return op is "Conv" or "Gemm" && inputs.Count >= 2 ? inputs[1] : null;
    }

    private static bool Store(ReadOnlySpan<byte> tensor, HashSet<string> weights, Stream nodes, Stream initializers)
    {
        List<ulong> dims = [];
        string name = "";
        ulong type = 0;
        float[] values = [];
        foreach (ProtoField field in ProtoFields.Read(tensor))
        {
            ReadOnlySpan<byte> body = tensor[field.Body..field.End];
            switch (field.Number)
            {
                case TensorDims when field.Wire == 0: dims.Add(field.Value); break;
                case TensorDims:
                    for (int at = 0; at < body.Length;)
                    {
                        dims.Add(ProtoFields.Varint(body, ref at));
                    }

                    break;
                case TensorType: type = field.Value; break;
                case TensorName: name = Encoding.UTF8.GetString(body); break;
                case TensorRaw: values = ProtoFields.Floats(body); break;
                default: break;
            }
        }

        if (type != Float || !weights.Contains(name) || values.Length < MinValues || dims.Count < 2 || dims[0] == 0 || (ulong)values.Length % dims[0] != 0)
        {
            return false;
        }

        int channels = (int)dims[0], size = values.Length / channels;
        float[] scales = new float[channels];
        byte[] stored = new byte[values.Length];
        for (int channel = 0; channel < channels; channel++)
        {
            ReadOnlySpan<float> row = values.AsSpan(channel * size, size);
            float largest = 0;
            foreach (float value in row)
            {
                largest = Math.Max(largest, Math.Abs(value));
            }

            scales[channel] = largest > 0 ? largest / 127 : 1;
            for (int i = 0; i < size; i++)
            {
                stored[(channel * size) + i] = unchecked((byte)(sbyte)Math.Clamp(MathF.Round(row[i] / scales[channel]), -127, 127));
            }
        }

        Write(initializers, name + ".int8", dims, Int8, stored);
        Write(initializers, name + ".scale", [dims[0]], Float, ProtoFields.Bytes(scales));
        using MemoryStream node = new(), axis = new();
        ProtoFields.Write(node, NodeInput, name + ".int8");
        ProtoFields.Write(node, NodeInput, name + ".scale");
        ProtoFields.Write(node, 2, name);
        ProtoFields.Write(node, NodeOp, "DequantizeLinear");
        ProtoFields.Write(axis, 1, "axis");
        ProtoFields.Write(axis, 3, 0);
        ProtoFields.Write(axis, 20, 2); // INT
        ProtoFields.Write(node, 5, axis.ToArray());
        ProtoFields.Write(nodes, GraphNode, node.ToArray());
        return true;
    }

    private static void Write(Stream graph, string name, IEnumerable<ulong> dims, ulong type, byte[] raw)
    {
        using MemoryStream tensor = new();
        foreach (ulong dim in dims)
        {
            ProtoFields.Write(tensor, TensorDims, dim);
        }

        ProtoFields.Write(tensor, TensorType, type);
        ProtoFields.Write(tensor, TensorName, name);
        ProtoFields.Write(tensor, TensorRaw, raw);
        ProtoFields.Write(graph, GraphInitializer, tensor.ToArray());
    }
}
