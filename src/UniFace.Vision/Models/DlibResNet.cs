using Google.Protobuf;

namespace UniFace.Vision.Models;

/// <summary>
/// dlib's face recognition ResNet (Davis King 2017): 29 convolutions, from RGB faces [B, 3, 150, 150] to embeddings [B, 128]. Builds its ONNX
/// file from the weights as face-api.js ships them. Each convolution's scale and bias are folded into it, and the mean of the pixels into the
/// first one, so that the network takes pixels / 256. The same weights give the same bytes.
/// </summary>
internal static class DlibResNet
{
    private const int Side = 150, Embedding = 128, Divisor = 256;

    /// <summary>Mean of the red, green and blue pixels that dlib subtracts.</summary>
    private static readonly double[] PixelMean = [122.782, 117.001, 104.298];

    /// <summary>
    /// The blocks after the stem in order: the name in the weights, the channels, and whether the block halves the size. The sides of their
    /// outputs are 35, 17, 8, 4 and 2.
    /// </summary>
    private static readonly (string Name, int Channels, bool Down)[] Blocks =
    [
        ("conv32_1", 32, false), ("conv32_2", 32, false), ("conv32_3", 32, false),
        ("conv64_down", 64, true), ("conv64_1", 64, false), ("conv64_2", 64, false), ("conv64_3", 64, false),
        ("conv128_down", 128, true), ("conv128_1", 128, false), ("conv128_2", 128, false),
        ("conv256_down", 256, true), ("conv256_1", 256, false), ("conv256_2", 256, false), ("conv256_down_out", 256, true),
    ];

    /// <summary>How the model is run, except for the hash of its file.</summary>
    public static ModelManifest Manifest { get; } = new()
    {
        EmbeddingSize = Embedding,
        InputWidth = Side,
        InputHeight = Side,
        Normalization = new PixelNormalization(0, Divisor),
        FlipSum = true,
        AlignmentTemplate = "dlib-150",

        // dlib's own crops come from 68 landmarks. These five points give the same crops of CelebA in the mean.
        Alignment = new ManifestAlignment
        {
            Landmarks = [[46.177f, 43.179f], [101.750f, 43.179f], [73.963f, 74.641f], [49.186f, 102.425f], [98.741f, 102.425f]],
            Border = CropBorder.Black,
            Sampling = CropSampling.AntiAliased,
        },
        Suitability = "good for comparing two photos (1:1); weak in large galleries (1:N), where strangers come close",
        OnnxSha256 = "",
    };

    /// <summary>The ONNX file.</summary>
    /// <param name="tensors">The weights by their names in face-api.js.</param>
    /// <param name="source">The model's name in errors.</param>
    /// <exception cref="UniFaceException">A tensor is missing, of another shape, or unknown.</exception>
    public static byte[] Build(IReadOnlyDictionary<string, TfjsTensor> tensors, string source)
    {
        Builder builder = new(tensors, source);
        builder.Convolution("input", "conv32_down", "conv32_down", 3, 32, kernel: 7, stride: 2, padding: 0, PixelMean);
        builder.Add("Relu", "stem.relu", "conv32_down");
        builder.Add("MaxPool", "stem", "stem.relu").With("kernel_shape", [3, 3]).With("strides", [2, 2]);
        (string value, int channels, int side) = ("stem", 32, 35);
        foreach ((string name, int outputs, bool down) in Blocks)
        {
            value = builder.Block(value, name, channels, outputs, down, ref side);
            channels = outputs;
        }

        builder.Add("GlobalAveragePool", "pool", value);
        builder.Add("Flatten", "features", "pool");
        builder.FullyConnected("features", "fc", "embedding", channels, Embedding);
        return builder.Finish();
    }

    private sealed class Builder(IReadOnlyDictionary<string, TfjsTensor> tensors, string source)
    {
        private readonly GraphProto graph = new() { Name = "dlib-resnet" };
        private readonly HashSet<string> used = [];

        public NodeProto Add(string operation, string output, params string[] inputs)
        {
            NodeProto node = OnnxMessages.Node(operation, output, inputs);
            node.Name = output;
            graph.Node.Add(node);
            return node;
        }

        /// <summary>Two 3x3 convolutions and a shortcut. A block that halves the size shortens both by different rules, so the branch is padded.</summary>
        public string Block(string input, string name, int inputs, int outputs, bool down, ref int side)
        {
            (string first, string second, string shortcut) = ($"{name}/conv1", $"{name}/conv2", input);
            Convolution(input, $"{first}/conv", first, inputs, outputs, 3, down ? 2 : 1, down ? 0 : 1);
            Add("Relu", first + ".relu", first);
            Convolution(first + ".relu", $"{second}/conv", second, outputs, outputs, 3, 1, 1);
            if (down)
            {
                int branch = (side - 3) / 2 + 1;
                side /= 2;
                shortcut = name + ".shortcut";
                Add("AveragePool", shortcut, input).With("kernel_shape", [2, 2]).With("strides", [2, 2]);
                shortcut = Pad(shortcut, channels: outputs - inputs, pixels: 0);
                second = Pad(second, channels: 0, pixels: side - branch);
            }

            Add("Add", name + ".sum", second, shortcut);
            Add("Relu", name, name + ".sum");
            return name;
        }

