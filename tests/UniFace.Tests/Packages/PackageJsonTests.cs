using System.Text.Json;
using System.Text.Json.Serialization;
using UniFace.Faces;
using UniFace.Packages;

namespace UniFace.Tests.Packages;

/// <summary>JSON that is generated at compile time is the JSON of reflection, byte by byte, and fields that a file lacks keep their defaults.</summary>
public sealed class PackageJsonTests
{
    private static readonly JsonSerializerOptions Reflection = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    private static readonly ModelManifest Manifest = new()
    {
        EmbeddingSize = 64,
        OnnxSha256 = new string('a', 64),
        ColorOrder = ColorOrder.Bgr,
        Normalization = new PixelNormalization(0.1f, 1 / 3f),
        AlignmentTemplate = "other <é>",
        Alignment = new ManifestAlignment
        {
            Landmarks = [[1.5f, 2], [3, 4], [5, 6], [7, 8], [9, 10]],
            Border = CropBorder.Replicate,
            Sampling = CropSampling.AntiAliased,
        },
        Training = new TrainingProvenance { Loss = "uce(margin=0.4)", Backbone = "b", DataHash = "h", Seed = -1 },
        Quantization = new Quantization { Kind = "int8", Data = "d", Pairs = 2, AccuracyBefore = 0.1, AccuracyAfter = 1e-9 },
    };

    private static readonly Calibration Calibration = new()
    {
        FlipSum = true,
        Data = new CalibrationData { Name = "n", Sha256 = "s", SamePairs = 1, DifferentPairs = 3_000_000_000 },
        Overlap = new TrainingOverlap(1, 2),
        Created = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        Entries = [new CalibrationEntry { FalseMatchRate = 1e-3, Supported = true, Threshold = 0.3 }],
        Curve = [new CalibrationPoint(0.5, 0, 0.25)],
    };

    [Fact]
    public void Generated_JSON_is_that_of_reflection()
    {
        Assert.Equal(JsonSerializer.Serialize(Manifest, Reflection), JsonSerializer.Serialize(Manifest, ModelManifest.Json));
        Assert.Equal(JsonSerializer.Serialize(Calibration, Reflection) + "\n", Calibration.ToJson());
    }

    [Fact]
    public void A_manifest_that_states_only_what_it_must_has_the_defaults()
    {
        ModelManifest minimal = new() { EmbeddingSize = 64, OnnxSha256 = new string('a', 64) };
        string json = $$"""{"embeddingSize": 64, "onnxSha256": "{{minimal.OnnxSha256}}"}""";
        Assert.Equal(minimal, JsonSerializer.Deserialize<ModelManifest>(json, ModelManifest.Json));
    }

    [Fact]
    public void A_calibration_that_states_only_what_it_must_has_the_defaults()
    {
        const string Json = """
            {"flipSum": false, "data": {"name": "n", "sha256": "s", "samePairs": 1, "differentPairs": 1}, "created": "2026-01-02T03:04:05Z",
             "entries": [], "curve": []}
            """;
        Calibration read = Calibration.Parse(Json, "test");
        Assert.Equal((Calibration.CurrentSchemaVersion, 0.95), (read.SchemaVersion, read.Confidence));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("\"gray\"")]
    public void An_unknown_color_order_is_refused(string value) => Assert.Throws<JsonException>(
        () => JsonSerializer.Deserialize<ModelManifest>($$"""{"embeddingSize": 1, "onnxSha256": "", "colorOrder": {{value}}}""", ModelManifest.Json));
}
