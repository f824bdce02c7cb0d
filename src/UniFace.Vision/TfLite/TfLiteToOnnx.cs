using Google.Protobuf;

namespace UniFace.Vision.TfLite;

/// <summary>
/// Writes a TFLite network as ONNX: images become [N, C, H, W], float16 weights float32, and TFLite's SAME padding explicit; at stride 2 it is one
/// pixel wider at the bottom and right. Inputs and outputs of the graph are named input0, output0, ..., in the order of the file.
/// </summary>
internal sealed class TfLiteToOnnx
{
    /// <summary>Part of the names of converted files: a change of what is written is another version.</summary>
    public const string Version = "v1";

    private const int Opset = 13, IrVersion = 8;

    private readonly TfLiteModel model;
    private readonly GraphProto graph = new() { Name = "tflite" };
    private readonly float[]?[] constants;

    private TfLiteToOnnx(TfLiteModel model)
    {
        this.model = model;
        constants = new float[]?[model.Tensors.Count];
    }

    /// <summary>Converts a file.</summary>
    /// <param name="bytes">The .tflite file.</param>
    /// <param name="source">Names it in errors.</param>
    /// <returns>The .onnx file.</returns>
    /// <exception cref="UniFaceException">It cannot be read, or has operators that are not converted.</exception>
    public static byte[] Convert(byte[] bytes, string source)
    {
        try
        {
            return new TfLiteToOnnx(TfLiteModel.Parse(bytes, source)).Write();
        }
        catch (Exception e) when (e is InvalidDataException or OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            string reason = e is InvalidDataException ? e.Message : "an offset points outside of the file";
            throw new UniFaceException($"{source}: cannot be converted to ONNX: {reason}; expected a network of MediaPipe.", e);
        }
    }

    private byte[] Write()
    {
        for (int i = 0; i < model.Inputs.Count; i++)
        {
            string name = $"input{i}";
            graph.Input.Add(OnnxMessages.Value(name, Dimensions(model.Inputs[i])));
            graph.Node.Add(OnnxMessages.Node("Identity", Name(model.Inputs[i]), name));
        }

        foreach (TfLiteStep step in model.Steps)
        {
            Add(step);
        }

        for (int i = 0; i < model.Outputs.Count; i++)
        {
            string name = $"output{i}";
            graph.Output.Add(OnnxMessages.Value(name, Dimensions(model.Outputs[i])));
            graph.Node.Add(OnnxMessages.Node("Identity", name, Name(model.Outputs[i])));
        }

        return new ModelProto { IrVersion = IrVersion, OpsetImport = { new OperatorSetIdProto { Version = Opset } }, Graph = graph }.ToByteArray();
    }

    private void Add(TfLiteStep step)
    {
        int minimum = step.Operation is TfLiteOperation.Conv2D or TfLiteOperation.DepthwiseConv2D or TfLiteOperation.PRelu or TfLiteOperation.Add
            or TfLiteOperation.Pad ? 2 : 1;
        Require(step.Inputs.Length >= minimum && step.Inputs.Take(minimum).All(i => i >= 0) && step.Outputs.Length == 1, $"{step.Operation} lacks inputs");
        int input = step.Inputs[0], output = step.Outputs[0];
        switch (step.Operation)
        {
            case TfLiteOperation.Dequantize:
                Require(model.Tensors[input].Count == model.Tensors[output].Count, "a constant changes its size");
                constants[output] = Constant(input);
                break;
            case TfLiteOperation.Conv2D:
                Require(Image(step.Inputs[1])[3] == Image(input)[3], "a convolution's channels differ from its input's");
                Convolve(step, [0, 3, 1, 2], group: 1);
                break;
            case TfLiteOperation.DepthwiseConv2D:
                Convolve(step, [3, 0, 1, 2], Image(input)[3]);
                break;
            case TfLiteOperation.MaxPool2D:
                FlatTable options = Options(step);
                int high = options.Int(4), wide = options.Int(3);
                Emit(output, Spatial(OnnxMessages.Node("MaxPool", "", Name(input)), step, options, high, wide).With("kernel_shape", high, wide));
                break;
            case TfLiteOperation.PRelu:
                int channels = Image(input)[3];
                Emit(output, OnnxMessages.Node("PRelu", "", Name(input), Weight(step.Inputs[1], [channels, 1, 1])));
                break;
            case TfLiteOperation.Add:
                Require(step.Options is null || step.Options.Byte(0) == 0, "an addition has an activation");
                Emit(output, OnnxMessages.Node("Add", "", Name(input), Name(step.Inputs[1])));
                break;
            case TfLiteOperation.Relu:
                Emit(output, OnnxMessages.Node("Relu", "", Name(input)));
                break;
            case TfLiteOperation.Pad:
                Emit(output, OnnxMessages.Node("Pad", "", Name(input), Pads(step.Inputs[1])));
                break;
            case TfLiteOperation.ResizeBilinear:
                Resize(step);
                break;
            case TfLiteOperation.Reshape:
                string last = Name(output) + "/last";
                graph.Node.Add(OnnxMessages.Node("Transpose", last, Name(input)).With("perm", 0, 2, 3, 1));
                _ = Image(input);
                Require(model.Tensors[input].Count == model.Tensors[output].Count, "a reshape changes the number of elements");
                Emit(output, OnnxMessages.Node("Reshape", "", last, Integers(Name(output) + "/shape", Dimensions(output))));
                break;
            default:
                throw new InvalidDataException($"it has operator {step.Operation}, which is not converted");
        }
    }

