namespace UniFace.Gallery.Index;

/// <summary>
/// The rows that can still be among a query's best k, from bounds alone: k keys have rows whose lower bounds are at least
/// <see cref="Threshold"/>, so a row whose upper bound is below it is not among the best.
/// </summary>
internal sealed class CandidateSet
{
    private const int FirstLimit = 2048;

    private readonly float[] lowers;
    private readonly long[] keys;
    private int best;
    private float[] uppers = new float[64];
    private (RowBlock Block, int Row)[] rows = new (RowBlock, int)[64];
    private int count;
    private int limit = FirstLimit;

    /// <summary>An empty set for the best <paramref name="k"/>.</summary>
    public CandidateSet(int k)
    {
        lowers = new float[k];
        keys = new long[k];
    }

    /// <summary>The k-th largest lower bound among distinct keys; the lowest number while there are fewer.</summary>
    public float Threshold { get; private set; } = float.MinValue;

    /// <summary>Takes a row whose upper bound reaches the threshold.</summary>
    public void Add(float lower, float upper, RowBlock block, int row, long key)
    {
        if (count == uppers.Length)
        {
            MakeRoom();
        }

        (uppers[count], rows[count]) = (upper, (block, row));
        count++;
        Raise(lower, key);
    }

    /// <summary>Takes what another set of the same query knows.</summary>
    public void Merge(CandidateSet other)
    {
        for (int i = 0; i < other.best; i++)
        {
            Raise(other.lowers[i], other.keys[i]);
        }

        for (int i = 0; i < other.count; i++)
        {
            if (other.uppers[i] >= Threshold)
            {
                if (count == uppers.Length)
                {
                    MakeRoom();
                }

                (uppers[count], rows[count]) = (other.uppers[i], other.rows[i]);
                count++;
            }
        }
    }

    /// <summary>The candidates, the largest upper bound first.</summary>
    public (float[] Uppers, (RowBlock Block, int Row)[] Rows, int Count) Sorted()
    {
        Prune();
        Array.Sort(uppers, rows, 0, count);
        Array.Reverse(uppers, 0, count);
        Array.Reverse(rows, 0, count);
        return (uppers, rows, count);
    }

    private void MakeRoom()
    {
        if (count >= limit)
        {
            Prune();
            limit = Math.Max(FirstLimit, count * 2);
        }

        if (count == uppers.Length)
        {
            Array.Resize(ref uppers, count * 2);
            Array.Resize(ref rows, count * 2);
        }
    }

    private void Prune()
    {
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            if (uppers[i] >= Threshold)
            {
                (uppers[kept], rows[kept]) = (uppers[i], rows[i]);
                kept++;
            }
        }

        Array.Clear(rows, kept, count - kept);
        count = kept;
    }

    // A key counts once, by its best row.
    private void Raise(float lower, long key)
    {
        if (best == lowers.Length && lower <= Threshold)
        {
            return;
        }

        int at = Array.IndexOf(keys, key, 0, best);
        if (at < 0)
        {
            at = best < lowers.Length ? best++ : Array.IndexOf(lowers, Threshold);
            (lowers[at], keys[at]) = (lower, key);
        }
        else
        {
            lowers[at] = Math.Max(lowers[at], lower);
        }

        if (best == lowers.Length)
        {
            float lowest = lowers[0];
            foreach (float value in lowers)
            {
                lowest = Math.Min(lowest, value);
            }

            Threshold = lowest;
        }
    }
}
