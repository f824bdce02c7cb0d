using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using UniFace.Gallery;
using UniFace.Server.OpenApi;
using UniFace.Server.Recognition;
using UniFace.Server.Security;

namespace UniFace.Server.Endpoints;

/// <summary>/v1/gallery: what it is and how much it holds; all of it.</summary>
internal static class GalleryEndpoints
{
    /// <summary>What the gallery is and how much it holds.</summary>
    /// <param name="People">People enrolled.</param>
    /// <param name="Templates">Templates of them all.</param>
    /// <param name="ContractId">The model whose embeddings it holds.</param>
    /// <param name="EmbeddingSize">Values in an embedding.</param>
    /// <param name="Scoring">What a person's score is: that of the best template, or the mean of all.</param>
    /// <param name="KeepsCrops">Whether aligned faces are kept.</param>
    /// <param name="Encrypted">Whether templates, crops and names are encrypted at rest.</param>
    /// <param name="CalibratedOn">Name of the calibration's data; null where the model has none.</param>
    internal sealed record GalleryAnswer(long People, long Templates, string ContractId, int EmbeddingSize, PersonScore Scoring, bool KeepsCrops, bool Encrypted, string? CalibratedOn);

    public static void Map(RouteGroupBuilder v1)
    {
        RouteGroupBuilder gallery = v1.MapGroup("/gallery").WithTags("gallery");
        gallery.MapGet("", GetAsync).WithName("gallery").WithSummary("Say what the gallery is and how much it holds").Recognises(Scope.Read)
            .WithExamples(null, new GalleryAnswer(100_000, 240_000, Examples.Contract, 512, PersonScore.Best, false, true, "lfw"));
        gallery.MapGet("/export", ExportAsync).WithName("exportGallery").WithSummary("Give out all people, templates and crops: a list that is written as it is read")
            .WithMetadata(new RequiredScope(Scope.Admin)).DisableRequestTimeout() // it takes as long as it takes, and no place of those who are recognised
            .WithExamples(null, new[] { PersonExport.Example });
    }

    private static async Task<Ok<GalleryAnswer>> GetAsync(Recognizer recognizer, CancellationToken stop)
    {
        await recognizer.Gallery.EnsureUnmovedAsync(stop);
        (GalleryInfo info, GalleryCounts counts) = (recognizer.Gallery.Info, await recognizer.Gallery.CountAsync(stop));
        return TypedResults.Ok(new GalleryAnswer(counts.People, counts.Templates, info.ContractId, info.EmbeddingSize, info.Scoring, info.KeepsCrops, info.Encrypted, recognizer.Model.Calibration?.Data.Name));
    }

    private static async Task<Ok<IAsyncEnumerable<PersonExport>>> ExportAsync(Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        IStoredGallery gallery = recognizer.Gallery;
        await gallery.EnsureUnmovedAsync(stop);
        await audit.AddAsync(context.Event("export", detail: "gallery"));
        return TypedResults.Ok(All());

        async IAsyncEnumerable<PersonExport> All()
        {
            await foreach (GalleryPerson person in gallery.ListAsync(stop))
            {
                if (await gallery.ReadPersonAsync(person.Name, stop) is StoredPerson stored)
                {
                    yield return PersonExport.Of(stored, gallery.Info.ContractId);
                }
            }
        }
    }
}
