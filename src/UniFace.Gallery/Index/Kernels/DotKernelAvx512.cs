using System.Runtime.Intrinsics.X86;

namespace UniFace.Gallery.Index.Kernels;

/// <summary>The kernels of <see cref="DotKernels"/> for AVX-512BW. Unrolled by hand, so that each sum of a tile stays in a register.</summary>
internal static unsafe class DotKernelAvx512
{
    private const int PrefetchDistance = 4096;

    /// <summary>One query; memory-bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void One(byte* groups, int count, int stride, int chunks, int* query, int* output)
    {
        Vector512<short> ones = Vector512<short>.One;
        for (int g = 0; g < count; g++)
        {
            byte* row = groups + ((long)g * stride);
            int* word = query;
            Vector512<int> total = Vector512<int>.Zero;
            for (int c = 0; c < chunks; c++)
            {
                Vector512<short> sum = Vector512.Create(word[0]).AsInt16();
                for (int s = 0; s < 8; s++)
                {
                    Sse.Prefetch0(row + (s * 64) + PrefetchDistance);
                    sum += Multiply(Vector512.Load(row + (s * 64)), word[1 + s]);
                }

                total += Avx512BW.MultiplyAddAdjacent(sum, ones);
                row += 512;
                word += 9;
            }

            total.Store(output + (g * RowGroup.Rows));
        }
    }

    /// <summary>Eight queries with two groups at a time: 16 sums in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Eight(byte* groups, int count, int stride, int chunks, int* tile, int* output)
    {
        for (int g = 0; g < count; g += 2)
        {
            byte* rowA = groups + ((long)g * stride), rowB = rowA + stride;
            int* word = tile;
            int* a = output + (g * 128);
            int* b = a + 128;
            for (int c = 0; c < chunks; c++)
            {
                Vector512<short> a0 = Vector512.Create(word[0]).AsInt16(), b0 = a0;
                Vector512<short> a1 = Vector512.Create(word[1]).AsInt16(), b1 = a1;
                Vector512<short> a2 = Vector512.Create(word[2]).AsInt16(), b2 = a2;
                Vector512<short> a3 = Vector512.Create(word[3]).AsInt16(), b3 = a3;
                Vector512<short> a4 = Vector512.Create(word[4]).AsInt16(), b4 = a4;
                Vector512<short> a5 = Vector512.Create(word[5]).AsInt16(), b5 = a5;
                Vector512<short> a6 = Vector512.Create(word[6]).AsInt16(), b6 = a6;
                Vector512<short> a7 = Vector512.Create(word[7]).AsInt16(), b7 = a7;
                word += 8;
                for (int s = 0; s < 8; s++)
                {
                    Vector512<byte> ra = Vector512.Load(rowA), rb = Vector512.Load(rowB);
                    a0 += Multiply(ra, word[0]);
                    b0 += Multiply(rb, word[0]);
                    a1 += Multiply(ra, word[1]);
                    b1 += Multiply(rb, word[1]);
                    a2 += Multiply(ra, word[2]);
                    b2 += Multiply(rb, word[2]);
                    a3 += Multiply(ra, word[3]);
                    b3 += Multiply(rb, word[3]);
                    a4 += Multiply(ra, word[4]);
                    b4 += Multiply(rb, word[4]);
                    a5 += Multiply(ra, word[5]);
                    b5 += Multiply(rb, word[5]);
                    a6 += Multiply(ra, word[6]);
                    b6 += Multiply(rb, word[6]);
                    a7 += Multiply(ra, word[7]);
                    b7 += Multiply(rb, word[7]);
                    rowA += 64;
                    rowB += 64;
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
                Accumulate(b0, b, c == 0);
                Accumulate(b1, b + 16, c == 0);
                Accumulate(b2, b + 32, c == 0);
                Accumulate(b3, b + 48, c == 0);
                Accumulate(b4, b + 64, c == 0);
                Accumulate(b5, b + 80, c == 0);
                Accumulate(b6, b + 96, c == 0);
                Accumulate(b7, b + 112, c == 0);
            }
        }
    }

    // Sums of pairs of products of 16 rows with four codes of a query.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Multiply(Vector512<byte> rows, int word) => Avx512BW.MultiplyAddAdjacent(rows, Vector512.Create(word).AsSByte());

    // Adds the sums of pairs to the output, which is in the cache; the first chunk sets it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Accumulate(Vector512<short> pairs, int* output, bool first)
    {
        Vector512<int> sums = Avx512BW.MultiplyAddAdjacent(pairs, Vector512<short>.One);
        if (!first)
        {
            sums += Vector512.Load(output);
        }

        sums.Store(output);
    }
}
