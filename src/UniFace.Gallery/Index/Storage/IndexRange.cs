namespace UniFace.Gallery.Index.Storage;

/// <summary>The rows of an index with an id from <paramref name="First"/> to below <paramref name="End"/>.</summary>
/// <param name="First">The first id.</param>
/// <param name="End">The id after the last.</param>
internal readonly record struct IndexRange(long First, long End)
{
    /// <summary>All rows.</summary>
    public static readonly IndexRange All = new(0, long.MaxValue);

    /// <summary>Whether a row is in the range.</summary>
    public bool Contains(long id) => id >= First && id < End;

    /// <summary>Divides all ids into contiguous ranges that are equal between two ids; the first and the last also hold all other ids.</summary>
    /// <param name="first">The smallest id in use.</param>
    /// <param name="last">The largest id in use.</param>
    /// <param name="count">Number of ranges.</param>
    public static IndexRange[] Divide(long first, long last, int count)
    {
        long[] bounds = [.. Enumerable.Range(0, count + 1).Select(i => first + (long)((Int128)(last - first + 1) * i / count))];
        (bounds[0], bounds[^1]) = (All.First, All.End);
        return [.. bounds.Zip(bounds.Skip(1), (from, to) => new IndexRange(from, to))];
    }
}
