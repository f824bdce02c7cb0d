namespace UniFace.Gallery.Index.Kernels;

/// <summary>
/// Memory layout of 16 rows for a scan: [steps, 16 rows, 4 dimensions] codes + 128 as bytes, then 16 scales and 16 errors as floats. A step
/// of 64 bytes is one register: 4 dimensions of 16 rows, so that a lane is a row and no sum crosses lanes.
/// </summary>
internal readonly unsafe struct RowGroup(int dimension)
{
    /// <summary>Rows of a group.</summary>
    public const int Rows = 16;

    /// <summary>Error of an absent row: its upper bound is then below every threshold.</summary>
    public const float Absent = float.NegativeInfinity;

    /// <summary>The code of zero.</summary>
    public const byte Zero = 128;

    /// <summary>Chunks of 32 dimensions.</summary>
    public int Chunks { get; } = (dimension + RowQuantizer.Chunk - 1) / RowQuantizer.Chunk;

    /// <summary>Dimensions with padding.</summary>
    public int Padded => Chunks * RowQuantizer.Chunk;

    /// <summary>Bytes of a group.</summary>
    public int Stride => (Padded * Rows) + (2 * Rows * sizeof(float));

    /// <summary>The 16 scales of a group.</summary>
    public float* Scales(byte* group) => (float*)(group + (Padded * Rows));

    /// <summary>The 16 errors of a group.</summary>
    public float* Errors(byte* group) => (float*)(group + (Padded * Rows) + (Rows * sizeof(float)));

    /// <summary>Marks all 16 rows of a group as absent and sets their codes to zero.</summary>
    public void Clear(byte* group)
    {
        new Span<byte>(group, Padded * Rows).Fill(Zero);
        new Span<float>(Scales(group), Rows).Clear();
        new Span<float>(Errors(group), Rows).Fill(Absent);
    }

    /// <summary>Writes a row. The error is written last and marks the row as present.</summary>
    public void Write(byte* group, int lane, ReadOnlySpan<sbyte> codes, Quantized row)
    {
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<sbyte, uint>(codes);
        for (int step = 0; step < Padded / 4; step++)
        {
            // Flipping the highest bit of a byte adds 128.
            ((uint*)group)[(step * Rows) + lane] = words[step] ^ 0x80808080;
        }

        Scales(group)[lane] = row.Scale;
        Volatile.Write(ref Unsafe.AsRef<float>(Errors(group) + lane), row.Error);
    }

    /// <summary>Copies a row from another group.</summary>
    public void Copy(byte* from, int fromLane, byte* to, int lane)
    {
        for (int step = 0; step < Padded / 4; step++)
        {
            ((uint*)to)[(step * Rows) + lane] = ((uint*)from)[(step * Rows) + fromLane];
        }

        Scales(to)[lane] = Scales(from)[fromLane];
        Errors(to)[lane] = Errors(from)[fromLane];
    }

    /// <summary>True if a row is present.</summary>
    public bool IsPresent(byte* group, int lane) => !float.IsNegativeInfinity(Volatile.Read(ref Unsafe.AsRef<float>(Errors(group) + lane)));

    /// <summary>Removes a row from searches. Its codes stay until <see cref="Wipe"/>.</summary>
    public void Remove(byte* group, int lane) => Volatile.Write(ref Unsafe.AsRef<float>(Errors(group) + lane), Absent);

    /// <summary>Overwrites the codes and the scale of a removed row.</summary>
    public void Wipe(byte* group, int lane)
    {
        Scales(group)[lane] = 0;
        for (int step = 0; step < Padded / 4; step++)
        {
            ((uint*)group)[(step * Rows) + lane] = 0x80808080;
        }
    }
}