        /// <summary>A convolution with the scale and bias after it.</summary>
        /// <param name="input">[B, inputs, H, W].</param>
        /// <param name="name">Name of the filters and their bias in the weights.</param>
        /// <param name="output">Name of the output.</param>
        /// <param name="inputs">Channels of the input.</param>
        /// <param name="outputs">Channels of the output.</param>
        /// <param name="kernel">Side of the filters.</param>
        /// <param name="stride">Stride in both directions.</param>
        /// <param name="padding">Zeros on each side.</param>
        /// <param name="mean">[inputs]: subtracted from the input * 256; exact because there is no padding.</param>
        public void Convolution(
            string input, string name, string output, int inputs, int outputs, int kernel, int stride, int padding, double[]? mean = null)
        {
            string layer = name.EndsWith("/conv", StringComparison.Ordinal) ? name : name + "/conv";
            string affine = layer[..^"conv".Length] + "scale";
            float[] filters = Take(layer + "/filters", kernel, kernel, inputs, outputs); // [kernel, kernel, inputs, outputs]
            float[] shift = Take(layer + "/bias", outputs), scale = Take(affine + "/weights", outputs), bias = Take(affine + "/biases", outputs);
            int area = kernel * kernel;
            float[] weights = new float[filters.Length]; // [outputs, inputs, kernel, kernel]
            float[] biases = new float[outputs];
            for (int o = 0; o < outputs; o++)
            {
                double sum = shift[o];
                for (int i = 0; i < inputs; i++)
                {
                    for (int at = 0; at < area; at++)
                    {
                        double filter = filters[(((at * inputs) + i) * outputs) + o];
                        weights[(((o * inputs) + i) * area) + at] = (float)(filter * scale[o]);
                        sum -= mean is null ? 0 : filter * mean[i] / Divisor;
                    }
                }

                biases[o] = (float)((sum * scale[o]) + bias[o]);
            }

            Weight(output + ".weight", weights, outputs, inputs, kernel, kernel);
            Weight(output + ".bias", biases, outputs);
            Add("Conv", output, input, output + ".weight", output + ".bias")
                .With("kernel_shape", [kernel, kernel]).With("pads", [padding, padding, padding, padding]).With("strides", [stride, stride]);
        }

        /// <summary>input * weights, without a bias.</summary>
        public void FullyConnected(string input, string name, string output, int inputs, int outputs)
        {
            Weight(name + ".weight", Take(name, inputs, outputs), inputs, outputs);
            Add("Gemm", output, input, name + ".weight");
        }

        public byte[] Finish()
        {
            if (tensors.Keys.FirstOrDefault(name => !used.Contains(name)) is string unknown)
            {
                throw new UniFaceException($"{source}: the tensor {unknown} is not part of dlib's face recognition network.");
            }

            graph.Input.Add(OnnxMessages.Value("input", 0, 3, Side, Side));
            graph.Output.Add(OnnxMessages.Value("embedding", 0, Embedding));
            ModelProto model = new() { IrVersion = 8, ProducerName = "UniFace", Graph = graph };
            model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
            return model.ToByteArray();
        }

        private string Pad(string input, int channels, int pixels)
        {
            if (channels == 0 && pixels == 0)
            {
                return input;
            }

            string output = input + ".padded";
            graph.Initializer.Add(OnnxMessages.Tensor<long>(
                output + ".pads", TensorProto.Types.DataType.Int64, [8], [0, 0, 0, 0, 0, channels, pixels, pixels]));
            Add("Pad", output, input, output + ".pads");
            return output;
        }

        private float[] Take(string name, params int[] shape)
        {
            used.Add(name);
            return tensors.TryGetValue(name, out TfjsTensor? tensor) && tensor.Shape.SequenceEqual(shape)
                ? tensor.Values
                : throw new UniFaceException(
                    $"{source}: the tensor {name} is {(tensor is null ? "missing" : string.Join('x', tensor.Shape))}, expected {string.Join('x', shape)}.");
        }

        private void Weight(string name, float[] values, params long[] shape) =>
            graph.Initializer.Add(OnnxMessages.Tensor<float>(name, TensorProto.Types.DataType.Float, shape, values));
    }
}
