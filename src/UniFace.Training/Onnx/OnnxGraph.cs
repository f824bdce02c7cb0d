using Google.Protobuf;
using UniFace.Onnx.Schema;
using static UniFace.Onnx.Schema.AttributeProto.Types;
using static UniFace.Onnx.Schema.TensorShapeProto.Types;

namespace UniFace.Training.Onnx;

/// <summary>
/// Builds an ONNX graph: one method per node, which returns the name of the node's output. Weights of any float type and device are stored as
/// float32. The same calls give the same bytes. The nodes are those of operator set <see cref="OpsetVersion"/>.
/// </summary>
public sealed class OnnxGraph
{
    /// <summary>The ONNX operator set of the nodes.</summary>
    public const int OpsetVersion = 17;

    private readonly GraphProto graph = new();
    private readonly Dictionary<string, int> counts = [];

    /// <summary>2-D convolution with zero padding, square stride and bias.</summary>
    /// <param name="input">[B, inputs, H, W].</param>
    /// <param name="weight">[outputs, inputs / groups, kernel, kernel].</param>
    /// <param name="bias">[outputs].</param>
    /// <param name="stride">Stride in both directions.</param>
    /// <param name="padding">Zeros on each side.</param>
    /// <param name="groups">Groups of channels.</param>
    /// <returns>[B, outputs, h, w].</returns>
    public string Conv(string input, Tensor weight, Tensor bias, int stride, int padding, int groups)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return Node(
            "Conv",
            [input],
            [("weight", weight), ("bias", bias)],
            Int("group", groups),
            Ints("kernel_shape", weight.shape[2], weight.shape[3]),
            Ints("pads", padding, padding, padding, padding),
            Ints("strides", stride, stride));
    }

    /// <summary>Batch norm with running statistics, where it cannot be folded into a neighboring node.</summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="scale">[C].</param>
    /// <param name="shift">[C].</param>
    /// <param name="mean">[C].</param>
    /// <param name="variance">[C].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>[B, C, H, W].</returns>
    public string BatchNormalization(string input, Tensor scale, Tensor shift, Tensor mean, Tensor variance, double epsilon) => Node(
        "BatchNormalization",
        [input],
        [("scale", scale), ("shift", shift), ("mean", mean), ("variance", variance)],
        new AttributeProto { Name = "epsilon", Type = AttributeType.Float, F = (float)epsilon });

    /// <summary>PReLU with a slope per channel.</summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="slope">[C].</param>
    /// <returns>[B, C, H, W].</returns>
    public string PRelu(string input, Tensor slope)
    {
        ArgumentNullException.ThrowIfNull(slope);
        using DisposeScope scope = NewDisposeScope();
        return Node("PRelu", [input], [("slope", slope.detach().view(-1, 1, 1))]); // [C, 1, 1]
    }

    /// <summary>input * weight^T + bias.</summary>
    /// <param name="input">[B, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs].</param>
    /// <returns>[B, outputs].</returns>
    public string Gemm(string input, Tensor weight, Tensor bias) =>
        Node("Gemm", [input], [("weight", weight), ("bias", bias)], Int("transB", 1));

    /// <summary>Sum of two values of the same shape.</summary>
    public string Add(string left, string right) => Node("Add", [left, right]);

    /// <summary>Product of two values, broadcast.</summary>
    public string Mul(string left, string right) => Node("Mul", [left, right]);

    /// <summary>1 / (1 + exp(-x)).</summary>
    public string Sigmoid(string input) => Node("Sigmoid", [input]);

    /// <summary>max(x, 0).</summary>
    public string Relu(string input) => Node("Relu", [input]);

    /// <summary>Largest value of each square window, without padding.</summary>
    public string MaxPool(string input, int kernel, int stride) => Pool("MaxPool", input, kernel, stride);

    /// <summary>Mean of each square window, without padding.</summary>
    public string AveragePool(string input, int kernel, int stride) => Pool("AveragePool", input, kernel, stride);

    /// <summary>Appends channels of zeros, and rows and columns of zeros at the bottom and right; the input itself if there are none.</summary>
    /// <param name="input">[B, C, H, W].</param>
    /// <param name="channels">Channels to append.</param>
    /// <param name="pixels">Rows and columns to append.</param>
    /// <returns>[B, C + channels, H + pixels, W + pixels].</returns>
    public string Pad(string input, int channels, int pixels)
    {
        if (channels == 0 && pixels == 0)
        {
            return input;
        }

        TensorProto pads = new() { Name = $"Pads_{graph.Initializer.Count}", DataType = (int)TensorProto.Types.DataType.Int64, Dims = { 8 } };
        pads.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<long>([0, 0, 0, 0, 0, channels, pixels, pixels]));
        graph.Initializer.Add(pads);
        return Node("Pad", [input, pads.Name]);
    }

    /// <summary>Mean of each channel, [B, C, H, W] to [B, C, 1, 1].</summary>
    public string GlobalAveragePool(string input) => Node("GlobalAveragePool", [input]);

    /// <summary>Each row of [B, D] divided by its length; a row of zeros stays.</summary>
    public string UnitLength(string input) => Node("LpNormalization", [input], [], Int("axis", 1), Int("p", 2));

    /// <summary>[B, ...] to [B, product of the rest].</summary>
    public string Flatten(string input) => Node("Flatten", [input], [], Int("axis", 1));

    /// <summary>Completes the graph with its name, input and output, both with a free first dimension "batch".</summary>
    /// <param name="name">Name of the graph.</param>
    /// <param name="input">Name and shape of the input, without the batch dimension.</param>
    /// <param name="value">The value that is the output, as a method of this graph returned it.</param>
    /// <param name="output">Name and shape of the output, without the batch dimension.</param>
    internal GraphProto Finish(string name, (string Name, long[] Shape) input, string value, (string Name, long[] Shape) output)
    {
        NodeProto last = graph.Node.Single(node => node.Output.Contains(value));
        last.Output[0] = output.Name;
        graph.Name = name;
        graph.Input.Add(Value(input.Name, input.Shape));
        graph.Output.Add(Value(output.Name, output.Shape));
        return graph;
    }

    private string Pool(string operation, string input, int kernel, int stride) =>
        Node(operation, [input], [], Ints("kernel_shape", kernel, kernel), Ints("strides", stride, stride));

    /// <summary>Adds a node and its weights; returns the name of its output.</summary>
    private string Node(string operation, string[] inputs, (string Role, Tensor Value)[]? weights = null, params AttributeProto[] attributes)
    {
        string name = $"{operation}_{counts[operation] = counts.GetValueOrDefault(operation) + 1}";
        NodeProto node = new() { Name = name, OpType = operation, Output = { name + ".out" }, Attribute = { attributes } };
        node.Input.Add([.. inputs, .. (weights ?? []).Select(weight => Weight($"{name}.{weight.Role}", weight.Value))]);
        graph.Node.Add(node);
        return node.Output[0];
    }

    private string Weight(string name, Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        TensorProto weight = new()
        {
            Name = name,
            DataType = (int)TensorProto.Types.DataType.Float,
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(OwnedTensors.Floats(tensor))),
        };
        weight.Dims.Add(tensor.shape);
        graph.Initializer.Add(weight);
        return weight.Name;
    }

    private static ValueInfoProto Value(string name, long[] shape)
    {
        TensorShapeProto dimensions = new() { Dim = { new Dimension { DimParam = "batch" } } };
        dimensions.Dim.Add(shape.Select(size => new Dimension { DimValue = size }));
        TypeProto.Types.Tensor type = new() { ElemType = (int)TensorProto.Types.DataType.Float, Shape = dimensions };
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = type } };
    }

    private static AttributeProto Int(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    private static AttributeProto Ints(string name, params long[] values) => new() { Name = name, Type = AttributeType.Ints, Ints = { values } };
}
