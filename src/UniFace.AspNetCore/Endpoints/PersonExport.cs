namespace UniFace.AspNetCore.Endpoints;

/// <summary>Everything that is stored about a person.</summary>
/// <param name="Person">Name or id.</param>
/// <param name="ContractId">Contract id of the model that made the embeddings.</param>
/// <param name="Templates">The templates, in order of enrollment.</param>
internal sealed record PersonExport(string Person, string ContractId, IReadOnlyList<TemplateExport> Templates)
{
    public static PersonExport Create(StoredPerson stored, string contractId) =>
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
/// <param name="Source">Where it comes from; null if unknown.</param>
/// <param name="PhotoSha256">SHA-256 of the photo's file; null if unknown.</param>
/// <param name="Embedding">Unit vector.</param>
/// <param name="Crop">The aligned face, an encoded picture; null if crops are not kept.</param>
internal sealed record TemplateExport(long Id, DateTimeOffset Enrolled, string? Source, string? PhotoSha256, float[] Embedding, byte[]? Crop);
