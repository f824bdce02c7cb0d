namespace UniFace.Gallery.Stores;

/// <summary>Lists people page by page, so that no transaction is open while the caller works.</summary>
internal static class PeoplePages
{
    private const int PageSize = 1000;

    /// <summary>All people.</summary>
    /// <param name="read">Reads the people after an id in the order of their ids, at most as many as asked for.</param>
    /// <param name="stop">Stops it.</param>
    public static async IAsyncEnumerable<GalleryPerson> ReadAsync(
        Func<long, int, CancellationToken, Task<List<(long Id, GalleryPerson Person)>>> read,
        [EnumeratorCancellation] CancellationToken stop)
    {
        long last = 0;
        List<(long Id, GalleryPerson Person)> page;
        do
        {
            page = await read(last, PageSize, stop).ConfigureAwait(false);
            foreach ((long id, GalleryPerson person) in page)
            {
                last = id;
                yield return person;
            }
        }
        while (page.Count == PageSize);
    }
}
