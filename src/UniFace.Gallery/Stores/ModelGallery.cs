using UniFace.Decisions;

namespace UniFace.Gallery.Stores;

/// <summary>A gallery together with its model: checks the contract of each embedding, and decides by the model's calibration.</summary>
internal sealed class ModelGallery(ITemplateGallery templates, IFaceModel model) : IGallery
{
    public GalleryInfo Info => templates.Info;

    public IReadOnlyCollection<string> Damage => templates.Damage;

    public async Task<long> EnrollAsync(string person, FaceEmbedding face, CancellationToken cancellationToken = default) =>
        (await EnrollManyAsync([(person, face)], cancellationToken).ConfigureAwait(false))[0];

    public Task<IReadOnlyList<long>> EnrollManyAsync(
        IReadOnlyList<(string Person, FaceEmbedding Face)> faces, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(faces);
        Enrollment[] enrollments =
        [
            .. faces.Select(face => new Enrollment(
                face.Person,
                Check(face.Face).Values,
                Info.KeepsCrops ? face.Face.EncodeCrop?.Invoke() : default(ReadOnlyMemory<byte>),
                face.Face.Source,
                face.Face.PhotoSha256)),
        ];
        return templates.EnrollAsync(enrollments, Info.ContractId, cancellationToken);
    }

    public Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default) => templates.RemoveAsync(person, cancellationToken);

    public IAsyncEnumerable<GalleryPerson> ListAsync(CancellationToken cancellationToken = default) => templates.ListAsync(cancellationToken);

    public Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default) => templates.CountAsync(cancellationToken);

    public async Task<IReadOnlyList<GalleryCandidate>> SearchAsync(FaceEmbedding probe, int people = 5, CancellationToken cancellationToken = default) =>
        (await templates.SearchAsync(Check(probe).Values, probe.ContractId, people, cancellationToken).ConfigureAwait(false))[0];

    public async Task<Identification> IdentifyAsync(
        FaceEmbedding probe,
        double? falsePositiveIdentificationRate = null,
        double? threshold = null,
        int candidates = 5,
        CancellationToken cancellationToken = default)
    {
        Check(probe);
        GalleryCounts size = await CountAsync(cancellationToken).ConfigureAwait(false);
        DecisionRule rule = new() { FalsePositiveIdentificationRate = falsePositiveIdentificationRate, Threshold = threshold };
        Decision decision = rule.ForIdentification(model.Calibration, size.Templates);
        Identification found = await templates.IdentifyAsync(probe.Values, probe.ContractId, decision.Threshold, candidates, cancellationToken)
            .ConfigureAwait(false);
        return found with
        {
            FalsePositiveIdentificationRate = decision.FalsePositiveIdentificationRate,
            Notes = [.. new[] { decision.Note, model.Calibration?.Warning }.OfType<string>()],
        };
    }

    public ValueTask DisposeAsync() => templates.DisposeAsync();

    private FaceEmbedding Check(FaceEmbedding face)
    {
        ArgumentNullException.ThrowIfNull(face);
        return face.ContractId == Info.ContractId && face.Values.Length == Info.EmbeddingSize
            ? face
            : throw new UniFaceException(
                $"an embedding of contract {face.ContractId} with {face.Values.Length} values; this gallery is of contract {Info.ContractId} with " +
                $"{Info.EmbeddingSize}: compute it with the gallery's model");
    }
}
