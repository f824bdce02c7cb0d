namespace UniFace.Packages;

/// <summary>The JSON format of manifests and calibrations, generated at compile time: it needs no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    Converters = [typeof(CamelCaseEnum<ColorOrder>), typeof(CamelCaseEnum<CropBorder>), typeof(CamelCaseEnum<CropSampling>)])]
[JsonSerializable(typeof(ModelManifest))]
[JsonSerializable(typeof(Calibration))]
internal sealed partial class PackageJson : JsonSerializerContext;

/// <summary>Writes an enumeration's values in camel case, and reads no numbers.</summary>
internal sealed class CamelCaseEnum<TEnum>() : JsonStringEnumConverter<TEnum>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where TEnum : struct, Enum;
