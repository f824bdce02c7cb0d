namespace UniFace.Vision.Onnx;

/// <summary>
/// Finds tensors whose values are in files beside an ONNX file: in initializers, constants and sparse tensors of the graph, of subgraphs, functions
/// and training graphs. No hash of the ONNX file covers those values.
/// </summary>
internal static class ExternalData
{
    // As many messages within messages as protobuf itself reads.
    private const int MaxDepth = 100;

    // Field numbers of onnx.proto: the fields that lead to tensors, and of what kind of message they are.
    private static readonly Dictionary<Message, (int Field, Message Kind)[]> Fields = new()
    {
        [Message.Model] = [(7, Message.Graph), (20, Message.Training), (25, Message.Function)],
        [Message.Training] = [(1, Message.Graph), (2, Message.Graph)],
        [Message.Function] = [(7, Message.Node), (11, Message.Attribute)],
        [Message.Graph] = [(1, Message.Node), (5, Message.Tensor), (15, Message.SparseTensor)],
        [Message.Node] = [(5, Message.Attribute)],
        [Message.Attribute] =
        [
            (5, Message.Tensor), (6, Message.Graph), (10, Message.Tensor), (11, Message.Graph), (22, Message.SparseTensor), (23, Message.SparseTensor),
        ],
        [Message.SparseTensor] = [(1, Message.Tensor), (2, Message.Tensor)],
    };

    private enum Message
    {
        Model,
        Training,
        Function,
        Graph,
        Node,
        Attribute,
        SparseTensor,
        Tensor,
    }

    /// <summary>True if a model has external data.</summary>
    /// <exception cref="InvalidDataException">It is no ONNX model.</exception>
    public static bool IsIn(ReadOnlySpan<byte> model) => IsIn(model, Message.Model, 0);

    private static bool IsIn(ReadOnlySpan<byte> message, Message kind, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new InvalidDataException($"more than {MaxDepth} messages within each other");
        }

        foreach (ProtoField field in ProtoFields.Read(message))
        {
            // TensorProto: 13 is external_data, 14 data_location, where 0 is the file itself.
            bool isExternal = kind == Message.Tensor
                ? field.Number == 13 || (field.Number == 14 && (field.Wire != 0 || field.Value != 0))
                : field.Wire == 2 && Fields[kind].FirstOrDefault(f => f.Field == field.Number) is { Field: > 0 } inner
                    && IsIn(message[field.Body..field.End], inner.Kind, depth + 1);
            if (isExternal)
            {
                return true;
            }
        }

        return false;
    }
}
