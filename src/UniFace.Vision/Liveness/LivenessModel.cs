namespace UniFace.Vision.Liveness;

/// <summary>How a liveness model is run: a JSON file beside the model's .onnx file.</summary>
internal sealed record LivenessModel
{
    private const double DefaultScale = 2.7;

    /// <summary>A model with the default input.</summary>
    public LivenessModel()
    {
    }

    // Generated JSON sets init properties that are missing in a file to zero or null, but respects the defaults of parameters.
    [JsonConstructor]
    internal LivenessModel(double scale = DefaultScale, PixelNormalization? normalization = null) =>
        (Scale, Normalization) = (scale, normalization ?? PixelNormalization.Default);

    /// <summary>Name of the .onnx file, in the same folder: one input, float32 [N, 3, H, W]; the first output is used.</summary>
    public required string OnnxFile { get; init; }

    /// <summary>The smallest score of a live face. Measure it on your own camera with your own attacks.</summary>
    public required double Threshold { get; init; }

    /// <summary>Index of the output's value for "live"; the others are kinds of attacks.</summary>
    public int LiveIndex { get; init; }

    /// <summary>Whether the output's values are logits, which become probabilities by softmax, or by the logistic function if there is one.</summary>
    public bool Logits { get; init; }

    /// <summary>Side of the square that the model sees, around the center of the face's box, in lengths of the box's longer side.</summary>
    public double Scale { get; init; } = DefaultScale;

    /// <summary>From pixels, 0 to 255, to the input.</summary>
    public PixelNormalization Normalization { get; init; } = PixelNormalization.Default;

    /// <summary>Order of the color planes.</summary>
    public ColorOrder ColorOrder { get; init; }

    /// <summary>Reads the file.</summary>
    /// <exception cref="UniFaceException">It cannot be read, or a value is out of range.</exception>
    public static LivenessModel Load(string path)
    {
        try
        {
            LivenessModel model = JsonSerializer.Deserialize(File.ReadAllText(path), LivenessJson.Default.LivenessModel)
                ?? throw new JsonException("it is empty.");
            return model.OnnxFile is { Length: > 0 } name && Path.GetFileName(name) == name && double.IsFinite(model.Threshold) && model.LiveIndex >= 0
                && model.Scale is > 0 and <= 20 && model.Normalization is { Deviation: > 0 }
                ? model
                : throw new JsonException("expected a file name, a finite threshold, a liveIndex of at least 0, a scale of 0 to 20 and a deviation above 0.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UniFaceException(
                $"{path}: not the description of a liveness model: {e.Message} Expected e.g. {{ \"onnxFile\": \"liveness.onnx\", \"threshold\": 0.9 }}.", e);
        }
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, GenerationMode = JsonSourceGenerationMode.Metadata, Converters = [typeof(CamelCaseEnum<ColorOrder>)])]
[JsonSerializable(typeof(LivenessModel))]
internal sealed partial class LivenessJson : JsonSerializerContext;
