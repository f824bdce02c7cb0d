namespace UniFace.AspNetCore.Endpoints;

/// <summary>/v1/gallery: description and size of the gallery, and its export.</summary>
internal static class GalleryEndpoints
{
    /// <summary>Description and size of the gallery.</summary>
    /// <param name="People">Number of enrolled people.</param>
    /// <param name="Templates">Number of templates of all people.</param>
    /// <param name="ContractId">The model whose embeddings it holds.</param>
    /// <param name="EmbeddingSize">Number of values in an embedding.</param>
    /// <param name="Scoring">What a person's score is: that of the best template, or the mean of all.</param>
    /// <param name="KeepsCrops">Whether aligned faces are kept.</param>
    /// <param name="Encrypted">Whether templates, crops and names are encrypted at rest.</param>
    /// <param name="CalibratedOn">Name of the calibration's data; null without a calibration.</param>
    /// <param name="Suitability">What the model is good for and where it is weak, by its package; null if that does not say.</param>
    /// <param name="Model">Name of the model's package.</param>
    /// <param name="ModelDate">When the package was written, UTC.</param>
    /// <param name="CalibrationPeople">Number of people that the thresholds were measured on; null without a calibration.</param>
    internal sealed record GalleryAnswer(
        long People, long Templates, string ContractId, int EmbeddingSize, PersonScore Scoring, bool KeepsCrops, bool Encrypted, string? CalibratedOn,
        string? Suitability, string Model, DateTime ModelDate, int? CalibrationPeople);

    public static void Map(RouteGroupBuilder v1)
    {
        RouteGroupBuilder gallery = v1.MapGroup("/gallery").WithTags("gallery");
        gallery.MapGet("", GetAsync).WithName("gallery").RequireRecognition(Scope.Read);

        // Its duration depends on the size of the gallery: it has no timeout and does not count against the recognition limit.
        gallery.MapGet("/export", ExportAsync).WithName("exportGallery").RequireScope(Scope.Admin).DisableRequestTimeout();
    }

    /// <summary>Describe the gallery and its size</summary>
    internal static async Task<GalleryAnswer> GetAsync(Recognizer recognizer, CancellationToken stop)
    {
        await recognizer.Gallery.EnsureUnmovedAsync(stop);
        (GalleryInfo info, GalleryCounts counts) = (recognizer.Gallery.Info, await recognizer.Gallery.CountAsync(stop));
        return new GalleryAnswer(
            counts.People, counts.Templates, info.ContractId, info.EmbeddingSize, info.Scoring, info.KeepsCrops, info.Encrypted,
            recognizer.Model.Calibration?.Data.Name, recognizer.Model.Manifest.Suitability, GetName(recognizer.Model.Package),
            File.GetLastWriteTimeUtc(recognizer.Model.Package.OnnxPath), recognizer.Model.Calibration?.Data.People);
    }

    // The folder's name; "package" alone says nothing.
    private static string GetName(ModelPackage package)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(package.Source));
        return Path.GetFileName(path) is not "package" and string name ? name
            : string.Join('/', new[] { Path.GetFileName(Path.GetDirectoryName(path)), "package" }.Where(part => !string.IsNullOrEmpty(part)));
    }

    /// <summary>Export all people, templates and crops, as a streamed list</summary>
    internal static async Task<IAsyncEnumerable<PersonExport>> ExportAsync(
        Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        StoredGallery gallery = recognizer.Gallery;
        await gallery.EnsureUnmovedAsync(stop);
        await audit.AddAsync(context.Event("export", detail: "gallery"));
        return All();

        async IAsyncEnumerable<PersonExport> All()
        {
            await foreach (GalleryPerson person in gallery.ListAsync(stop))
            {
                if (await gallery.ReadPersonAsync(person.Name, stop) is StoredPerson stored)
                {
                    yield return PersonExport.Create(stored, gallery.Info.ContractId);
                }
            }
        }
    }
}
