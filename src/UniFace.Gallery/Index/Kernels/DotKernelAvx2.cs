using System.Runtime.Intrinsics.X86;

namespace UniFace.Gallery.Index.Kernels;

/// <summary>The kernels of <see cref="DotKernels"/> for AVX2. Unrolled by hand, so that each sum of a tile stays in a register.</summary>
internal static unsafe class DotKernelAvx2
{
    /// <summary>One query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void One(byte* groups, int count, int stride, int chunks, int* query, int* output)
    {
        Vector256<short> ones = Vector256<short>.One;
        for (int g = 0; g < count; g++)
        {
            byte* row = groups + ((long)g * stride);
            int* word = query;
            Vector256<int> totalLow = Vector256<int>.Zero, totalHigh = Vector256<int>.Zero;
            for (int c = 0; c < chunks; c++)
            {
                Vector256<short> low = Vector256.Create(word[0]).AsInt16(), high = low;
                for (int s = 0; s < 8; s++)
                {
                    Vector256<sbyte> q = Vector256.Create(word[1 + s]).AsSByte();
                    low += Avx2.MultiplyAddAdjacent(Vector256.Load(row + (s * 64)), q);
                    high += Avx2.MultiplyAddAdjacent(Vector256.Load(row + (s * 64) + 32), q);
                }

                totalLow += Avx2.MultiplyAddAdjacent(low, ones);
                totalHigh += Avx2.MultiplyAddAdjacent(high, ones);
                row += 512;
                word += 9;
            }

            totalLow.Store(output + (g * RowGroup.Rows));
            totalHigh.Store(output + (g * RowGroup.Rows) + 8);
        }
    }

    /// <summary>Eight queries with eight rows at a time: 8 sums in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Eight(byte* groups, int count, int stride, int chunks, int* tile, int* output)
    {
        for (int half = 0; half < count * 2; half++)
        {
            byte* row = groups + ((long)(half >> 1) * stride) + ((half & 1) * 32);
            int* word = tile;
            int* a = output + ((half >> 1) * 128) + ((half & 1) * 8);
            for (int c = 0; c < chunks; c++)
            {
                Vector256<short> a0 = Vector256.Create(word[0]).AsInt16();
                Vector256<short> a1 = Vector256.Create(word[1]).AsInt16();
                Vector256<short> a2 = Vector256.Create(word[2]).AsInt16();
                Vector256<short> a3 = Vector256.Create(word[3]).AsInt16();
                Vector256<short> a4 = Vector256.Create(word[4]).AsInt16();
                Vector256<short> a5 = Vector256.Create(word[5]).AsInt16();
                Vector256<short> a6 = Vector256.Create(word[6]).AsInt16();
                Vector256<short> a7 = Vector256.Create(word[7]).AsInt16();
                word += 8;
                for (int s = 0; s < 8; s++)
                {
                    Vector256<byte> r = Vector256.Load(row);
                    a0 += Multiply(r, word[0]);
                    a1 += Multiply(r, word[1]);
                    a2 += Multiply(r, word[2]);
                    a3 += Multiply(r, word[3]);
                    a4 += Multiply(r, word[4]);
                    a5 += Multiply(r, word[5]);
                    a6 += Multiply(r, word[6]);
                    a7 += Multiply(r, word[7]);
                    row += 64;
                    word += 8;
                }

                Accumulate(a0, a, c == 0);
                Accumulate(a1, a + 16, c == 0);
                Accumulate(a2, a + 32, c == 0);
                Accumulate(a3, a + 48, c == 0);
                Accumulate(a4, a + 64, c == 0);
                Accumulate(a5, a + 80, c == 0);
                Accumulate(a6, a + 96, c == 0);
                Accumulate(a7, a + 112, c == 0);
            }
        }
    }

    // Sums of pairs of products of eight rows with four codes of a query.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Multiply(Vector256<byte> rows, int word) => Avx2.MultiplyAddAdjacent(rows, Vector256.Create(word).AsSByte());

    // Adds the sums of pairs to the output, which is in the cache; the first chunk sets it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Accumulate(Vector256<short> pairs, int* output, bool first)
    {
        Vector256<int> sums = Avx2.MultiplyAddAdjacent(pairs, Vector256<short>.One);
        if (!first)
        {
            sums += Vector256.Load(output);
        }

        sums.Store(output);
    }
}
