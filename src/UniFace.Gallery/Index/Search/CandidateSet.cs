using UniFace.Gallery.Index.Storage;

namespace UniFace.Gallery.Index.Search;

/// <summary>
/// The rows that can be among a query's best k according to their bounds: k keys have rows whose lower bounds are at least
/// <see cref="Threshold"/>, so a row whose upper bound is below it is not among the best.
/// </summary>
internal sealed class CandidateSet(int k)
{
    private const int FirstLimit = 2048;

    private readonly float[] lowers = new float[k];
    private readonly long[] keys = new long[k];
    private int best;
    private float[] uppers = new float[64];
    private (RowBlock Block, int Row)[] rows = new (RowBlock, int)[64];
    private int count;
    private int limit = FirstLimit;

    /// <summary>The k-th largest lower bound among distinct keys; the lowest number while there are fewer.</summary>
    public float Threshold { get; private set; } = float.MinValue;

    /// <summary>Adds a row whose upper bound reaches the threshold.</summary>
    public void Add(float lower, float upper, RowBlock block, int row, long key)
    {
        Append(upper, (block, row));
        RaiseThreshold(lower, key);
    }

    /// <summary>Adds the candidates and bounds of another set of the same query.</summary>
    public void Merge(CandidateSet other)
    {
        for (int i = 0; i < other.best; i++)
        {
            RaiseThreshold(other.lowers[i], other.keys[i]);
        }

        for (int i = 0; i < other.count; i++)
        {
            if (other.uppers[i] >= Threshold)
            {
                Append(other.uppers[i], other.rows[i]);
            }
        }
    }

    /// <summary>Sorts the candidates, the largest upper bound first.</summary>
    public (float[] Uppers, (RowBlock Block, int Row)[] Rows, int Count) Sort()
    {
        Prune();
        Array.Sort(uppers, rows, 0, count);
        Array.Reverse(uppers, 0, count);
        Array.Reverse(rows, 0, count);
        return (uppers, rows, count);
    }

    private void Append(float upper, (RowBlock Block, int Row) row)
    {
        if (count == uppers.Length)
        {
            MakeRoom();
        }

        (uppers[count], rows[count]) = (upper, row);
        count++;
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

    // A key counts once, with its best row.
    private void RaiseThreshold(float lower, long key)
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
