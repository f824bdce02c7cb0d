using Microsoft.ML.OnnxRuntime.Tensors;

namespace UniFace.Vision.Liveness;

/// <summary>A liveness check by the user's own ONNX model. Thread-safe.</summary>
public sealed class OnnxLivenessCheck : ILivenessCheck, IDisposable
{
    private readonly OnnxSession session;
    private readonly LivenessModel model;
    private readonly PixelWriter<float> writer;
    private readonly string path, input, output;
    private readonly int width, height;

    private OnnxLivenessCheck(OnnxSession session, LivenessModel model, string path)
    {
        (this.session, this.model, this.path) = (session, model, path);
        writer = new PixelWriter<float>(pixel => model.Normalization.Apply(pixel), model.ColorOrder, channelsLast: false);
        (input, NodeMetadata declared) = session.Inputs.First();
        output = session.Outputs.Keys.First();
        bool fits = session.Inputs.Count == 1 && declared is { ElementDataType: TensorElementType.Float, Dimensions: [_, 3, > 0, > 0] };
        (height, width) = fits
            ? (declared.Dimensions[2], declared.Dimensions[3])
            : throw new UniFaceException(
                $"{path}: its input '{input}' is {declared.ElementDataType} {OnnxSession.Shape(declared.Dimensions)}, expected one input of Float Nx3xHxW.");
    }

    /// <summary>Opens a model and tries it.</summary>
    /// <param name="description">
    /// The JSON file that describes it: onnxFile and threshold; optionally liveIndex, logits, scale (2.7), normalization (mean, deviation) and colorOrder
    /// (rgb, bgr). The model takes float32 values, [N, 3, H, W].
    /// </param>
    /// <exception cref="UniFaceException">The description or the model cannot be read, or the model is no such model.</exception>
    public static OnnxLivenessCheck Open(string description)
    {
        LivenessModel model = LivenessModel.Load(description);
        string path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(description))!, model.OnnxFile);
        OnnxSession session = OnnxSession.Open(path, threads: 1);
        try
        {
            OnnxLivenessCheck check = new(session, model, path);
            check.Score(new RgbImage(check.width, check.height));
            return check;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public LivenessResult Check(Photo photo, DetectedFace face)
    {
        double scale = Math.Min(width, height) / (model.Scale * Math.Max(face.Width, face.Height));
        SimilarityTransform toInput = SimilarityTransform.About(
            scale, face.TurnedBy * Math.PI / 180, (face.CenterX, face.CenterY), ((width - 1) / 2.0, (height - 1) / 2.0));
        return new LivenessResult(Score(photo.Warp(toInput, width, height)), model.Threshold);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => session.Dispose();

    private double Score(RgbImage crop)
    {
        float[] pixels = new float[3 * width * height]; // [1, 3, H, W]
        writer.Write(crop, pixels, width, height);
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(pixels, [1, 3, height, width]);
        using OnnxSession.Results results = session.Run(input, value, [output]);
        float[] values = results.Floats(0).ToArray();
        if (model.LiveIndex >= values.Length || !Array.TrueForAll(values, float.IsFinite))
        {
            throw new UniFaceException(
                $"{path}: its output '{output}' has {Plural.Format(values.Length, "value")} for a face, expected finite values and one at index " +
                $"{model.LiveIndex}.");
        }

        double live = values[model.LiveIndex];
        return !model.Logits ? live : values.Length == 1 ? 1 / (1 + Math.Exp(-live)) : 1 / values.Sum(v => Math.Exp(v - live));
    }
}
