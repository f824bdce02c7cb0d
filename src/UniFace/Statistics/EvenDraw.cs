namespace UniFace.Statistics;

/// <summary>Draws <c>wanted</c> of <c>total</c> items in their order: one at random from each of <c>wanted</c> equal intervals.</summary>
internal static class EvenDraw
{
    /// <summary>The drawn indices, in ascending order.</summary>
    public static IEnumerable<long> Indices(long total, long wanted, long seed)
    {
        double interval = total / (double)wanted;
        SeededRandom random = new(seed);
        long index = -1;
        for (long taken = 0; taken < wanted; taken++)
        {
            index = Math.Max(index + 1, interval <= 1 ? taken : (long)((taken + random.NextDouble()) * interval));
            yield return index;
        }
    }

    /// <summary>The drawn items of <paramref name="total"/>.</summary>
    public static IEnumerable<T> DrawEvenly<T>(this IEnumerable<T> items, long total, long wanted, long seed)
    {
        using IEnumerator<long> drawn = Indices(total, wanted, seed).GetEnumerator();
        bool more = drawn.MoveNext();
        long index = 0;
        foreach (T item in items)
        {
            if (!more)
            {
                yield break;
            }

            if (index++ == drawn.Current)
            {
                yield return item;
                more = drawn.MoveNext();
            }
        }
    }
}
