using Microsoft.Extensions.VectorData;
using UniFace.Gallery.Stores;

namespace UniFace.Gallery.VectorData;

/// <summary>Galleries in a vector store with a connector for Microsoft.Extensions.VectorData.</summary>
public static class VectorStoreGalleries
{
    /// <summary>Creates a gallery, then opens it.</summary>
    /// <param name="store">The store; the gallery does not dispose it.</param>
    /// <param name="collection">Name of the collection to create.</param>
    /// <param name="model">The model of the embeddings, such as a face recognizer; not disposed with the gallery.</param>
    /// <param name="options">Settings of the collection; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="UniFaceException">The collection exists, or the store fails.</exception>
    public static async Task<IGallery> CreateAsync(
        VectorStore store, string collection, IFaceModel model, VectorStoreGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        await VectorStoreGallery.CreateAsync(store, collection, FaceGallery.CreateInfo(model), options, cancellationToken).ConfigureAwait(false);
        return await OpenAsync(store, collection, model, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a gallery.</summary>
    /// <param name="store">The store; the gallery does not dispose it.</param>
    /// <param name="collection">Name of its collection.</param>
    /// <param name="model">The model of the embeddings, such as a face recognizer; not disposed with the gallery.</param>
    /// <param name="options">The settings that it was created with; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="UniFaceException">The collection does not exist, is not a gallery, or is of another model; or the store fails.</exception>
    public static async Task<IGallery> OpenAsync(
        VectorStore store, string collection, IFaceModel model, VectorStoreGalleryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        (string, int) contract = (model.ContractId, model.EmbeddingSize);
        return new ModelGallery(await VectorStoreGallery.OpenAsync(store, collection, contract, options, cancellationToken).ConfigureAwait(false), model);
    }
}
