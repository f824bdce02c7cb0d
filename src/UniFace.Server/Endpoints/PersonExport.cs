using UniFace.Gallery;
using UniFace.Server.OpenApi;

namespace UniFace.Server.Endpoints;

/// <summary>All that is stored of a person.</summary>
/// <param name="Person">Name or id.</param>
/// <param name="ContractId">The model whose embeddings these are.</param>
/// <param name="Templates">The templates, in the order of their enrolment.</param>
internal sealed record PersonExport(string Person, string ContractId, IReadOnlyList<TemplateExport> Templates)
{
    /// <summary>For the API's description.</summary>
    public static PersonExport Example =>
        new("Ann", Examples.Contract, [new(1, new DateTimeOffset(2026, 11, 24, 15, 0, 0, TimeSpan.Zero), "api", Examples.Sha256, [0.6f, 0, -0.8f], null)]);

    public static PersonExport Of(StoredPerson stored, string contractId) =>
        new(
            stored.Name,
            contractId,
            [
                .. stored.Templates.Select(t =>
                    new TemplateExport(t.Id, t.Enrolled, t.Source, t.PhotoSha256, t.Embedding.ToArray(), t.Crop.IsEmpty ? null : t.Crop.ToArray())),
            ]);
}

/// <summary>A template.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Enrolled">When it was enrolled, UTC.</param>
/// <param name="Source">Where it is from; null where that was not said.</param>
/// <param name="PhotoSha256">SHA-256 of the photo's file; null if it is not known.</param>
/// <param name="Embedding">Unit vector.</param>
/// <param name="Crop">The aligned face, an encoded picture; null where none is kept.</param>
internal sealed record TemplateExport(long Id, DateTimeOffset Enrolled, string? Source, string? PhotoSha256, float[] Embedding, byte[]? Crop);