    /// <summary>A convolution.</summary>
    /// <param name="step">The step.</param>
    /// <param name="order">TFLite's dimension for each dimension of ONNX's weights [outputs, inputs per group, height, width].</param>
    /// <param name="group">The number of groups.</param>
    private void Convolve(TfLiteStep step, int[] order, int group)
    {
        FlatTable options = Options(step);
        int[] shape = Image(step.Inputs[1]);
        int[] to = [.. order.Select(axis => shape[axis])];
        bool depthwise = group > 1 || step.Operation == TfLiteOperation.DepthwiseConv2D;
        Require(!depthwise || (shape[0] == 1 && shape[3] % group == 0), "a depthwise convolution has an impossible number of channels");
        Require(options.Byte(depthwise ? 4 : 3) == 0, "a convolution has an activation");
        Require(options.Int(depthwise ? 5 : 4, 1) == 1 && options.Int(depthwise ? 6 : 5, 1) == 1, "a convolution is dilated");
        string weights = Name(step.Inputs[1]) + "/oihw";
        float[] values = Transpose(Constant(step.Inputs[1]), shape, order);
        graph.Initializer.Add(OnnxMessages.Tensor<float>(weights, TensorProto.Types.DataType.Float, to.Select(side => (long)side), values));
        NodeProto node = OnnxMessages.Node("Conv", "", Name(step.Inputs[0]), weights).With("group", group);
        if (step.Inputs.Length > 2 && step.Inputs[2] >= 0)
        {
            node.Input.Add(Weight(step.Inputs[2], [to[0]]));
        }

        Emit(step.Outputs[0], Spatial(node, step, options, to[2], to[3]).With("kernel_shape", to[2], to[3]));
    }

    /// <summary>Adds strides and padding. The fields padding, stride_w and stride_h are the first of convolutions and pools alike.</summary>
    private NodeProto Spatial(NodeProto node, TfLiteStep step, FlatTable options, int high, int wide)
    {
        int[] from = Image(step.Inputs[0]), to = Image(step.Outputs[0]);
        (int top, int bottom) = Padding(from[1], to[1], high, options.Int(2), options.Byte(0));
        (int left, int right) = Padding(from[2], to[2], wide, options.Int(1), options.Byte(0));
        return node.With("strides", options.Int(2), options.Int(1)).With("pads", top, left, bottom, right);
    }

    // SAME (0) gives ceil(length / stride) outputs, VALID (1) pads nothing.
    private static (int Before, int After) Padding(int length, int outputs, int kernel, int stride, int padding)
    {
        Require(stride is >= 1 and <= 16 && kernel is >= 1 and <= 64 && padding is 0 or 1, "a stride, kernel or padding is impossible");
        int expected = padding == 0 ? (length + stride - 1) / stride : (length - kernel + stride) / stride;
        Require(expected == outputs && (padding == 0 || kernel <= length), $"{length} inputs give {expected} outputs, not {outputs}");
        int both = padding == 0 ? Math.Max(((outputs - 1) * stride) + kernel - length, 0) : 0;
        return (both / 2, both - (both / 2));
    }

