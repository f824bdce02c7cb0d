namespace UniFace.Gallery;

/// <summary>
/// Enrolled people and 1:N search. Bound to the contract of one model: embeddings of another model are refused, because their cosines have no
/// meaning here. Implementations are thread-safe.
/// </summary>
internal interface ITemplateGallery : IAsyncDisposable
{
    /// <summary>The gallery's properties.</summary>
    GalleryInfo Info { get; }

    /// <summary>Messages about damaged templates that searches have skipped, one line per template.</summary>
    IReadOnlyCollection<string> Damage { get; }

    /// <summary>
    /// Enrolls templates, all or none. When the task completes they are on the disk. A photo that is already enrolled for its person, by
    /// <see cref="Enrollment.PhotoSha256"/>, is not enrolled again: its existing id is returned.
    /// </summary>
    /// <param name="enrollments">The templates; many at a time are much faster than one by one.</param>
    /// <param name="contractId">Contract id of the model that computed them.</param>
    /// <param name="cancellationToken">Cancels the enrollment; nothing is enrolled then.</param>
    /// <returns>The templates' ids, in the order given; an id is never reused.</returns>
    /// <exception cref="UniFaceException">Another contract, size or norm, an invalid name, a missing crop; or the store fails.</exception>
    Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrollment> enrollments, string contractId, CancellationToken cancellationToken = default);

    /// <summary>Removes a person with all templates and crops, and leaves no bytes of them in the store.</summary>
    /// <returns>False if the person was not enrolled.</returns>
    /// <exception cref="NotErasedException">The store cannot erase now what was removed.</exception>
    /// <exception cref="UniFaceException">The store fails.</exception>
    Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default);

    /// <summary>The enrolled people, in the order of their enrollment.</summary>
    IAsyncEnumerable<GalleryPerson> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Counts the enrolled people and templates.</summary>
    Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Finds the most similar people for each probe, exactly as a comparison with every template does. People with equal scores are in the order
    /// of their enrollment.
    /// </summary>
    /// <param name="probes">L2-normalized embeddings, [probes, D].</param>
    /// <param name="contractId">Contract id of the model that computed them.</param>
    /// <param name="people">How many people per probe, 1 or more; fewer if fewer are enrolled.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <returns>The people for each probe, best first.</returns>
    /// <exception cref="UniFaceException">Another contract, size or norm; or the store fails.</exception>
    Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default);
}

/// <summary>Size of a gallery.</summary>
/// <param name="People">Number of people.</param>
/// <param name="Templates">Number of templates.</param>
public readonly record struct GalleryCounts(long People, long Templates);
