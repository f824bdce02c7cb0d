using UniFace.Gallery.Postgres;
using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery;

/// <summary>Opens a gallery wherever it is.</summary>
public static class Galleries
{
    /// <summary>Opens a gallery.</summary>
    /// <param name="place">Its file, or its address on PostgreSQL.</param>
    /// <param name="key">The key, where it is encrypted.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <exception cref="UniFaceException">There is none, it cannot be opened, the key is wrong, or one is given for PostgreSQL.</exception>
    public static async Task<IStoredGallery> OpenAsync(string place, GalleryKey? key, CancellationToken cancellationToken = default)
    {
        if (!PostgresAddress.Is(place))
        {
            return await SqliteGallery.OpenAsync(place, key, cancellationToken).ConfigureAwait(false);
        }

        PostgresAddress address = PostgresAddress.Parse(place);
        return key is null ? await PostgresGallery.OpenAsync(address, cancellationToken).ConfigureAwait(false) : throw PostgresGallery.NotEncrypted(address);
    }
}
