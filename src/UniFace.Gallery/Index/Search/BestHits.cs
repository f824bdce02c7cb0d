namespace UniFace.Gallery.Index.Search;

/// <summary>The best k of the hits added, in order; with distinct keys, only the best hit of each key.</summary>
internal sealed class BestHits(int k, bool distinctKeys)
{
    private readonly List<IndexHit> hits = [];

    /// <summary>The k-th best score; negative infinity while there are fewer hits. A lower score is not among the best.</summary>
    public double Threshold => hits.Count < k ? double.NegativeInfinity : hits[^1].Score;

    /// <summary>Adds a hit.</summary>
    public void Add(IndexHit hit)
    {
        if (hits.Count == k && hit.CompareTo(hits[^1]) > 0)
        {
            return;
        }

        if (distinctKeys)
        {
            int same = hits.FindIndex(h => h.Key == hit.Key);
            if (same >= 0)
            {
                if (hit.CompareTo(hits[same]) > 0)
                {
                    return;
                }

                hits.RemoveAt(same);
            }
        }

        int at = hits.BinarySearch(hit);
        hits.Insert(at < 0 ? ~at : at, hit);
        if (hits.Count > k)
        {
            hits.RemoveAt(k);
        }
    }

    /// <summary>The best hits, best first.</summary>
    public IndexHit[] ToArray() => [.. hits];
}
