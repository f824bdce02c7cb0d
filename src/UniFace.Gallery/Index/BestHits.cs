namespace UniFace.Gallery.Index;

/// <summary>The best k of the hits shown, in order; with distinct keys, of each key its best.</summary>
internal sealed class BestHits(int k, bool distinctKeys)
{
    private readonly List<IndexHit> hits = [];

    /// <summary>The k-th best score: a lower one is of no use. Negative infinity while there are fewer.</summary>
    public double Threshold => hits.Count < k ? double.NegativeInfinity : hits[^1].Score;

    /// <summary>Shows a hit.</summary>
    public void Add(IndexHit hit)
    {
        if (hits.Count == k && hit > hits[^1])
        {
            return;
        }

        if (distinctKeys)
        {
            int same = hits.FindIndex(h => h.Key == hit.Key);
            if (same >= 0)
            {
                if (hit > hits[same])
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

    /// <summary>The best, best first.</summary>
    public IndexHit[] ToArray() => [.. hits];
}
