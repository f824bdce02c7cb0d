using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.Vision;

namespace UniFace.Server.Recognition;

/// <summary>Opens the gallery that a service enrols into and searches.</summary>
internal static class ServedGallery
{
    /// <summary>Opens the gallery that the options name, else the data folder's own of this model, which is made where there is none.</summary>
    /// <exception cref="UniFaceException">It cannot be opened, or is another model's.</exception>
    public static async Task<IStoredGallery> OpenAsync(ServerOptions options, FaceRecognizer model, CancellationToken stop)
    {
        IStoredGallery gallery = await OpenAnyAsync(options, model, stop);
        try
        {
            model.RequireContract(gallery.Info.ContractId, $"the gallery {gallery.Path}");
            return gallery;
        }
        catch
        {
            await gallery.DisposeAsync();
            throw;
        }
    }

    private static async Task<IStoredGallery> OpenAnyAsync(ServerOptions options, FaceRecognizer model, CancellationToken stop)
    {
        if (options.Gallery is string given)
        {
            return await Galleries.OpenAsync(given, options.GalleryKey, stop);
        }

        // One for each model: another model's embeddings cannot go into it.
        string own = Path.Combine(options.DataFolder, $"people-{model.ContractId[..8]}.gallery");
        if (!File.Exists(own))
        {
            if (await FindMovedAsync(options, model, stop) is IStoredGallery moved)
            {
                return moved;
            }

            SqliteGallery.Create(own, new GalleryInfo { Id = "", ContractId = model.ContractId, EmbeddingSize = model.Embedder.EmbeddingSize, Package = Path.GetFullPath(model.Package.Source) }, options.GalleryKey);
        }

        return await SqliteGallery.OpenAsync(own, options.GalleryKey, stop);
    }

    // A gallery that 'uniface gallery reembed' moved to this model keeps the name that it had.
    private static async Task<IStoredGallery?> FindMovedAsync(ServerOptions options, FaceRecognizer model, CancellationToken stop)
    {
        foreach (string file in Directory.EnumerateFiles(options.DataFolder, "people-*.gallery"))
        {
            SqliteGallery? gallery = null;
            try
            {
                gallery = await SqliteGallery.OpenAsync(file, options.GalleryKey, stop);
            }
            catch (UniFaceException)
            {
                // Another model's, with another key or damaged: none of this service's.
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
