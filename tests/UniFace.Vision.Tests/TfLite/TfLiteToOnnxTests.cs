using CsCheck;
using Microsoft.ML.OnnxRuntime;
using UniFace.TestSupport;
using UniFace.Vision.Onnx;
using UniFace.Vision.TfLite;

namespace UniFace.Vision.Tests.TfLite;

/// <summary>A converted network computes what TFLite defines, re-derived here in plain loops over [H, W, C]; a damaged one is refused.</summary>
public class TfLiteToOnnxTests
{
    private static readonly Gen<(int Height, int Width, int Channels, int Kernel, int Stride, bool Same, int Seed)> Layers =
        Gen.Select(Gen.Int[3, 12], Gen.Int[3, 12], Gen.Int[1, 5], Gen.Int[1, 3], Gen.Int[1, 3], Gen.Bool, Gen.Int);

    [Fact]
    public void A_convolution_with_its_padding_and_PReLU_is_that_of_TFLite() => Layers.Sample(layer =>
    {
        (int height, int width, int channels, int kernel, int stride, bool same, int seed) = layer;
        Random random = new(seed);
        int outputs = random.Next(1, 5);
        float[] input = Values(random, height * width * channels), weights = Values(random, outputs * kernel * kernel * channels);
        float[] bias = Values(random, outputs), slopes = Values(random, outputs);
        int high = Outputs(height, kernel, stride, same), wide = Outputs(width, kernel, stride, same);
        TfLiteBuilder file = new();
        int from = file.Activation(1, height, width, channels), w = file.Weight(weights, outputs, kernel, kernel, channels);
        int b = file.Weight(bias, outputs), slope = file.Weight(slopes, 1, 1, outputs);
        int to = file.Activation(1, high, wide, outputs), last = file.Activation(1, high, wide, outputs);
        file.Step(TfLiteOperation.Conv2D, [from, w, b], to, 6, TfLiteBuilder.Spatial(same, stride, stride));
        file.Step(TfLiteOperation.PRelu, [to, slope], last);
        float[] expected = new float[high * wide * outputs];
        Each(high, wide, outputs, (y, x, o, at) =>
        {
            double sum = bias[o];
            Window(height, width, high, wide, kernel, stride, same, y, x, (row, column, ky, kx) =>
            {
                for (int c = 0; c < channels; c++)
                {
                    sum += input[(((row * width) + column) * channels) + c] * weights[(((((o * kernel) + ky) * kernel) + kx) * channels) + c];
                }
            });
            expected[at] = (float)(sum < 0 ? sum * slopes[o] : sum);
        });
        Same(expected, Run(file.Write(from, last), input, height, width, channels), high, wide, outputs);
    });

    [Fact]
    public void A_depthwise_convolution_a_pool_a_padding_of_channels_and_a_sum_are_those_of_TFLite() => Layers.Sample(layer =>
    {
        (int height, int width, int channels, int kernel, int stride, bool same, int seed) = layer;
        Random random = new(seed);
        float[] input = Values(random, height * width * channels), weights = Values(random, kernel * kernel * channels);
        int high = Outputs(height, kernel, stride, same), wide = Outputs(width, kernel, stride, same), more = channels + 2;
        TfLiteBuilder file = new();
        int from = file.Activation(1, height, width, channels), w = file.Weight(weights, 1, kernel, kernel, channels);
        int convolved = file.Activation(1, high, wide, channels), pooled = file.Activation(1, high, wide, channels);
        int sum = file.Activation(1, high, wide, channels), padded = file.Activation(1, high, wide, more);
        file.Step(TfLiteOperation.DepthwiseConv2D, [from, w], convolved, 7, TfLiteBuilder.Spatial(same, stride, stride, third: 1));
        file.Step(TfLiteOperation.MaxPool2D, [from], pooled, 6, TfLiteBuilder.Spatial(same, stride, stride, kernel, kernel));
        file.Step(TfLiteOperation.Add, [convolved, pooled], sum);
        file.Step(TfLiteOperation.Pad, [sum, file.Integers([0, 0, 0, 0, 0, 0, 0, 2], 4, 2)], padded);
        float[] expected = new float[high * wide * more];
        Each(high, wide, channels, (y, x, c, at) =>
        {
            double total = 0, largest = double.MinValue;
            Window(height, width, high, wide, kernel, stride, same, y, x, (row, column, ky, kx) =>
            {
                float value = input[(((row * width) + column) * channels) + c];
                total += value * weights[(((ky * kernel) + kx) * channels) + c];
                largest = Math.Max(largest, value);
            });
            expected[(((y * wide) + x) * more) + c] = (float)(total + largest);
        });
        Same(expected, Run(file.Write(from, padded), input, height, width, channels), high, wide, more);
    });

    [Fact]
    public void A_reshape_keeps_TFLites_order_of_the_elements()
    {
        TfLiteBuilder file = new();
        int from = file.Activation(1, 2, 3, 4), to = file.Activation(1, 6, 4);
        file.Step(TfLiteOperation.Reshape, [from], to);
        float[] input = [.. Enumerable.Range(0, 24).Select(i => (float)i)];
        Assert.Equal(input, Run(file.Write(from, to), input, 2, 3, 4));
    }

