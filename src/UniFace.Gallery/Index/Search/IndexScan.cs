using System.Numerics;

namespace UniFace.Gallery.Index.Search;

/// <summary>
/// One pass over all rows for a block of queries. Each thread takes pieces of rows that fit its cache and compares them with all tiles of
/// queries, so that a pass reads memory once.
/// </summary>
internal sealed unsafe class IndexScan(RowBlock[] blocks, ScanQueries queries, int k, bool distinctKeys, InstructionSet instructions)
{
    private const int TileStep = 32, SingleStep = 64;

    private readonly int step = queries.Width == 1 ? SingleStep : TileStep;
    private int next;

    /// <summary>Scans until all rows are taken; called on each thread.</summary>
    /// <returns>The candidates of each query among the rows that this thread scanned.</returns>
    public CandidateSet[] Run(CancellationToken stop)
    {
        CandidateSet[] candidates = [.. Enumerable.Range(0, queries.Count).Select(_ => new CandidateSet(k))];
        float[] thresholds = new float[queries.Tiles * queries.Width];
        Array.Fill(thresholds, float.MinValue);
        int* dots = (int*)NativeMemory.AlignedAlloc((nuint)(step * RowGroup.Rows * queries.Width * sizeof(int)), 64);
        try
        {
            while (NextGroups() is (RowBlock block, int first))
            {
                stop.ThrowIfCancellationRequested();
                int count = Math.Min(step, block.UsedGroups - first);
                byte* groups = block.Groups + ((long)first * block.Layout.Stride);
                for (int tile = 0; tile < queries.Tiles; tile++)
                {
                    int* words = queries.Words + ((long)tile * queries.TileWords);
                    DotKernels.Multiply(instructions, groups, count, block.Layout, words, queries.Width, dots);
                    Filter(block, first, count, tile, dots, candidates, thresholds);
                }
            }

            return candidates;
        }
        finally
        {
            NativeMemory.AlignedFree(dots);
        }
    }

    // The next groups that no thread has taken: a block and its first group.
    private (RowBlock Block, int First)? NextGroups()
    {
        int turn = Interlocked.Increment(ref next) - 1;
        foreach (RowBlock block in blocks)
        {
            int turns = (block.UsedGroups + step - 1) / step;
            if (turn < turns)
            {
                return (block, turn * step);
            }

            turn -= turns;
        }

        return null;
    }

    // Adds the rows whose upper bounds reach their query's threshold.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Filter(RowBlock block, int first, int count, int tile, int* dots, CandidateSet[] candidates, float[] thresholds)
    {
        int width = queries.Width, firstQuery = tile * width, real = Math.Min(width, queries.Count - firstQuery);
        for (int g = 0; g < count; g++)
        {
            byte* group = block.Groups + ((long)(first + g) * block.Layout.Stride);
            Vector512<float> scales = Vector512.Load(block.Layout.Scales(group)), errors = Vector512.Load(block.Layout.Errors(group));
            for (int t = 0; t < real; t++)
            {
                int q = firstQuery + t;
                Vector512<float> dot = Vector512.ConvertToSingle(Vector512.Load(dots + (((g * width) + t) * RowGroup.Rows)));
                Vector512<float> middle = dot * (scales * queries.Scales[q]);
                Vector512<float> margin = (errors * queries.Norms[q]) + Vector512.Create(queries.Margins[q]);
                Vector512<float> upper = middle + margin;
                ulong reached = Vector512.GreaterThanOrEqual(upper, Vector512.Create(thresholds[q])).ExtractMostSignificantBits();
                if (reached != 0)
                {
                    thresholds[q] = AddReached(candidates[q], reached, middle - margin, upper, block, (first + g) * RowGroup.Rows);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private float AddReached(CandidateSet set, ulong reached, Vector512<float> lower, Vector512<float> upper, RowBlock block, int firstRow)
    {
        for (; reached != 0; reached &= reached - 1)
        {
            int lane = BitOperations.TrailingZeroCount(reached);
            if (upper[lane] >= set.Threshold)
            {
                RowSlot row = new(block, firstRow + lane);
                set.Add(lower[lane], upper[lane], row, distinctKeys ? row.Key : row.Id);
            }
        }

        return set.Threshold;
    }
}