    private void Resize(TfLiteStep step)
    {
        FlatTable options = Options(step);
        int[] from = Image(step.Inputs[0]), to = Image(step.Outputs[0]);
        Require(from[0] == to[0] && from[3] == to[3], "a resize changes the channels");
        string mode = options.Byte(2) != 0 ? "align_corners" : options.Byte(3) != 0 ? "half_pixel" : "asymmetric";
        string sizes = Integers(Name(step.Outputs[0]) + "/sizes", to[0], to[3], to[1], to[2]);
        Emit(
            step.Outputs[0],
            OnnxMessages.Node("Resize", "", Name(step.Inputs[0]), "", "", sizes).With("mode", "linear").With("coordinate_transformation_mode", mode));
    }

    /// <summary>TFLite's [4, 2] padding before and after each of N, H, W, C as ONNX's eight values.</summary>
    private string Pads(int tensor)
    {
        TfLiteTensor pads = model.Tensors[tensor];
        Require(pads is { Type: TfLiteType.Int32, Count: 8, Data.IsEmpty: false }, "a padding is not a constant of 4x2 integers");
        ReadOnlySpan<int> p = MemoryMarshal.Cast<byte, int>(pads.Data.Span);
        Require(p.ToArray().All(width => width is >= 0 and <= 4096), "a padding is impossible");
        return Integers(Name(tensor) + "/pads", p[0], p[6], p[2], p[4], p[1], p[7], p[3], p[5]);
    }

    private string Integers(string name, params ReadOnlySpan<long> values)
    {
        graph.Initializer.Add(OnnxMessages.Tensor(name, TensorProto.Types.DataType.Int64, [values.Length], values));
        return name;
    }

    private string Weight(int tensor, int[] shape)
    {
        string name = $"{Name(tensor)}/w{graph.Initializer.Count}";
        float[] values = Constant(tensor);
        Require(values.Length == shape.Aggregate(1L, (a, b) => a * b), $"{values.Length} weights, expected {string.Join('x', shape)}");
        graph.Initializer.Add(OnnxMessages.Tensor<float>(name, TensorProto.Types.DataType.Float, shape.Select(side => (long)side), values));
        return name;
    }

    private float[] Constant(int tensor)
    {
        TfLiteTensor from = model.Tensors[tensor];
        Require(constants[tensor] is not null || (!from.Data.IsEmpty && from.Type is TfLiteType.Float16 or TfLiteType.Float32), "a weight is not a constant");
        return constants[tensor] ??= from.Type == TfLiteType.Float32
            ? MemoryMarshal.Cast<byte, float>(from.Data.Span).ToArray()
            : Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(from.Data.Span).ToArray(), half => (float)half);
    }

    private static float[] Transpose(float[] values, int[] shape, int[] order)
    {
        int[] step = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
        float[] result = new float[values.Length];
        int at = 0;
        for (int a = 0; a < shape[order[0]]; a++)
        {
            for (int b = 0; b < shape[order[1]]; b++)
            {
                for (int c = 0; c < shape[order[2]]; c++)
                {
                    for (int d = 0; d < shape[order[3]]; d++)
                    {
                        result[at++] = values[(a * step[order[0]]) + (b * step[order[1]]) + (c * step[order[2]]) + (d * step[order[3]])];
                    }
                }
            }
        }

        return result;
    }

    private void Emit(int output, NodeProto node)
    {
        node.Output[0] = Name(output);
        graph.Node.Add(node);
    }

    private static FlatTable Options(TfLiteStep step) => step.Options ?? throw new InvalidDataException($"{step.Operation} has no options");

    private int[] Image(int tensor) => model.Tensors[tensor].Shape is { Length: 4 } shape
        ? shape
        : throw new InvalidDataException($"a tensor has {model.Tensors[tensor].Shape.Length} dimensions, expected 4");

    /// <summary>A tensor's dimensions in ONNX.</summary>
    private long[] Dimensions(int tensor) => model.Tensors[tensor].Shape is [int n, int h, int w, int c]
        ? [n, c, h, w]
        : [.. model.Tensors[tensor].Shape.Select(side => (long)side)];

    private static string Name(int tensor) => FormattableString.Invariant($"t{tensor}");

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidDataException(message);
        }
    }
}