    [Fact]
    public void At_stride_2_an_even_side_is_padded_after_the_last_pixel_only()
    {
        TfLiteBuilder file = new();
        int from = file.Activation(1, 4, 4, 1), w = file.Weight([0, 0, 0, 0, 0, 0, 0, 0, 1], 1, 3, 3, 1), to = file.Activation(1, 2, 2, 1);
        file.Step(TfLiteOperation.Conv2D, [from, w], to, 6, TfLiteBuilder.Spatial(same: true, 2, 2));
        float[] input = [.. Enumerable.Range(1, 16).Select(i => (float)i)];

        // The weight of the bottom right picks pixel (2, 2) for the first output; with symmetric padding it would pick (1, 1).
        Assert.Equal([11, 0, 0, 0], Run(file.Write(from, to), input, 4, 4, 1));
    }

    [Fact]
    public void Files_damaged_in_any_way_are_converted_or_refused() => Fuzzer.Run([Small()], bytes => TfLiteToOnnx.Convert(bytes, "network"));

    [Fact]
    public void What_is_no_network_is_refused_by_one_line()
    {
        byte[] good = Small();
        foreach ((byte[] bytes, string words) in new (byte[], string)[]
        {
            ([], "identifier"),
            ("<html>not found</html>"u8.ToArray(), "identifier"),
            (good[..(good.Length / 2)], "outside of the file"),
            (Small(version: 2), "schema version is 2"),
            (Small(channels: 1 << 16), "a tensor has an impossible shape"),
        })
        {
            UniFaceException e = Assert.Throws<UniFaceException>(() => TfLiteToOnnx.Convert(bytes, "face.tflite"));
            Assert.StartsWith("face.tflite: cannot be ", e.Message, StringComparison.Ordinal);
            Assert.Contains(words, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    [Fact]
    public void Many_tensors_over_one_buffer_are_refused_before_memory_is_allocated()
    {
        byte[] bytes = Small();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int at = 8; at + 4 <= bytes.Length; at += 4)
        {
            foreach (int value in (ReadOnlySpan<int>)[-1, int.MaxValue, 1 << 28, 1])
            {
                byte[] damaged = [.. bytes];
                BitConverter.TryWriteBytes(damaged.AsSpan(at), value);
                try
                {
                    TfLiteToOnnx.Convert(damaged, "network");
                }
                catch (UniFaceException)
                {
                    // Refused.
                }
            }
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, bytes.Length * 200_000L);
    }

    private static byte[] Small(int version = 3, int channels = 3)
    {
        TfLiteBuilder file = new() { Version = version };
        int from = file.Activation(1, 6, 6, channels), w = file.Weight(Values(new Random(1), 54), 2, 3, 3, 3), slope = file.Weight([0.1f, 0.2f], 1, 1, 2);
        int to = file.Activation(1, 3, 3, 2), last = file.Activation(1, 3, 3, 2);
        if (channels > 3)
        {
            file.Activation(1, 1 << 12, 1 << 12, channels);
        }

        file.Step(TfLiteOperation.Conv2D, [from, w], to, 6, TfLiteBuilder.Spatial(same: true, 2, 2));
        file.Step(TfLiteOperation.PRelu, [to, slope], last);
        return file.Write(from, last);
    }

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];

    private static int Outputs(int length, int kernel, int stride, bool same) =>
        same ? (int)Math.Ceiling(length / (double)stride) : (int)Math.Ceiling((length - kernel + 1) / (double)stride);

    private static void Each(int height, int width, int channels, Action<int, int, int, int> visit)
    {
        for (int at = 0; at < height * width * channels; at++)
        {
            visit(at / channels / width, at / channels % width, at % channels, at);
        }
    }

    /// <summary>The pixels under a kernel, by TensorFlow's definition: SAME pads (outputs - 1) * stride + kernel - length, the smaller half first.</summary>
    private static void Window(
        int height, int width, int high, int wide, int kernel, int stride, bool same, int y, int x, Action<int, int, int, int> visit)
    {
        int above = same ? Math.Max(((high - 1) * stride) + kernel - height, 0) / 2 : 0;
        int before = same ? Math.Max(((wide - 1) * stride) + kernel - width, 0) / 2 : 0;
        for (int ky = 0; ky < kernel; ky++)
        {
            for (int kx = 0; kx < kernel; kx++)
            {
                (int row, int column) = ((y * stride) - above + ky, (x * stride) - before + kx);
                if (row >= 0 && row < height && column >= 0 && column < width)
                {
                    visit(row, column, ky, kx);
                }
            }
        }
    }

    /// <summary>Runs a file on [H, W, C]; the output in ONNX's order.</summary>
    private static float[] Run(byte[] tflite, float[] input, int height, int width, int channels)
    {
        float[] planar = new float[input.Length];
        Each(height, width, channels, (y, x, c, at) => planar[(((c * height) + y) * width) + x] = input[at]);
        using OnnxSession session = OnnxSession.Open(TfLiteToOnnx.Convert(tflite, "network"), "network", 1);
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(planar, [1, channels, height, width]);
        using OnnxSession.Results results = session.Run("input0", value, ["output0"]);
        return results.Floats(0).ToArray();
    }

    private static void Same(float[] expected, float[] planar, int height, int width, int channels) =>
        Each(height, width, channels, (y, x, c, at) => Assert.Equal(expected[at], planar[(((c * height) + y) * width) + x], 1e-4f));
}
