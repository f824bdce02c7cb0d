namespace UniFace.Packages;

/// <summary>Order of the color channels that a model expects.</summary>
public enum ColorOrder
{
    /// <summary>Red, green, blue: InsightFace and UniFace.</summary>
    Rgb,

    /// <summary>Blue, green, red: AdaFace and models trained with OpenCV's order.</summary>
    Bgr,
}

/// <summary>How the model was trained.</summary>
internal sealed record TrainingProvenance
{
    /// <summary>The loss with all its hyperparameters, e.g. "uce(margin=0.4,scale=64,lambda=1)".</summary>
    public required string Loss { get; init; }

    /// <summary>The backbone, e.g. "mobilefacenet(width=0.5)".</summary>
    public required string Backbone { get; init; }

    /// <summary>Hash over names, labels and contents of the training set.</summary>
    public required string DataHash { get; init; }

    /// <summary>The seed of the run.</summary>
    public required long Seed { get; init; }

    /// <summary>People in the training set.</summary>
    public int People { get; init; }

    /// <summary>Images in the training set.</summary>
    public int Images { get; init; }

    /// <summary>Number of epochs.</summary>
    public int Epochs { get; init; }

    /// <summary>SHA-256 of the package's <see cref="TrainingFingerprint"/>; absent if the run has none.</summary>
    public string? FingerprintSha256 { get; init; }
}

/// <summary>Quantized weights, and the accuracy before and after, measured on the same pairs.</summary>
internal sealed record Quantization
{
    /// <summary>The method, e.g. "int8 weights, one scale per output channel".</summary>
    public required string Kind { get; init; }

    /// <summary>The data of the measurement.</summary>
    public required string Data { get; init; }

    /// <summary>Number of pairs, half of them mated.</summary>
    public required int Pairs { get; init; }

    /// <summary>Accuracy over ten folds with float weights, 0 to 1.</summary>
    public required double AccuracyBefore { get; init; }

    /// <summary>Accuracy with quantized weights.</summary>
    public required double AccuracyAfter { get; init; }
}

/// <summary>
/// model.json: how to run a model, and its origin. Packages with the same <see cref="ContractId"/> give the same embedding for the same face;
/// embeddings of different ids must not be compared.
/// </summary>
internal sealed record ModelManifest
{
    /// <summary>Name of the manifest in a package folder.</summary>
    public const string FileName = "model.json";

    /// <summary>The schema that this version writes.</summary>
    public const int CurrentSchemaVersion = 1;

    /// <summary>The JSON format of manifests and calibrations: indented, camel case.</summary>
    public static JsonSerializerOptions Json => PackageJson.Default.Options;

    /// <summary>A manifest with the default input.</summary>
    public ModelManifest()
    {
    }

    // Generated JSON sets init properties that are missing in a file to zero or null, but respects the defaults of parameters.
    [JsonConstructor]
    internal ModelManifest(
        int schemaVersion = CurrentSchemaVersion, int inputWidth = 112, int inputHeight = 112, PixelNormalization? normalization = null,
        string alignmentTemplate = Faces.AlignmentTemplate.ArcFace112Name, string onnxFile = PackageFolder.OnnxName)
    {
        SchemaVersion = schemaVersion;
        InputWidth = inputWidth;
        InputHeight = inputHeight;
        Normalization = normalization ?? PixelNormalization.Default;
        AlignmentTemplate = alignmentTemplate;
        OnnxFile = onnxFile;
    }

    /// <summary>Version of this file's schema.</summary>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <summary>Identifies comparable embeddings: a hash over the ONNX file, the input, the alignment, the flip-sum and a named output.</summary>
    public string ContractId => Sha256.HashBytes(Encoding.UTF8.GetBytes(
        Invariant($"{OnnxSha256}|{InputWidth}x{InputHeight}|{ColorOrder}|{Normalization.Mean}|{Normalization.Deviation}|") +
        $"{AlignmentTemplate}|{FlipSum}{(Output is null ? "" : "|" + Output)}{Alignment?.Identity}"))[..32];

    /// <summary>Values in an embedding.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>Width of an aligned face in pixels.</summary>
    public int InputWidth { get; init; } = 112;

    /// <summary>Height of an aligned face in pixels.</summary>
    public int InputHeight { get; init; } = 112;

    /// <summary>Order of the color channels.</summary>
    public ColorOrder ColorOrder { get; init; } = ColorOrder.Rgb;

    /// <summary>From pixels to input.</summary>
    public PixelNormalization Normalization { get; init; } = PixelNormalization.Default;

    /// <summary>Name of the template that faces are aligned to: "arcface-112" for ArcFace's at any size, or the name of <see cref="Alignment"/>.</summary>
    public string AlignmentTemplate { get; init; } = Faces.AlignmentTemplate.ArcFace112Name;

    /// <summary>The template and how crops are sampled; absent for ArcFace's.</summary>
    public ManifestAlignment? Alignment { get; init; }

    /// <summary>Whether an embedding is f(x) + f(mirrored x).</summary>
    public bool FlipSum { get; init; }

    /// <summary>Name of the output that is the embedding; absent if the model has only one candidate.</summary>
    public string? Output { get; init; }

    /// <summary>The model's file in the package.</summary>
    public string OnnxFile { get; init; } = "model.onnx";

    /// <summary>SHA-256 of the ONNX file; a package with another file is refused.</summary>
    public required string OnnxSha256 { get; init; }

    /// <summary>How the model was trained; absent for a pretrained model of another source.</summary>
    public TrainingProvenance? Training { get; init; }

    /// <summary>Version of the tool that wrote the package.</summary>
    public string? ToolVersion { get; init; }

    /// <summary>License of the weights, as stated by their authors.</summary>
    public string? Licence { get; init; }

    /// <summary>How the weights were quantized; absent for float weights.</summary>
    public Quantization? Quantization { get; init; }

    /// <summary>What the model is good for and where it is weak, to show where it decides; absent if nothing is known.</summary>
    public string? Suitability { get; init; }

    /// <summary>Where a pretrained model of another source was published.</summary>
    public string? Source { get; init; }

    /// <summary>The template that faces are aligned to.</summary>
    /// <exception cref="UniFaceException">The manifest has no alignment, and ArcFace has no rule for the size.</exception>
    public Faces.AlignmentTemplate CreateTemplate() => Alignment is ManifestAlignment alignment
        ? alignment.CreateTemplate(AlignmentTemplate, InputWidth, InputHeight)
        : Faces.AlignmentTemplate.ArcFace(InputWidth, InputHeight);
}
