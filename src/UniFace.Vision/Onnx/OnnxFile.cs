using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace UniFace.Vision.Onnx;

/// <summary>Reads an ONNX file from an untrusted source: one file without external data, so that its hash covers all weights.</summary>
internal static class OnnxFile
{
    // Larger models are not rewritten: that takes a second copy of the weights.
    private const int MaxRewriteBytes = 1 << 30;

    // A face network has some ten thousand. A parsed field takes up to 300 bytes, however few it has in the file.
    private const int MaxFields = 500_000;

    private const int MaxDepth = 100; // protobuf's own limit

    /// <summary>Reads a file.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <returns>The file's bytes, and the same network with <see cref="BlockedPRelu"/>; null if that does not apply.</returns>
    /// <exception cref="UniFaceException">There is no such file, it is not an ONNX model, or it has external data.</exception>
    public static (byte[] Model, byte[]? Rewritten) Read(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
        {
            throw new UniFaceException($"{path}: no such file; expected an ONNX model.");
        }

        if (file.Length > Array.MaxLength)
        {
            throw new UniFaceException($"{path}: larger than an ONNX file can be (2 GB); expected an ONNX model.");
        }

        // The bytes that are checked are the bytes that are loaded, whatever happens to the file meanwhile.
        return Read(File.ReadAllBytes(path), path);
    }

    /// <inheritdoc cref="Read(string)"/>
    public static (byte[] Model, byte[]? Rewritten) Read(byte[] bytes, string path)
    {
        ModelProto model = Parse(bytes, path);
        if (HasExternalData(model))
        {
            throw new UniFaceException(
                $"{path}: it keeps weights in files beside it (external data), which its hash does not cover; save it as one file.");
        }

        return (bytes, bytes.Length <= MaxRewriteBytes && model.Graph is GraphProto graph && BlockedPRelu.Rewrite(graph) ? model.ToByteArray() : null);
    }

    /// <summary>Parses a model. Its fields are counted and their lengths checked before memory is allocated.</summary>
    /// <exception cref="UniFaceException">The bytes are not an ONNX model, or have more than 500,000 fields.</exception>
    public static ModelProto Parse(byte[] bytes, string source)
    {
        try
        {
            int fields = 0;
            CountFields(new CodedInputStream(bytes), ModelProto.Descriptor, bytes.Length, 0, ref fields);
            if (fields > MaxFields)
            {
                throw new UniFaceException($"{source}: cannot load it as a model: it has more than {MaxFields} fields, far more than a face network.");
            }

            return ModelProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new UniFaceException($"{source}: cannot load it as a model: it is not an ONNX file, or is truncated or damaged.", e);
        }
    }

    private static void CountFields(CodedInputStream input, MessageDescriptor message, long end, int depth, ref int fields)
    {
        for (uint tag; fields <= MaxFields && input.Position < end && (tag = input.ReadTag()) != 0; fields++)
        {
            WireFormat.WireType type = WireFormat.GetTagWireType(tag);
            if (depth < MaxDepth && type == WireFormat.WireType.LengthDelimited
                && message.FindFieldByNumber(WireFormat.GetTagFieldNumber(tag)) is { FieldType: FieldType.Message } field)
            {
                int length = input.ReadLength();
                CountFields(input, field.MessageType, input.Position + length, depth + 1, ref fields);
            }
            else if (type is not (WireFormat.WireType.StartGroup or WireFormat.WireType.EndGroup))
            {
                input.SkipLastField(); // The fields of a group, which ONNX does not use, are counted as the message's.
            }
        }
    }

    /// <summary>Whether a tensor at any depth of a message is stored in another file.</summary>
    private static bool HasExternalData(IMessage message) =>
        message is TensorProto tensor
            ? tensor.ExternalData.Count > 0 || tensor.DataLocation != 0 // a location other than 0 is outside the file
            : message.Descriptor.Fields.InFieldNumberOrder().Where(field => field.FieldType == FieldType.Message).Any(field =>
                field.Accessor.GetValue(message) is var value && (value is IMessage one ? HasExternalData(one)
                    : value is IEnumerable<IMessage> many && many.Any(HasExternalData)));
}
