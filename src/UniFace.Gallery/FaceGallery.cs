using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery;

/// <summary>Opens galleries of one kind by their location; returns null for a location of another kind.</summary>
/// <exception cref="UniFaceException">The gallery cannot be opened, the key is wrong, or this kind cannot be encrypted.</exception>
internal delegate Task<StoredGallery>? GalleryProvider(string location, GalleryKey? key, CancellationToken cancellationToken);

/// <summary>Opens a gallery wherever it is.</summary>
public static class FaceGallery
{
    private static readonly ConcurrentDictionary<GalleryProvider, bool> Providers = [];

    /// <summary>Adds a kind of gallery that <see cref="OpenAsync"/> can open, e.g. those on PostgreSQL. Gallery files need no provider.</summary>
    internal static void Register(GalleryProvider provider) => Providers.TryAdd(provider, true);

    /// <summary>Opens a gallery.</summary>
    /// <param name="location">Its file, or an address that a registered provider supports.</param>
    /// <param name="key">The key, if it is encrypted.</param>
    /// <param name="cancellationToken">Cancels opening it.</param>
    /// <exception cref="UniFaceException">It does not exist or cannot be opened, or the key is wrong.</exception>
    internal static async Task<StoredGallery> OpenAsync(string location, GalleryKey? key = null, CancellationToken cancellationToken = default)
    {
        foreach (GalleryProvider open in Providers.Keys)
        {
            if (open(location, key, cancellationToken) is Task<StoredGallery> opening)
            {
                return await opening.ConfigureAwait(false);
            }
        }

        return await SqliteGallery.OpenAsync(location, key, cancellationToken).ConfigureAwait(false);
    }
}
