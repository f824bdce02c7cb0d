using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery.Shards;

/// <summary>
/// Gallery files whose index several processes hold, by the address <c>shards:N:FILE</c>. Everything but the search works on the file as always.
/// </summary>
internal static class ShardedGalleries
{
    private const string Scheme = "shards:";
    private const int MaxShards = 256;

    /// <summary>Lets <see cref="FaceGallery"/> open such addresses in a program that runs <see cref="ShardWorker"/> for its argument.</summary>
    public static void Register() => FaceGallery.Register(Provider);

    /// <summary>True if a text is such an address.</summary>
    public static bool IsAddress(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>The number of processes and the file of an address.</summary>
    /// <exception cref="UniFaceException">It is not of the form.</exception>
    public static (int Count, string File) Parse(string address)
    {
        string[] parts = address.Split(':', 3);
        return parts is [_, string number, { Length: > 0 } file] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count is >= 1 and <= MaxShards
                ? (count, file)
                : throw new UniFaceException(
                    $"{address}: not a gallery in several processes; expected shards:N:FILE with 1 to {MaxShards} processes, e.g. shards:4:people.gallery");
    }

    /// <summary>Opens a gallery file whose index several processes hold.</summary>
    /// <param name="file">The file.</param>
    /// <param name="key">Its key, if it is encrypted.</param>
    /// <param name="count">Number of processes.</param>
    /// <param name="program">The program that runs <see cref="ShardWorker"/>; null for this one.</param>
    /// <param name="stop">Cancels opening it.</param>
    public static async Task<SqliteGallery> OpenAsync(
        string file, GalleryKey? key, int count, Func<ProcessStartInfo>? program = null, CancellationToken stop = default)
    {
        SqliteGallery gallery = await SqliteGallery.OpenAsync(file, key, stop).ConfigureAwait(false);
        try
        {
            (long first, long last) = await gallery.ReadIdsAsync(stop).ConfigureAwait(false);
            string unit = gallery.Info.Scoring == PersonScore.Mean ? "people" : "templates";
            program ??= () => ThisProgram.CreateStart(ShardWorker.Argument);
            gallery.Search = new ShardedSearch(Path.GetFullPath(file), key, IndexRange.Divide(first, last, count), unit, program);
            return gallery;
        }
        catch
        {
            await gallery.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Task<StoredGallery>? Provider(string location, GalleryKey? key, CancellationToken stop) =>
        IsAddress(location) ? OpenAsync(location, key, stop) : null;

    private static async Task<StoredGallery> OpenAsync(string address, GalleryKey? key, CancellationToken stop)
    {
        (int count, string file) = Parse(address);
        return await OpenAsync(file, key, count, stop: stop).ConfigureAwait(false);
    }
}
