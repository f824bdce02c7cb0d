using UniFace.Gallery.Postgres;
using UniFace.Gallery.Shards;
using UniFace.Gallery.Sqlite;

namespace UniFace.AspNetCore.Recognition;

/// <summary>Opens the gallery of a service.</summary>
internal static class ServedGallery
{
    /// <summary>The file of a model's own gallery: one per model, because embeddings of different models cannot be compared.</summary>
    public static string GetOwnPath(string dataFolder, string contractId) => Path.Combine(dataFolder, $"people-{contractId[..8]}.gallery");

    /// <summary>The galleries of a service's models.</summary>
    public static IEnumerable<string> FindOwn(string dataFolder) =>
        Directory.Exists(dataFolder) ? Directory.EnumerateFiles(dataFolder, "people-*.gallery") : [];

    /// <summary>Opens the gallery that the options name, otherwise the model's own in the data folder, created if missing.</summary>
    /// <exception cref="UniFaceException">It cannot be opened.</exception>
    public static async Task<StoredGallery> OpenAsync(ServerOptions options, FaceRecognizer model, CancellationToken stop)
    {
        if (options.Gallery is string given)
        {
            FaceGallery.Register(PostgresGallery.Provider);
            ShardedGalleries.Register();
            string file = ShardedGalleries.IsAddress(given) ? ShardedGalleries.Parse(given).File : given;
            if (options.CreatesGallery && !File.Exists(file) && !PostgresAddress.IsAddress(given))
            {
                SqliteGallery.Create(file, FaceGallery.CreateInfo(model), options.GalleryKey);
            }

            return await FaceGallery.OpenStoreAsync(given, options.GalleryKey, stop);
        }

        string own = GetOwnPath(options.DataFolder, model.ContractId);
        if (!File.Exists(own))
        {
            if (await FindMovedAsync(options, model, stop) is StoredGallery moved)
            {
                return moved;
            }

            SqliteGallery.Create(own, FaceGallery.CreateInfo(model), options.GalleryKey);
        }

        return await SqliteGallery.OpenAsync(own, options.GalleryKey, stop);
    }

    // A gallery moved to this model by 'uniface gallery reembed' keeps its old name.
    private static async Task<StoredGallery?> FindMovedAsync(ServerOptions options, FaceRecognizer model, CancellationToken stop)
    {
        foreach (string file in FindOwn(options.DataFolder))
        {
            SqliteGallery? gallery = null;
            try
            {
                gallery = await SqliteGallery.OpenAsync(file, options.GalleryKey, stop);
            }
            catch (UniFaceException)
            {
                // With another key, or damaged: not this service's.
            }

            if (gallery?.Info.ContractId == model.ContractId)
            {
                return gallery;
            }

            await (gallery?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        return null;
    }
}
