namespace UniFace.Vision.TfLite;

/// <summary>A type of a tensor's elements, with the number of the TFLite schema.</summary>
internal enum TfLiteType
{
    Float32 = 0,
    Float16 = 1,
    Int32 = 2,
}

/// <summary>An operator of a network, with the number of the TFLite schema.</summary>
internal enum TfLiteOperation
{
    Add = 0,
    Conv2D = 3,
    DepthwiseConv2D = 4,
    Dequantize = 6,
    MaxPool2D = 17,
    Relu = 19,
    Reshape = 22,
    ResizeBilinear = 23,
    Pad = 34,
    PRelu = 54,
}

/// <summary>A tensor: an activation, or a constant if it has data.</summary>
/// <param name="Shape">Its dimensions; images are [N, H, W, C].</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Data">The elements of a constant, little-endian; empty for an activation.</param>
internal sealed record TfLiteTensor(int[] Shape, TfLiteType Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>The number of elements.</summary>
    public int Count { get; } = Shape.Aggregate(1, (product, side) => checked(product * side));
}

/// <summary>A step of a network. Inputs and outputs are indices of tensors; -1 is a missing optional input.</summary>
internal sealed record TfLiteStep(TfLiteOperation Operation, int[] Inputs, int[] Outputs, FlatTable? Options);

/// <summary>
/// The one graph of a .tflite file: the public FlatBuffers schema (tensorflow/lite/schema/schema.fbs, version 3), as far as networks of
/// MediaPipe use it. The file is untrusted: indices, lengths and sizes are checked before memory is allocated.
/// </summary>
internal sealed record TfLiteModel(IReadOnlyList<TfLiteTensor> Tensors, IReadOnlyList<TfLiteStep> Steps, IReadOnlyList<int> Inputs, IReadOnlyList<int> Outputs)
{
    private const int MaxBytes = 1 << 26;
    private const int MaxElements = 1 << 26;

    /// <summary>Reads a file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="source">Names it in errors.</param>
    /// <exception cref="UniFaceException">It is no TFLite model, is damaged, or has operators or types that are not read.</exception>
    public static TfLiteModel Parse(byte[] bytes, string source)
    {
        try
        {
            if (bytes.Length > MaxBytes)
            {
                throw new InvalidDataException($"it has {bytes.Length} bytes, more than {MaxBytes}");
            }

            return Read(FlatTable.Root(bytes, "TFL3"u8), bytes.Length);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            string reason = e is InvalidDataException ? e.Message : "an offset points outside of the file";
            throw new UniFaceException($"{source}: cannot be read as a TFLite model: {reason}; expected an intact .tflite file (schema version 3).", e);
        }
    }

    // Numbers of fields are those of schema.fbs.
    private static TfLiteModel Read(FlatTable model, int length)
    {
        Require(model.Int(0) == 3, $"its schema version is {model.Int(0)}");
        TfLiteOperation[] codes = [.. model.Children(1).Select(code => (TfLiteOperation)Math.Max(code.Byte(0), code.Int(3)))];
        ReadOnlyMemory<byte>[] buffers = [.. model.Children(4).Select(buffer => buffer.Bytes(0))];
        FlatTable[] graphs = model.Children(2);
        Require(graphs.Length == 1, $"it has {graphs.Length} graphs");
        TfLiteTensor[] tensors = [.. graphs[0].Children(0).Select(tensor => ReadTensor(tensor, buffers))];

        // Many tensors may share one buffer, so a small file could hold gigabytes of constants.
        Require(tensors.Sum(t => (long)t.Data.Length) <= length, "its constants are larger than the file");
        TfLiteStep[] steps = [.. graphs[0].Children(3).Select(step => ReadStep(step, codes, tensors.Length))];
        int[] inputs = graphs[0].Ints(1), outputs = graphs[0].Ints(2);
        Require(inputs.Concat(outputs).All(index => (uint)index < (uint)tensors.Length), "an input or output of the graph is no tensor of it");
        return new TfLiteModel(tensors, steps, inputs, outputs);
    }

    private static TfLiteTensor ReadTensor(FlatTable tensor, ReadOnlyMemory<byte>[] buffers)
    {
        int[] shape = tensor.Ints(0);
        TfLiteType type = (TfLiteType)tensor.Byte(1);
        int buffer = tensor.Int(2);
        Require(shape.Length <= 4 && shape.All(side => side >= 1) && shape.Aggregate(1.0, (a, b) => a * b) <= MaxElements, "a tensor has an impossible shape");
        Require((uint)buffer < (uint)buffers.Length, $"a tensor has buffer {buffer} of {buffers.Length}");
        Require(Enum.IsDefined(type), $"a tensor has elements of type {(int)type}, which is not read");
        TfLiteTensor read = new(shape, type, buffers[buffer]);
        int size = type == TfLiteType.Float16 ? 2 : 4;
        Require(read.Data.IsEmpty || read.Data.Length == (long)size * read.Count, $"a tensor of {read.Count} elements has {read.Data.Length} bytes");
        return read;
    }

    private static TfLiteStep ReadStep(FlatTable step, TfLiteOperation[] codes, int tensors)
    {
        int code = step.Int(0);
        Require((uint)code < (uint)codes.Length, $"a step has operator {code} of {codes.Length}");
        Require(Enum.IsDefined(codes[code]), $"it has operator {(int)codes[code]}, which is not read");
        TfLiteStep read = new(codes[code], step.Ints(1), step.Ints(2), step.Child(4));
        Require(
            read.Inputs.All(index => index >= -1 && index < tensors) && read.Outputs.All(index => (uint)index < (uint)tensors),
            "a step names a missing tensor");
        return read;
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidDataException(message);
        }
    }
}
