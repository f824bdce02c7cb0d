using static TorchSharp.torch;

namespace UniFace.Training.Checkpoints;

/// <summary>Element types of the safetensors format and torch's names for them.</summary>
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

    /// <summary>The format's name and the bytes of one element.</summary>
    /// <exception cref="NotSupportedException">The format has no such type.</exception>
    public static (string Name, int Size) Of(ScalarType type)
    {
        foreach ((string name, ScalarType known, int size) in Known)
        {
            if (known == type)
            {
                return (name, size);
            }
        }

        throw new NotSupportedException($"Tensors of type {type} cannot be written as safetensors.");
    }

    /// <summary>Finds a type by the format's name.</summary>
    public static bool TryParse(string? name, out ScalarType type, out int size)
    {
        foreach ((string known, ScalarType its, int bytes) in Known)
        {
            if (known == name)
            {
                (type, size) = (its, bytes);
                return true;
            }
        }

        (type, size) = (default, 0);
        return false;
    }
}
