using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery;

/// <summary>Opens galleries of one kind by their location.</summary>
public interface IGalleryProvider
{
    /// <summary>True if a location names a gallery of this kind.</summary>
    bool Supports(string location);

    /// <summary>Opens a gallery.</summary>
    /// <exception cref="UniFaceException">It cannot be opened, the key is wrong, or this kind cannot be encrypted.</exception>
    Task<IStoredGallery> OpenAsync(string location, GalleryKey? key, CancellationToken cancellationToken);
}

/// <summary>Opens a gallery wherever it is.</summary>
public static class FaceGallery
{
    private static readonly ConcurrentDictionary<IGalleryProvider, bool> Providers = [];

    /// <summary>Adds a kind of gallery that <see cref="OpenAsync"/> can open, e.g. those on PostgreSQL. Gallery files need no provider.</summary>
    public static void Register(IGalleryProvider provider) => Providers.TryAdd(provider, true);

    /// <summary>Opens a gallery.</summary>
    /// <param name="location">Its file, or an address that a registered provider supports.</param>
    /// <param name="key">The key, if it is encrypted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">It does not exist or cannot be opened, or the key is wrong.</exception>
    public static async Task<IStoredGallery> OpenAsync(string location, GalleryKey? key = null, CancellationToken cancellationToken = default) =>
        Providers.Keys.FirstOrDefault(p => p.Supports(location)) is IGalleryProvider provider
            ? await provider.OpenAsync(location, key, cancellationToken).ConfigureAwait(false)
            : await SqliteGallery.OpenAsync(location, key, cancellationToken).ConfigureAwait(false);
}
