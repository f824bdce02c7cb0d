namespace UniFace.Training.Checkpoints;

/// <summary>Element types of the safetensors format.</summary>
internal static class SafeTensorsType
{
    private static readonly (string Name, ScalarType Type, int Size)[] Known =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>The name of a type in the format, and the bytes per element.</summary>
    /// <exception cref="NotSupportedException">The format has no such type.</exception>
    public static (string Name, int Size) Describe(ScalarType type) =>
        Known.FirstOrDefault(known => known.Type == type) is { Name: not null } found
            ? (found.Name, found.Size)
            : throw new NotSupportedException($"Tensors of type {type} cannot be written as safetensors.");

    /// <summary>Finds a type by its name in the format.</summary>
    public static bool TryParse(string? name, out ScalarType type, out int size)
    {
        (string known, type, size) = Known.FirstOrDefault(entry => entry.Name == name);
        return known is not null;
    }
}
