namespace UniFace.Gallery;

/// <summary>
/// Enrolled people and the search for who a probe is. Bound to one model's contract: embeddings of another model are refused, because
/// their cosines mean nothing here. Implementations are thread-safe.
/// </summary>
public interface IGallery : IAsyncDisposable
{
    /// <summary>What the gallery is.</summary>
    GalleryInfo Info { get; }

    /// <summary>The templates that searches up to now found damaged and left out: a line each, which names the person and says what to do.</summary>
    IReadOnlyCollection<string> Damage { get; }

    /// <summary>
    /// Enrols templates, all or none. When the task ends they are on the disk and survive a kill at any later moment. A photo that is already enrolled for its
    /// person, by <see cref="Enrolment.PhotoSha256"/>, is not enrolled again: its existing id is returned.
    /// </summary>
    /// <param name="enrolments">The templates; many at a time are much faster than one by one.</param>
    /// <param name="contractId">Contract id of the model that made them.</param>
    /// <param name="cancellationToken">Stops it; nothing is enrolled then.</param>
    /// <returns>The templates' ids, in the order given; an id is never used for another template.</returns>
    /// <exception cref="UniFaceException">Another contract, another size, not of norm 1, an empty name, a crop missing; or the store fails.</exception>
    Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrolment> enrolments, string contractId, CancellationToken cancellationToken = default);

    /// <summary>Removes a person with all templates and crops, and leaves no bytes of them in the store.</summary>
    /// <returns>False where the person was not enrolled.</returns>
    /// <exception cref="UniFaceException">The store fails; or, with a <see cref="NotErasedException"/> within, cannot erase now what was removed.</exception>
    Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default);

    /// <summary>The enrolled people, in the order of their enrolment.</summary>
    IAsyncEnumerable<GalleryPerson> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>How many people and templates are enrolled.</summary>
    Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// The most alike people for each probe, exactly: as comparing with every template gives them. Equal scores: who was enrolled first.
    /// </summary>
    /// <param name="probes">L2-normalised embeddings, [probes, D].</param>
    /// <param name="contractId">Contract id of the model that made them.</param>
    /// <param name="people">How many people for each, 1 or more; fewer where fewer are enrolled.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <returns>For each probe the people, best first.</returns>
    /// <exception cref="UniFaceException">Another contract, another size, not of norm 1; or the store fails.</exception>
    Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default);
}

/// <summary>How much a gallery holds.</summary>
/// <param name="People">People enrolled.</param>
/// <param name="Templates">Templates of them all.</param>
public readonly record struct GalleryCounts(long People, long Templates);
