namespace UniFace.Gallery;

/// <summary>A model that a gallery is to move to.</summary>
/// <param name="ContractId">Its contract id.</param>
/// <param name="EmbeddingSize">Values in its embeddings.</param>
/// <param name="Package">Path of its package; null if there is none.</param>
/// <param name="Embed">Computes L2-normalised embeddings, [crops, D], from crops, PNG or JPEG files.</param>
public sealed record GalleryModel(string ContractId, int EmbeddingSize, string? Package, Func<IReadOnlyList<byte[]>, float[]> Embed);

/// <summary>A gallery that owns its store, a file or a database, and can maintain it.</summary>
public interface IStoredGallery : IGallery
{
    /// <summary>The store, as messages name it: a file's path, or a server, database and gallery without a password.</summary>
    string Path { get; }

    /// <summary>Checks that the store is available and still holds the gallery that was opened, of the same model.</summary>
    /// <exception cref="UniFaceException">The store fails; or, with an inner <see cref="GalleryMovedException"/>, it was moved or replaced.</exception>
    Task EnsureUnmovedAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The photos of a person's templates: <see cref="Enrollment.PhotoSha256"/> by template id, null if unknown; empty if the person is not enrolled.
    /// </summary>
    /// <exception cref="UniFaceException">The store fails.</exception>
    Task<IReadOnlyDictionary<long, string?>> GetPhotosAsync(string person, CancellationToken cancellationToken = default);

    /// <summary>Reads everything that is stored about a person.</summary>
    /// <returns>Null if the person is not enrolled.</returns>
    /// <exception cref="UniFaceException">The store fails, or is damaged.</exception>
    Task<StoredPerson?> ReadPersonAsync(string person, CancellationToken cancellationToken = default);

    /// <summary>The people whose newest template was enrolled before a time, in the order of their enrollment.</summary>
    /// <exception cref="UniFaceException">The store fails.</exception>
    Task<IReadOnlyList<string>> ListEnrolledBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken = default);

    /// <summary>Removes a person like <see cref="IGallery.RemoveAsync"/> if the newest template was enrolled before a time.</summary>
    /// <returns>False if the person was not enrolled, or has a newer template.</returns>
    /// <exception cref="UniFaceException">
    /// The store fails; or, with an inner <see cref="NotErasedException"/>, it cannot erase now what was removed.
    /// </exception>
    Task<bool> RemoveEnrolledBeforeAsync(string person, DateTimeOffset time, CancellationToken cancellationToken = default);

    /// <summary>Erases what removals left because they were interrupted or readers prevented it.</summary>
    /// <exception cref="UniFaceException">The store fails, or cannot erase now.</exception>
    Task EraseAsync(CancellationToken cancellationToken = default);

    /// <summary>Stores the index, if the store keeps one apart from the templates, so that the next start is quick.</summary>
    /// <param name="always">False: only if enough is new.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default);

    /// <summary>Rebuilds the index from the templates and stores it.</summary>
    /// <returns>Rows of the index.</returns>
    /// <exception cref="UniFaceException">The store fails, or the gallery has no index.</exception>
    Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default);

    /// <summary>Checks everything that is stored.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Up to 100 problems, a line each; empty if there are none.</returns>
    Task<IReadOnlyList<string>> VerifyIntegrityAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Moves the gallery to another model from the crops it keeps. Until the end it works as before; after a stop, the same call continues.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="progress">Called after each batch with the number of templates done and the number of all.</param>
    /// <param name="cancellationToken">Stops it between batches.</param>
    /// <exception cref="UniFaceException">The gallery keeps no crops, is of this model already, or the model gives invalid embeddings.</exception>
    Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default);
}
