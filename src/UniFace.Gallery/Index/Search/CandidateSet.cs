namespace UniFace.Gallery.Index.Search;

/// <summary>A row that may be among the best.</summary>
internal readonly record struct Candidate(float Upper, RowSlot Row);

/// <summary>
/// The rows that can be among a query's best k according to their bounds: k keys have rows whose lower bounds are at least
/// <see cref="Threshold"/>, so a row whose upper bound is below it is not among the best.
/// </summary>
internal sealed class CandidateSet(int k)
{
    private const int FirstLimit = 2048;

    private readonly float[] lowers = new float[k];
    private readonly long[] keys = new long[k];
    private readonly List<Candidate> candidates = [];
    private int best;
    private int limit = FirstLimit;

    /// <summary>The k-th largest lower bound among distinct keys; the lowest number while there are fewer.</summary>
    public float Threshold { get; private set; } = float.MinValue;

    /// <summary>Adds a row whose upper bound reaches the threshold.</summary>
    public void Add(float lower, float upper, RowSlot row, long key)
    {
        if (candidates.Count >= limit)
        {
            Prune();
            limit = Math.Max(FirstLimit, candidates.Count * 2);
        }

        candidates.Add(new Candidate(upper, row));
        RaiseThreshold(lower, key);
    }

    /// <summary>Adds the candidates and bounds of another set of the same query.</summary>
    public void Merge(CandidateSet other)
    {
        for (int i = 0; i < other.best; i++)
        {
            RaiseThreshold(other.lowers[i], other.keys[i]);
        }

        candidates.AddRange(other.candidates);
    }

    /// <summary>The candidates, the largest upper bound first.</summary>
    public List<Candidate> Sort()
    {
        Prune();
        candidates.Sort((a, b) => b.Upper.CompareTo(a.Upper));
        return candidates;
    }

    private void Prune() => candidates.RemoveAll(c => c.Upper < Threshold);

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
            Threshold = lowers.Min();
        }
    }
}
