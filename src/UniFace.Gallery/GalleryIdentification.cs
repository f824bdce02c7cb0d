namespace UniFace.Gallery;

/// <summary>Open-set identification in any gallery.</summary>
internal static class GalleryIdentification
{
    /// <summary>Identifies a face: the best person if the score reaches the threshold, otherwise none.</summary>
    /// <param name="gallery">The gallery.</param>
    /// <param name="probe">L2-normalized embedding, [D].</param>
    /// <param name="contractId">Contract id of the model that computed it.</param>
    /// <param name="threshold">Cosine to reach, -1 to 1; from a calibration of the same model.</param>
    /// <param name="candidates">How many candidates to return.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <exception cref="UniFaceException">Another contract, another size, or a norm other than 1; or the threshold is not a number.</exception>
    public static async Task<Identification> IdentifyAsync(
        this ITemplateGallery gallery,
        ReadOnlyMemory<float> probe,
        string contractId,
        double threshold,
        int candidates = 5,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(gallery);
        if (double.IsNaN(threshold))
        {
            throw new UniFaceException("the threshold is not a number; take one from the model's calibration");
        }

        IReadOnlyList<GalleryCandidate> found = (await gallery.SearchAsync(probe, contractId, candidates, cancellationToken).ConfigureAwait(false))[0];
        return new Identification(found.Count > 0 && found[0].Score >= threshold ? found[0].Person : null, threshold, found);
    }
}
