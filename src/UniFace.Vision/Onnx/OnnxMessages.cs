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

    /// <summary>Adds an attribute of several integers to a node.</summary>
    public static NodeProto With(this NodeProto node, string attribute, params ReadOnlySpan<long> values)
    {
        AttributeProto added = new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Ints };
        added.Ints.AddRange(values.ToArray());
        node.Attribute.Add(added);
        return node;
    }
}
