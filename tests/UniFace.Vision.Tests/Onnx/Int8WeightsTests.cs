using UniFace.Faces;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Tests.Onnx;

/// <summary>Quantization only rounds weights; everything else in the network stays the same.</summary>
public sealed class Int8WeightsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Weights_are_rounded_to_127_steps_per_row_and_nothing_else_changes()
    {
        const int side = 16, size = 16;
        string path = Path.Combine(folder, "m.onnx"), small = Path.Combine(folder, "s.onnx");
        float[] weights = TinyOnnx.WriteEmbedder(path, side, side, size); // [3 * side * side, size]: Gemm's rows are axis 0
        byte[] stored = Int8Weights.Quantize(File.ReadAllBytes(path), "m.onnx");
        File.WriteAllBytes(small, stored);
        Assert.True(stored.Length < 2.3 * weights.Length, $"{stored.Length} bytes for {weights.Length} weights, a float a row of {size} among them");

        double[] rounded = new double[weights.Length];
        for (int row = 0; row < weights.Length / size; row++)
        {
            float scale = weights.AsSpan(row * size, size).ToArray().Max(Math.Abs) / 127;
            for (int i = 0; i < size; i++)
            {
                rounded[(row * size) + i] = Math.Round(weights[(row * size) + i] / scale) * scale;
            }
        }

        ModelManifest manifest = new() { EmbeddingSize = size, InputWidth = side, InputHeight = side, OnnxSha256 = "" };
        using OnnxEmbedder embedder = OnnxEmbedder.Open(small, manifest);
        RgbImage face = TestImages.Noise(side, side, 1);
        float[] actual = embedder.Embed([face]);
        double[] expected = new double[size];
        for (int plane = 0; plane < 3; plane++)
        {
            for (int p = 0; p < side * side; p++)
            {
                for (int i = 0; i < size; i++)
                {
                    expected[i] += (face.Pixels[(p * 3) + plane] - 127.5) / 127.5 * rounded[(((plane * side * side) + p) * size) + i];
                }
            }
        }

        double norm = Math.Sqrt(expected.Sum(v => v * v));
        Assert.All(Enumerable.Range(0, size), i => Assert.Equal(expected[i] / norm, actual[i], 1e-4));
    }

    [Fact]
    public void A_file_that_is_not_a_model_is_refused_in_one_line()
    {
        string path = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(path, 16, 16, 4);
        Refused.With("no weights", () => Int8Weights.Quantize(Int8Weights.Quantize(File.ReadAllBytes(path), "x"), "x"));
        Refused.With("opset 0", () => Int8Weights.Quantize([], "x"));
    }
}
