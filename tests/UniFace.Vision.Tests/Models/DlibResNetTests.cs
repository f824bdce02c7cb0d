using UniFace.Faces;
using UniFace.Vision.Models;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests.Models;

/// <summary>The ONNX file computes dlib's network, as it is described layer by layer here, from any weights.</summary>
public sealed class DlibResNetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_file_gives_the_embeddings_of_the_layers_written_plainly()
    {
        Dictionary<string, TfjsTensor> tensors = RandomWeights(1);
        string onnx = Path.Combine(folder, "model.onnx");
        File.WriteAllBytes(onnx, DlibResNet.Build(tensors, "random"));
        Assert.Equal(117, tensors.Count);
        RgbImage face = new(150, 150);
        Random random = new(2);
        for (int i = 0; i < face.Pixels.Length; i++)
        {
            int x = i / 3 % 150, y = i / 450;
            face.Pixels[i] = (byte)((x / 50 * 40) + (y > 90 && x < 75 ? 130 : 0) + (i % 3 == 0 ? 40 : 0) + random.Next(20));
        }

        // The mean of the face and its mirror image.
        float[] straight = Network(tensors, face, mirrored: false), mirrored = Network(tensors, face, mirrored: true);
        double[] expected = [.. straight.Zip(mirrored, (a, b) => (double)a + b)];
        double norm = Math.Sqrt(expected.Sum(v => v * v));
        using OnnxEmbedder embedder = OnnxEmbedder.Open(onnx, DlibResNet.Manifest);
        float[] embedding = embedder.Embed([face]);
        Assert.Equal(128, embedding.Length);
        Assert.All(expected.Zip(embedding), pair => Assert.Equal(pair.First / norm, pair.Second, 1e-5));

        // Embeddings that hardly depend on the face would hide a wrong layer.
        Assert.True(straight.Zip(mirrored, (a, b) => Math.Abs(a - b)).Max() / norm > 1e-3);
    }

    [Fact]
    public void The_same_weights_give_the_same_bytes() =>
        Assert.Equal(DlibResNet.Build(RandomWeights(3), "random"), DlibResNet.Build(RandomWeights(3), "random"));

    [Theory]
    [InlineData("fc")]
    [InlineData("conv32_down/conv/filters")]
    [InlineData("conv256_2/conv2/scale/biases")]
    public void A_tensor_that_is_missing_or_of_another_shape_or_unknown_is_named(string name)
    {
        Dictionary<string, TfjsTensor> tensors = RandomWeights(4);
        TfjsTensor good = tensors[name];
        tensors[name] = good with { Shape = [.. good.Shape, 1] };
        Assert.Contains($"{name} is {string.Join('x', good.Shape)}x1, expected", Refused(), StringComparison.Ordinal);
        tensors.Remove(name);
        Assert.Contains($"{name} is missing", Refused(), StringComparison.Ordinal);
        tensors[name] = good;
        tensors[name + "/extra"] = good;
        Assert.Contains($"{name}/extra is not part", Refused(), StringComparison.Ordinal);

        string Refused() => Assert.Throws<UniFaceException>(() => DlibResNet.Build(tensors, "bad")).Message;
    }

    private static Dictionary<string, TfjsTensor> RandomWeights(int seed)
    {
        Random random = new(seed);
        Dictionary<string, TfjsTensor> tensors = [];
        Layer("conv32_down", 7, 3, 32);
        foreach (string name in (string[])["conv32_1", "conv32_2", "conv32_3"])
        {
            Block(name, 32, 32);
        }

        Block("conv64_down", 32, 64);
        foreach (string name in (string[])["conv64_1", "conv64_2", "conv64_3"])
        {
            Block(name, 64, 64);
        }

        Block("conv128_down", 64, 128);
        Block("conv128_1", 128, 128);
        Block("conv128_2", 128, 128);
        Block("conv256_down", 128, 256);
        Block("conv256_1", 256, 256);
        Block("conv256_2", 256, 256);
        Block("conv256_down_out", 256, 256);
        Add("fc", 0.2, 0, 256, 128);
        return tensors;

        void Block(string name, int inputs, int outputs)
        {
            Layer(name + "/conv1", 3, inputs, outputs);
            Layer(name + "/conv2", 3, outputs, outputs);
        }

        void Layer(string name, int kernel, int inputs, int outputs)
        {
            Add(name + "/conv/filters", 2 / Math.Sqrt(kernel * kernel * inputs), 0, kernel, kernel, inputs, outputs);
            Add(name + "/conv/bias", 0.2, 0, outputs);
            Add(name + "/scale/weights", 0.3, 0.7, outputs);
            Add(name + "/scale/biases", 0.4, 0, outputs);
        }

        void Add(string name, double range, double center, params int[] shape)
        {
            float[] values = new float[shape.Aggregate(1, (a, b) => a * b)];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)(center + (range * ((2 * random.NextDouble()) - 1)));
            }

            tensors.Add(name, new TfjsTensor(shape, values));
        }
    }

    private static float[] Network(Dictionary<string, TfjsTensor> tensors, RgbImage face, bool mirrored)
    {
        double[] mean = [122.782, 117.001, 104.298];
        Map input = new(3, 150);
        for (int y = 0; y < 150; y++)
        {
            for (int x = 0; x < 150; x++)
            {
                for (int c = 0; c < 3; c++)
                {
                    input[c, y, x] = (float)((face.Pixels[(((y * 150) + (mirrored ? 149 - x : x)) * 3) + c] - mean[c]) / 256);
                }
            }
        }

        Map value = MaxPool(Relu(Convolve(tensors, input, "conv32_down", 2, 0)));
        Assert.Equal(35, value.Side);
        foreach ((string name, bool down, int side) in ((string, bool, int)[])[
            ("conv32_1", false, 35), ("conv32_2", false, 35), ("conv32_3", false, 35), ("conv64_down", true, 17), ("conv64_1", false, 17),
            ("conv64_2", false, 17), ("conv64_3", false, 17), ("conv128_down", true, 8), ("conv128_1", false, 8), ("conv128_2", false, 8),
            ("conv256_down", true, 4), ("conv256_1", false, 4), ("conv256_2", false, 4), ("conv256_down_out", true, 2)])
        {
            Map branch = Convolve(tensors, Relu(Convolve(tensors, value, name + "/conv1", down ? 2 : 1, down ? 0 : 1)), name + "/conv2", 1, 1);
            Map shortcut = down ? AveragePool(value) : value;
            Map sum = new(branch.Channels, shortcut.Side);
            for (int c = 0; c < sum.Channels; c++)
            {
                for (int y = 0; y < sum.Side; y++)
                {
                    for (int x = 0; x < sum.Side; x++)
                    {
                        sum[c, y, x] = (c < shortcut.Channels ? shortcut[c, y, x] : 0) + (y < branch.Side && x < branch.Side ? branch[c, y, x] : 0);
                    }
                }
            }

            value = Relu(sum);
            Assert.Equal(side, value.Side);
        }

        float[] fc = tensors["fc"].Values, embedding = new float[128];
        for (int c = 0; c < 256; c++)
        {
            float average = (value[c, 0, 0] + value[c, 0, 1] + value[c, 1, 0] + value[c, 1, 1]) / 4;
            for (int e = 0; e < 128; e++)
            {
                embedding[e] += average * fc[(c * 128) + e];
            }
        }

        return embedding;
    }

    // Filters are [height, width, inputs, outputs]; scale and bias follow the convolution.
    private static Map Convolve(Dictionary<string, TfjsTensor> tensors, Map input, string name, int stride, int padding)
    {
        TfjsTensor filters = tensors[name + "/conv/filters"];
        (int kernel, int outputs) = (filters.Shape[0], filters.Shape[3]);
        float[] bias = tensors[name + "/conv/bias"].Values, scale = tensors[name + "/scale/weights"].Values, shift = tensors[name + "/scale/biases"].Values;
        Map output = new(outputs, ((input.Side + (2 * padding) - kernel) / stride) + 1);
        float[] sums = new float[outputs];
        for (int y = 0; y < output.Side; y++)
        {
            for (int x = 0; x < output.Side; x++)
            {
                bias.CopyTo(sums, 0);
                for (int at = 0; at < kernel * kernel; at++)
                {
                    int fromY = (y * stride) + (at / kernel) - padding, fromX = (x * stride) + (at % kernel) - padding;
                    if (fromY < 0 || fromX < 0 || fromY >= input.Side || fromX >= input.Side)
                    {
                        continue;
                    }

                    for (int i = 0; i < input.Channels; i++)
                    {
                        float pixel = input[i, fromY, fromX];
                        ReadOnlySpan<float> row = filters.Values.AsSpan(((at * input.Channels) + i) * outputs, outputs);
                        for (int o = 0; o < outputs; o++)
                        {
                            sums[o] += pixel * row[o];
                        }
                    }
                }

                for (int o = 0; o < outputs; o++)
                {
                    output[o, y, x] = (sums[o] * scale[o]) + shift[o];
                }
            }
        }

        return output;
    }

    private static Map Relu(Map map)
    {
        for (int i = 0; i < map.Values.Length; i++)
        {
            map.Values[i] = Math.Max(0, map.Values[i]);
        }

        return map;
    }

    private static Map MaxPool(Map map) => Pool(map, 3, values => values.Max());

    private static Map AveragePool(Map map) => Pool(map, 2, values => values.Average());

    private static Map Pool(Map map, int kernel, Func<IEnumerable<float>, float> pool)
    {
        Map output = new(map.Channels, ((map.Side - kernel) / 2) + 1);
        for (int c = 0; c < map.Channels; c++)
        {
            for (int y = 0; y < output.Side; y++)
            {
                for (int x = 0; x < output.Side; x++)
                {
                    output[c, y, x] = pool(Enumerable.Range(0, kernel * kernel).Select(i => map[c, (2 * y) + (i / kernel), (2 * x) + (i % kernel)]));
                }
            }
        }

        return output;
    }

    /// <summary>[channels, side, side].</summary>
    private sealed record Map(int Channels, int Side)
    {
        public float[] Values { get; } = new float[Channels * Side * Side];

        public float this[int channel, int y, int x]
        {
            get => Values[(((channel * Side) + y) * Side) + x];
            set => Values[(((channel * Side) + y) * Side) + x] = value;
        }
    }
}
