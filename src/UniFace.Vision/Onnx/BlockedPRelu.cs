namespace UniFace.Vision.Onnx;

/// <summary>
/// Rewrites the PRelu nodes of an ONNX graph for ONNX Runtime's CPU provider. That runs convolutions in a channel-blocked layout, for
/// which it has no PRelu kernel: a MobileFaceNet spends 70 % of its time in PRelu and the layout changes around it.
/// PRelu(x) = a x + (1 - a) relu(x) is two depthwise 1x1 convolutions, a Relu and an Add, which all have blocked kernels: nearly
/// three times as fast. The file is not changed; embeddings differ by rounding.
/// </summary>
internal static class BlockedPRelu
{
    private const int MaxChannels = 1 << 16;

    /// <summary>Rewrites a graph in place.</summary>
    /// <returns>False if it has no PRelu node with one slope per channel.</returns>
    public static bool Rewrite(GraphProto graph)
    {
        Dictionary<string, TensorProto> initializers = [];
        foreach (TensorProto tensor in graph.Initializer)
        {
            initializers[tensor.Name] = tensor;
        }

        bool rewritten = false;
        NodeProto[] nodes = [.. graph.Node];
        graph.Node.Clear();
        foreach (NodeProto node in nodes)
        {
            if (Slopes(node, initializers) is float[] slopes)
            {
                Replace(graph, node, slopes);
                rewritten = true;
            }
            else
            {
                graph.Node.Add(node);
            }
        }

        return rewritten;
    }

    // [C, 1, 1] or [1, C, 1, 1] with C above 1 is one slope per channel, whatever the rank of the input.
    private static float[]? Slopes(NodeProto node, Dictionary<string, TensorProto> initializers)
    {
        if (node is not { OpType: "PRelu", Domain: "", Input.Count: 2, Output.Count: 1 }
            || !initializers.TryGetValue(node.Input[1], out TensorProto? slope)
            || slope is not { DataType: (int)TensorProto.Types.DataType.Float, Dims: [> 1 and <= MaxChannels, 1, 1] or [1, > 1 and <= MaxChannels, 1, 1] })
        {
            return null;
        }

        float[] values = slope.RawData.IsEmpty ? [.. slope.FloatData] : MemoryMarshal.Cast<byte, float>(slope.RawData.Span).ToArray();
        return values.Length == slope.Dims.Max() ? values : null;
    }

    private static void Replace(GraphProto graph, NodeProto node, float[] slopes)
    {
        string input = node.Input[0], output = node.Output[0], name = output + "/prelu", positive = name + ".relu";
        float[] rest = [.. slopes.Select(a => 1 - a)];
        string scaled = name + ".positive";
        graph.Node.Add(Scale(name + ".all", input, name + ".a", slopes));
        if (Array.TrueForAll(rest, b => b >= 0))
        {
            // (1 - a) relu(x) = relu((1 - a) x): ONNX Runtime runs this convolution and its Relu as one.
            graph.Node.Add(Scale(positive, input, name + ".b", rest));
            graph.Node.Add(OnnxMessages.Node("Relu", scaled, positive));
        }
        else
        {
            graph.Node.Add(OnnxMessages.Node("Relu", positive, input));
            graph.Node.Add(Scale(scaled, positive, name + ".b", rest));
        }

        graph.Node.Add(OnnxMessages.Node("Add", output, name + ".all", scaled));

        NodeProto Scale(string to, string from, string weight, float[] factors)
        {
            graph.Initializer.Add(OnnxMessages.Tensor<float>(weight, TensorProto.Types.DataType.Float, [factors.Length, 1, 1, 1], factors));
            return OnnxMessages.Node("Conv", to, from, weight).With("group", factors.Length);
        }
    }
}
