using System.Globalization;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Liveness;

namespace UniFace.Vision.Tests.Liveness;

/// <summary>A liveness check shows a model the surroundings of the face as its description says, and takes the score of "live" from its output.</summary>
public sealed class OnnxLivenessCheckTests : IDisposable
{
    private const int Side = 8, Inputs = 3 * Side * Side;
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-liveness-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_score_is_the_value_of_the_live_class_of_the_normalized_crop()
    {
        float[] weights = TinyOnnx.WriteEmbedder(Path.Combine(folder, "m.onnx"), Side, Side, 3); // [Inputs, 3]
        RgbImage red = new(100, 100);
        for (int i = 0; i < red.Pixels.Length; i += 3)
        {
            red.Pixels[i] = 255;
        }

        // BGR and (pixel - 100) / 50: the last plane is 3.1, the others are -2.
        double Value(int output) => Enumerable.Range(0, Inputs).Sum(i => weights[(i * 3) + output] * (i < 2 * Side * Side ? -2 : 3.1));
        const string Input = "\"liveIndex\": 1, \"colorOrder\": \"bgr\", \"normalization\": { \"mean\": 100, \"deviation\": 50 }";
        using (OnnxLivenessCheck plain = Open(Input))
        {
            LivenessResult result = plain.Check(new Photo(red), Face(50, 50, 20));
            Assert.Equal(Value(1), result.Score, 1e-4);
            Assert.Equal(0.25, result.Threshold);
        }

        using OnnxLivenessCheck logits = Open(Input + ", \"logits\": true");
        double[] exponentials = [.. Enumerable.Range(0, 3).Select(i => Math.Exp(Value(i)))];
        Assert.Equal(exponentials[1] / exponentials.Sum(), logits.Check(new Photo(red), Face(50, 50, 20)).Score, 1e-4);
    }

    [Fact]
    public void A_single_logit_becomes_a_probability()
    {
        TinyOnnx.WriteEmbedder(Path.Combine(folder, "m.onnx"), Side, Side, 1, weight: 1f / Inputs);
        using OnnxLivenessCheck check = Open("\"logits\": true, \"normalization\": { \"mean\": 0, \"deviation\": 1 }");
        Assert.Equal(0.5, check.Check(new Photo(new RgbImage(100, 100)), Face(50, 50, 20)).Score, 1e-6); // black: a logit of 0
    }

    /// <summary>The model sees the mean brightness of its square; the photo is white in a square of 40 pixels around (60, 40) and black elsewhere.</summary>
    [Theory]
    [InlineData(60, 40, 20, 1, 1)]
    [InlineData(60, 40, 20, 4, 0.25)] // 80 pixels of which 40 are white, along each side
    [InlineData(20, 80, 20, 1, 0)]
    [InlineData(60, 40, 40, 2, 0.25)]
    public void The_model_sees_a_square_around_the_face_of_the_described_scale(float x, float y, float side, double scale, double expected)
    {
        TinyOnnx.WriteEmbedder(Path.Combine(folder, "m.onnx"), Side, Side, 1, weight: 1f / Inputs);
        RgbImage photo = new(120, 120);
        for (int row = 20; row < 60; row++)
        {
            photo.Pixels.AsSpan(((row * 120) + 40) * 3, 40 * 3).Fill(255);
        }

        using OnnxLivenessCheck check = Open(FormattableString.Invariant($"\"scale\": {scale}, \"normalization\": {{ \"mean\": 0, \"deviation\": 255 }}"));
        Assert.Equal(expected, check.Check(new Photo(photo), Face(x, y, side)).Score, 0.1);
    }

    [Theory]
    [InlineData("{", "not the description of a liveness model")]
    [InlineData("{ \"onnxFile\": \"m.onnx\" }", "threshold")]
    [InlineData("{ \"onnxFile\": \"../m.onnx\", \"threshold\": 0.5 }", "expected a file name")]
    [InlineData("{ \"onnxFile\": \"m.onnx\", \"threshold\": 0.5, \"scale\": 0 }", "a scale of 0 to 20")]
    [InlineData("{ \"onnxFile\": \"m.onnx\", \"threshold\": 0.5, \"liveIndex\": 2 }", "has 2 values")]
    [InlineData("{ \"onnxFile\": \"absent.onnx\", \"threshold\": 0.5 }", "absent.onnx")]
    public void A_description_that_does_not_fit_is_refused_when_it_is_opened(string json, string why)
    {
        TinyOnnx.WriteEmbedder(Path.Combine(folder, "m.onnx"), Side, Side, 2);
        File.WriteAllText(Path.Combine(folder, "liveness.json"), json);
        UniFaceException e = Assert.Throws<UniFaceException>(() => OnnxLivenessCheck.Open(Path.Combine(folder, "liveness.json")));
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_with_a_free_size_or_another_input_is_refused()
    {
        TinyOnnx.WriteEmbedder(Path.Combine(folder, "m.onnx"), Side, Side, 2, new TinyOnnx.Input("uint8"));
        Assert.Contains("expected one input of Float", Assert.Throws<UniFaceException>(() => Open("\"scale\": 1")).Message, StringComparison.Ordinal);
    }

    private OnnxLivenessCheck Open(string settings)
    {
        string description = Path.Combine(folder, "liveness.json");
        File.WriteAllText(description, string.Create(CultureInfo.InvariantCulture, $"{{ \"onnxFile\": \"m.onnx\", \"threshold\": 0.25, {settings} }}"));
        return OnnxLivenessCheck.Open(description);
    }

    private static DetectedFace Face(float x, float y, float side) =>
        new(x - (side / 2), y - (side / 2), side, side, 1, AlignmentTemplate.ArcFace112.Landmarks);
}
