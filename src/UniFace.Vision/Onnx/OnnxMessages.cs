using Google.Protobuf;

namespace UniFace.Vision.Onnx;

/// <summary>Builds the tensors and nodes that a rewrite of an ONNX graph adds.</summary>
internal static class OnnxMessages
{
    /// <summary>An initializer with its values in the file, little-endian as this process.</summary>
    public static TensorProto Tensor<T>(string name, TensorProto.Types.DataType type, IEnumerable<long> dims, ReadOnlySpan<T> values)
        where T : unmanaged =>
        new() { Name = name, DataType = (int)type, Dims = { dims }, RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values)) };

    /// <summary>A node with one output.</summary>
    public static NodeProto Node(string operation, string output, params IEnumerable<string> inputs) =>
        new() { OpType = operation, Input = { inputs }, Output = { output } };

    /// <summary>Adds an integer attribute to a node.</summary>
    public static NodeProto With(this NodeProto node, string attribute, long value)
    {
        node.Attribute.Add(new AttributeProto { Name = attribute, Type = AttributeProto.Types.AttributeType.Int, I = value });
        return node;
    }

    /// <summary>Adds an attribute of integers to a node.</summary>
    public static NodeProto With(this NodeProto node, string attribute, params ReadOnlySpan<long> values)
    {
        node.Attribute.Add(new AttributeProto { Name = attribute, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values.ToArray() } });
        return node;
    }

    /// <summary>Adds a text attribute to a node.</summary>
    public static NodeProto With(this NodeProto node, string attribute, string value)
    {
        node.Attribute.Add(new AttributeProto { Name = attribute, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) });
        return node;
    }

    /// <summary>A float32 input or output of a graph; a dimension of 0 is a batch of any size.</summary>
    public static ValueInfoProto Value(string name, params ReadOnlySpan<long> shape)
    {
        TensorShapeProto dims = new();
        foreach (long side in shape)
        {
            dims.Dim.Add(side == 0 ? new TensorShapeProto.Types.Dimension { DimParam = "batch" } : new TensorShapeProto.Types.Dimension { DimValue = side });
        }

        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = dims } },
        };
    }
}
