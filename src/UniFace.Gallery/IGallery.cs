namespace UniFace.Gallery;

/// <summary>
/// Enrolled people and 1:N search with one model. Embeddings of another model are refused, because their cosines have no meaning here.
/// Implementations are thread-safe.
/// </summary>
/// <remarks>
/// A gallery of <see cref="FaceGallery"/> finds the most similar people exactly as a comparison with every template does, and what it removes leaves no bytes
/// in the store. A gallery in another store, such as a vector store, has the exactness and the erasure of that store.
/// </remarks>
public interface IGallery : IAsyncDisposable
{
    /// <summary>The gallery's properties.</summary>
    GalleryInfo Info { get; }

    /// <summary>Messages about damaged templates that searches have skipped, one line per template.</summary>
    IReadOnlyCollection<string> Damage { get; }

    /// <summary>Enrolls a face. When the task completes it is on the disk. The first face of a name enrolls the person.</summary>
    /// <param name="person">Name or id of the person.</param>
    /// <param name="face">The face; a photo that is already enrolled for the person is not enrolled again.</param>
    /// <param name="cancellationToken">Cancels the enrollment; nothing is enrolled then.</param>
    /// <returns>The id of the template, which is never reused.</returns>
    /// <exception cref="UniFaceException">The face is of another model, the name is not valid, a crop is missing, or the store fails.</exception>
    Task<long> EnrollAsync(string person, FaceEmbedding face, CancellationToken cancellationToken = default);

    /// <summary>Enrolls faces, all or none; much faster than one by one.</summary>
    /// <param name="faces">The faces, each with the person's name.</param>
    /// <param name="cancellationToken">Cancels the enrollment; nothing is enrolled then.</param>
    /// <returns>The ids of the templates, in the order given.</returns>
    /// <exception cref="UniFaceException">A face is of another model, a name is not valid, a crop is missing, or the store fails.</exception>
    Task<IReadOnlyList<long>> EnrollManyAsync(
        IReadOnlyList<(string Person, FaceEmbedding Face)> faces, CancellationToken cancellationToken = default);

    /// <summary>Removes a person with all templates and crops.</summary>
    /// <returns>False if the person was not enrolled.</returns>
    /// <exception cref="NotErasedException">The store cannot erase now what was removed.</exception>
    /// <exception cref="UniFaceException">The store fails.</exception>
    Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default);

    /// <summary>The enrolled people, in the order of their enrollment.</summary>
    IAsyncEnumerable<GalleryPerson> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Counts the enrolled people and templates.</summary>
    Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>Finds the most similar people. People with equal scores are in the order of their enrollment.</summary>
    /// <param name="probe">The face.</param>
    /// <param name="people">How many people, 1 or more; fewer if fewer are enrolled.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <returns>The people, best first.</returns>
    /// <exception cref="UniFaceException">The face is of another model, or the store fails.</exception>
    Task<IReadOnlyList<GalleryCandidate>> SearchAsync(FaceEmbedding probe, int people = 5, CancellationToken cancellationToken = default);

    /// <summary>Identifies a face: the best person if the score reaches the threshold, otherwise none.</summary>
    /// <param name="probe">The face.</param>
    /// <param name="falsePositiveIdentificationRate">
    /// How often a person who is not enrolled may be taken for one who is; null for 0.01, or the smallest rate that the model's calibration
    /// supports with this many enrolled faces.
    /// </param>
    /// <param name="threshold">Cosine from which two faces match, instead of a rate; the only choice without a calibration.</param>
    /// <param name="candidates">How many candidates to return.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <exception cref="UniFaceException">
    /// The face is of another model, the calibration is missing or does not support the rate, or the store fails.
    /// </exception>
    Task<Identification> IdentifyAsync(
        FaceEmbedding probe,
        double? falsePositiveIdentificationRate = null,
        double? threshold = null,
        int candidates = 5,
        CancellationToken cancellationToken = default);
}
