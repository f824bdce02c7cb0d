using System.Runtime.Intrinsics.X86;

namespace UniFace.Gallery.Index.Kernels;

/// <summary>Instruction sets of the kernels. All give the same integers.</summary>
internal enum InstructionSet
{
    /// <summary>.NET's 128-bit vectors, on every processor.</summary>
    Portable,

    /// <summary>AVX2.</summary>
    Avx2,

    /// <summary>AVX-512BW.</summary>
    Avx512,
}

/// <summary>
/// Inner products of code rows with a query or a tile of eight, as exact integers.
/// They use <c>vpmaddubsw</c> rather than VNNI's <c>vpdpbusd</c>, which .NET 10 supports for 256-bit VEX and AVX10.2 only. With eight steps
/// added in 16 bits (see <see cref="RowQuantizer"/>) that takes 9 multiplications instead of VNNI's 8.
/// </summary>
internal static unsafe class DotKernels
{
    /// <summary>The fastest that this processor supports.</summary>
    public static InstructionSet Best { get; } =
        Avx512BW.IsSupported ? InstructionSet.Avx512 : Avx2.IsSupported ? InstructionSet.Avx2 : InstructionSet.Portable;

    /// <summary>True if this processor supports it.</summary>
    public static bool IsSupported(InstructionSet instructions) => instructions <= Best;

    /// <summary>Multiplies the queries of a tile with groups of 16 rows.</summary>
    /// <param name="instructions">The instructions to use.</param>
    /// <param name="groups">The first group.</param>
    /// <param name="count">Number of groups; even if the tile has eight queries.</param>
    /// <param name="layout">Layout of a group.</param>
    /// <param name="tile">A <see cref="QueryTile"/>.</param>
    /// <param name="width">Queries of the tile: 1 or 8.</param>
    /// <param name="output">[count, width, 16].</param>
    public static void Multiply(InstructionSet instructions, byte* groups, int count, RowGroup layout, int* tile, int width, int* output)
    {
        switch (instructions, width)
        {
            case (InstructionSet.Avx512, 1):
                DotKernelAvx512.One(groups, count, layout.Stride, layout.Chunks, tile, output);
                break;
            case (InstructionSet.Avx512, _):
                DotKernelAvx512.Eight(groups, count, layout.Stride, layout.Chunks, tile, output);
                break;
            case (InstructionSet.Avx2, 1):
                DotKernelAvx2.One(groups, count, layout.Stride, layout.Chunks, tile, output);
                break;
            case (InstructionSet.Avx2, _):
                DotKernelAvx2.Eight(groups, count, layout.Stride, layout.Chunks, tile, output);
                break;
            default:
                Portable(groups, count, layout, tile, width, output);
                break;
        }
    }

    private static void Portable(byte* groups, int count, RowGroup layout, int* tile, int width, int* output)
    {
        Vector128<int> low = Vector128.Create(0xFF), bias = Vector128.Create(128);
        for (int g = 0; g < count; g++)
        {
            byte* group = groups + ((long)g * layout.Stride);
            for (int four = 0; four < RowGroup.Rows; four += 4)
            {
                for (int q = 0; q < width; q++)
                {
                    Vector128<int> sum = Vector128<int>.Zero;
                    for (int step = 0; step < layout.Padded / 4; step++)
                    {
                        // Codes of four rows and four dimensions. The correction at the start of each chunk is not needed here.
                        Vector128<int> codes = Vector128.Load((int*)(group + (step * 64) + (four * 4)));
                        int word = tile[(((step / 8 * 9) + 1 + (step % 8)) * width) + q];
                        sum += ((codes & low) - bias) * (sbyte)word;
                        sum += (((codes >>> 8) & low) - bias) * (sbyte)(word >> 8);
                        sum += (((codes >>> 16) & low) - bias) * (sbyte)(word >> 16);
                        sum += ((codes >>> 24) - bias) * (sbyte)(word >> 24);
                    }

                    sum.Store(output + (((g * width) + q) * RowGroup.Rows) + four);
                }
            }
        }
    }
}
