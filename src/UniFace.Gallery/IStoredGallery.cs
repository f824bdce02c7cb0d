using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery;

/// <summary>A gallery that owns its store, a file or a database, and can look after it.</summary>
public interface IStoredGallery : IGallery
{
    /// <summary>The store, as a message names it: a file's path, or a server, database and gallery without any password.</summary>
    string Path { get; }

    /// <summary>Checks that the store answers, and holds what it held when it was opened: the same gallery, of the same model.</summary>
    /// <exception cref="UniFaceException">The store fails; or, with a <see cref="GalleryMovedException"/> within, it was moved or replaced.</exception>
    Task EnsureUnmovedAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The photos of a person's templates: <see cref="Enrolment.PhotoSha256"/> by template id, null where it is unknown; empty if the person is not enrolled.
    /// </summary>
    /// <exception cref="UniFaceException">The store fails.</exception>
    Task<IReadOnlyDictionary<long, string?>> PhotosOfAsync(string person, CancellationToken cancellationToken = default);

    /// <summary>All that is stored of a person.</summary>
    /// <returns>Null where the person is not enrolled.</returns>
    /// <exception cref="UniFaceException">The store fails, or is damaged.</exception>
    Task<StoredPerson?> ReadPersonAsync(string person, CancellationToken cancellationToken = default);

    /// <summary>The people whose newest template was enrolled before a time, in the order of their enrolment.</summary>
    /// <exception cref="UniFaceException">The store fails.</exception>
    Task<IReadOnlyList<string>> EnrolledBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken = default);

    /// <summary>Removes a person like <see cref="IGallery.RemoveAsync"/>, but only where the newest template was still enrolled before a time when it is done.</summary>
    /// <returns>False where the person was not enrolled, or has a newer template.</returns>
    /// <exception cref="UniFaceException">The store fails; or, with a <see cref="NotErasedException"/> within, cannot erase now what was removed.</exception>
    Task<bool> RemoveEnrolledBeforeAsync(string person, DateTimeOffset time, CancellationToken cancellationToken = default);

    /// <summary>Erases what removals left, because they were interrupted or kept from it by readers; does nothing where nothing is left.</summary>
    /// <exception cref="UniFaceException">The store fails, or cannot erase now.</exception>
    Task EraseAsync(CancellationToken cancellationToken = default);

    /// <summary>Stores the index, where it is kept apart from the templates, so that the next start is quick; otherwise does nothing.</summary>
    /// <param name="always">False: only where enough is new that it is worth writing.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default);

    /// <summary>Makes the index anew from the templates.</summary>
    /// <returns>Rows of the index.</returns>
    /// <exception cref="UniFaceException">The store fails, or the gallery has no index.</exception>
    Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default);

    /// <summary>Looks at everything that is stored.</summary>
    /// <param name="most">How many problems to name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What is wrong, a line each; empty for a whole gallery.</returns>
    Task<IReadOnlyList<string>> VerifyIntegrityAsync(int most = 100, CancellationToken cancellationToken = default);

    /// <summary>Moves the gallery to another model from the crops it keeps; until the end it works as before, and after a stop the same call goes on.</summary>
    /// <param name="model">The model.</param>
    /// <param name="progress">Called after each batch with how many templates are done and how many there are.</param>
    /// <param name="cancellationToken">Stops it between batches.</param>
    /// <exception cref="UniFaceException">The gallery keeps no crops, is of this model already, or the model gives embeddings that are none.</exception>
    Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default);
}
