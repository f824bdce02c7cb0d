using System.Runtime.InteropServices;
using CsCheck;
using UniFace.Gallery.Index.Kernels;

namespace UniFace.Gallery.Tests.Index;

/// <summary>Every kernel computes exact inner products of codes, and codes keep the limits that this needs.</summary>
public sealed unsafe class DotKernelTests
{
    public static TheoryData<string> InstructionSets => [.. Enum.GetNames<InstructionSet>()];

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Every_kernel_computes_the_inner_products_of_the_codes(string name)
    {
        InstructionSet instructions = Enum.Parse<InstructionSet>(name);

        // Outside the sample, which would report a skip as a failure.
        Assert.SkipUnless(DotKernels.IsSupported(instructions), $"this processor has no {instructions}");
        Gen.Select(Gen.Int[1, 200], Gen.Int[1, 9], Gen.Int).Sample((size, queries, seed) => InnerProducts(instructions, size, queries, seed), iter: 60);
    }

    [Fact]
    public void Codes_keep_the_limits_that_16_bit_sums_need_and_state_their_error_and_norm() => Gen.Select(
        Gen.Int[1, 300], Gen.Float[-3, 3].Array[300], Gen.Bool, Gen.Float[1e-30f, 1e5f]).Sample((size, noise, spiky, factor) =>
    {
        float[] values = [.. noise.Take(size).Select((v, i) => spiky && i % 7 != 0 ? v * 1e-3f * factor : v * factor)];
        RowGroup layout = new(size);
        foreach (bool row in new[] { true, false })
        {
            sbyte[] codes = new sbyte[layout.Padded];
            Quantized quantized = row ? RowQuantizer.QuantizeRow(values, codes) : RowQuantizer.QuantizeQuery(values, codes);
            Assert.All(codes, c => Assert.InRange((int)c, row ? -127 : -64, row ? 127 : 64));
            for (int first = 0; first < codes.Length; first += 32)
            {
                for (int lane = 0; lane < 2; lane++)
                {
                    int square = Enumerable.Range(first, 32).Where(i => i / 2 % 2 == lane).Sum(i => codes[i] * codes[i]);
                    Assert.True(square <= (row ? 256 * 256 : 127 * 127), $"a lane of norm {Math.Sqrt(square)}");
                }
            }

            double error = Math.Sqrt(values.Select((v, i) => Math.Pow(v - ((double)quantized.Scale * codes[i]), 2)).Sum());
            double norm = Math.Sqrt(codes.Sum(c => Math.Pow((double)quantized.Scale * c, 2)));
            Assert.True(quantized.Error >= error && quantized.Error <= (error * 1.000001) + 1e-38, $"error {error}, stated {quantized.Error}");
            Assert.True(quantized.Norm >= norm && quantized.Norm <= (norm * 1.000001) + 1e-38, $"norm {norm}, stated {quantized.Norm}");
        }
    });

    private static void InnerProducts(InstructionSet instructions, int size, int queries, int seed)
    {
        RowGroup layout = new(size);
        const int count = 4;
        float[][] rows = Rows.Hard(count * 16, size, seed), asked = Rows.Hard(queries, size, seed + 1);
        byte* groups = (byte*)NativeMemory.AlignedAlloc((nuint)(count * layout.Stride), 64);
        int width = queries == 1 ? 1 : 8;
        int* tile = (int*)NativeMemory.AlignedAlloc((nuint)(QueryTile.Words(layout, width) * 4), 64);
        int* output = (int*)NativeMemory.AlignedAlloc(count * 8 * 16 * 4, 64);
        try
        {
            new Span<int>(tile, QueryTile.Words(layout, width)).Clear();
            sbyte[][] rowCodes = [.. rows.Select(r => Codes(layout, r, row: true))];
            sbyte[][] queryCodes = [.. asked.Take(width).Select(q => Codes(layout, q, row: false))];
            for (int g = 0; g < count; g++)
            {
                layout.Clear(groups + (g * layout.Stride));
            }

            for (int r = 0; r < rows.Length; r++)
            {
                layout.Write(groups + (r / 16 * layout.Stride), r % 16, rowCodes[r], default);
            }

            for (int q = 0; q < queryCodes.Length; q++)
            {
                QueryTile.Pack(layout, queryCodes[q], tile, width, q);
            }

            DotKernels.Multiply(instructions, groups, count, layout, tile, width, output);
            for (int r = 0; r < rows.Length; r++)
            {
                for (int q = 0; q < queryCodes.Length; q++)
                {
                    int expected = rowCodes[r].Zip(queryCodes[q], (a, b) => a * b).Sum();
                    Assert.Equal(expected, output[(((r / 16 * width) + q) * 16) + (r % 16)]);
                }
            }
        }
        finally
        {
            NativeMemory.AlignedFree(groups);
            NativeMemory.AlignedFree(tile);
            NativeMemory.AlignedFree(output);
        }
    }

    private static sbyte[] Codes(RowGroup layout, float[] values, bool row)
    {
        sbyte[] codes = new sbyte[layout.Padded];
        _ = row ? RowQuantizer.QuantizeRow(values, codes) : RowQuantizer.QuantizeQuery(values, codes);
        return codes;
    }
}
