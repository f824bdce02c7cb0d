using System.Text.Json;
using System.Text.Json.Serialization;
using UniFace.IO;

namespace UniFace.Packages;

/// <summary>Order of the colour planes a model was trained on.</summary>
public enum ColorOrder
{
    /// <summary>Red, green, blue: InsightFace's and ours.</summary>
    Rgb,

    /// <summary>Blue, green, red: AdaFace and models trained on OpenCV's order.</summary>
    Bgr,
}

/// <summary>What the model was trained from; says nothing about how to run it.</summary>
public sealed record TrainingProvenance
{
    /// <summary>The loss with all its hyperparameters, e.g. "uce(margin=0.4,scale=64,lambda=1)".</summary>
    public required string Loss { get; init; }

    /// <summary>The backbone, e.g. "mobilefacenet(width=0.5)".</summary>
    public required string Backbone { get; init; }

    /// <summary>Hash over names, labels and contents of the training set.</summary>
    public required string DataHash { get; init; }

    /// <summary>The seed of the run.</summary>
    public required long Seed { get; init; }

    /// <summary>People trained on.</summary>
    public int People { get; init; }

    /// <summary>Pictures trained on.</summary>
    public int Images { get; init; }

    /// <summary>Epochs trained.</summary>
    public int Epochs { get; init; }

    /// <summary>SHA-256 of the package's <see cref="TrainingFingerprint"/>; absent if the run did not keep one.</summary>
    public string? FingerprintSha256 { get; init; }
}

/// <summary>Weights that were stored in fewer bits, and the accuracy before and after, measured on the same pairs.</summary>
public sealed record Quantization
{
    /// <summary>How, e.g. "int8 weights, a scale an output channel".</summary>
    public required string Kind { get; init; }

    /// <summary>What was measured on.</summary>
    public required string Data { get; init; }

    /// <summary>Pairs of the accuracy, half of them of one person.</summary>
    public required int Pairs { get; init; }

    /// <summary>Accuracy over ten folds with float weights, 0 to 1.</summary>
    public required double AccuracyBefore { get; init; }

    /// <summary>Accuracy with the stored weights.</summary>
    public required double AccuracyAfter { get; init; }
}

/// <summary>
/// model.json: all that running a model takes, and where it came from. Two packages with the same
/// <see cref="ContractId"/> give the same embedding for the same face; embeddings of different ids must never be compared.
/// </summary>
public sealed record ModelManifest
{
    /// <summary>Name of the manifest in a package folder.</summary>
    public const string FileName = "model.json";

    /// <summary>The schema that this version writes.</summary>
    public const int CurrentSchemaVersion = 1;

    /// <summary>JSON as manifests and calibrations are written: indented, camel case.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Version of this file's schema.</summary>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <summary>What makes embeddings comparable, as one id: the ONNX file, the input, the flip-sum and a named output, hashed.</summary>
    public string ContractId => Sha256.OfBytes(System.Text.Encoding.UTF8.GetBytes(FormattableString.Invariant(
        $"{OnnxSha256}|{InputWidth}x{InputHeight}|{ColorOrder}|{Normalization.Mean}|{Normalization.Deviation}|{AlignmentTemplate}|{FlipSum}{NamedOutput}")))[..32];

    private string NamedOutput => Output is null ? "" : "|" + Output;

    /// <summary>Values in an embedding.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>Width of an aligned face in pixels.</summary>
    public int InputWidth { get; init; } = 112;

    /// <summary>Height of an aligned face in pixels.</summary>
    public int InputHeight { get; init; } = 112;

    /// <summary>Order of the colour planes.</summary>
    public ColorOrder ColorOrder { get; init; } = ColorOrder.Rgb;

    /// <summary>From pixels to input.</summary>
    public PixelNormalization Normalization { get; init; } = PixelNormalization.Default;

    /// <summary>Name of the template that faces are aligned to: "arcface-112".</summary>
    public string AlignmentTemplate { get; init; } = "arcface-112";

    /// <summary>True: an embedding is f(x) + f(mirrored x).</summary>
    public bool FlipSum { get; init; }

    /// <summary>The output that is the embedding, if it was named; absent if the model leaves no choice.</summary>
    public string? Output { get; init; }

    /// <summary>The model's file in the package.</summary>
    public string OnnxFile { get; init; } = "model.onnx";

    /// <summary>SHA-256 of the ONNX file; a package whose file has another is refused.</summary>
    public required string OnnxSha256 { get; init; }

    /// <summary>Where the model came from; absent for a model that we did not train.</summary>
    public TrainingProvenance? Training { get; init; }

    /// <summary>Version of the tool that wrote the package.</summary>
    public string? ToolVersion { get; init; }

    /// <summary>Licence of the weights, as the one who trained them states it.</summary>
    public string? Licence { get; init; }

    /// <summary>How the weights were made smaller, and what that cost; absent for float weights.</summary>
    public Quantization? Quantization { get; init; }

    /// <summary>Where a model that we did not train was published.</summary>
    public string? Source { get; init; }
}
