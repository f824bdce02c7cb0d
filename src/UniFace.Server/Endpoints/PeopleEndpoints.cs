using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Server.Http;
using UniFace.Server.OpenApi;
using UniFace.Server.Recognition;
using UniFace.Server.Security;
using UniFace.Vision.Imaging;

namespace UniFace.Server.Endpoints;

/// <summary>/v1/people: who is enrolled; enrol, export, delete.</summary>
internal static class PeopleEndpoints
{
    private const int MostPerPage = 1000, MostPhotos = 20;

    // Enrolments of one person take turns, so that of two requests with one photo the second says that it was enrolled already.
    private static readonly FairGate[] Turns = [.. Enumerable.Range(0, 64).Select(_ => new FairGate(places: 1))];

    /// <summary>Photos of a person to be enrolled.</summary>
    internal sealed record EnrolRequest
    {
        /// <summary>Name or id: 1 to 200 characters.</summary>
        public string? Person { get; init; }

        /// <summary>1 to 20 photos of them: JPEG, PNG, WebP, BMP or GIF.</summary>
        public IReadOnlyList<byte[]>? Photos { get; init; }

        /// <summary>They are aligned faces of the model's size already (112x112).</summary>
        public bool Aligned { get; init; }

        /// <summary>Enrol faces that are small, blurred, dark or turned away, too.</summary>
        public bool AnyQuality { get; init; }

        /// <summary>Put the aligned faces into the answer.</summary>
        public bool Crops { get; init; }
    }

    /// <summary>What came of a photo.</summary>
    /// <param name="Photo">Its place in the request, from 0.</param>
    /// <param name="Template">Id of its template; null where it was not enrolled.</param>
    /// <param name="Already">This very file was enrolled for this person before, and the template is that one.</param>
    /// <param name="Face">The face that was found, with what is wrong with it; null where there is none.</param>
    internal sealed record EnrolledPhoto(int Photo, long? Template, bool Already, FaceAnswer? Face);

    /// <summary>What was enrolled.</summary>
    /// <param name="Person">Who.</param>
    /// <param name="Enrolled">How many photos, without those that were enrolled already.</param>
    /// <param name="Photos">What came of each.</param>
    internal sealed record EnrolAnswer(string Person, int Enrolled, IReadOnlyList<EnrolledPhoto> Photos);

    /// <summary>Somebody who is enrolled.</summary>
    /// <param name="Person">Name or id.</param>
    /// <param name="Templates">How many templates.</param>
    internal sealed record PersonEntry(string Person, int Templates);

    /// <summary>Some of the people who are enrolled.</summary>
    /// <param name="Total">How many there are.</param>
    /// <param name="Offset">How many were passed over.</param>
    /// <param name="People">People, in the order of their enrolment.</param>
    internal sealed record PeoplePage(long Total, int Offset, IReadOnlyList<PersonEntry> People);

    /// <summary>A template, without its embedding.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="Enrolled">When it was enrolled, UTC.</param>
    /// <param name="Source">Where it is from; null where that was not said.</param>
    internal sealed record TemplateEntry(long Id, DateTimeOffset Enrolled, string? Source);

    /// <summary>Somebody who is enrolled, and from what.</summary>
    /// <param name="Person">Name or id.</param>
    /// <param name="Templates">The templates, in the order of their enrolment.</param>
    internal sealed record PersonAnswer(string Person, IReadOnlyList<TemplateEntry> Templates);

    public static void Map(RouteGroupBuilder v1)
    {
        DateTimeOffset time = new(2026, 11, 24, 15, 0, 0, TimeSpan.Zero);
        RouteGroupBuilder people = v1.MapGroup("/people").WithTags("people");
        people.MapGet("", ListAsync).WithName("listPeople").WithSummary("List the enrolled people").Recognises(Scope.Read)
            .WithExamples(null, new PeoplePage(1, 0, [new("Ann", 2)]));
        people.MapPost("", EnrolAsync).WithName("enrol").WithSummary("Enrol a person, or more photos of one").Recognises(Scope.Enrol)
            .WithExamples(
                new EnrolRequest { Person = "Ann", Photos = [Examples.Photo] },
                new EnrolAnswer("Ann", 1, [new(0, 1, false, Examples.Face)]),
                StatusCodes.Status201Created);
        people.MapGet("/{person}", GetAsync).WithName("getPerson").WithSummary("Tell of one enrolled person").Recognises(Scope.Read)
            .WithExamples(null, new PersonAnswer("Ann", [new(1, time, "api")]));
        people.MapGet("/{person}/export", ExportAsync).WithName("exportPerson").WithSummary("Give out all that is stored of one person, templates and crops").Recognises(Scope.Admin)
            .WithExamples(null, PersonExport.Example);
        people.MapDelete("/{person}", DeleteAsync).WithName("deletePerson").WithSummary("Erase all that is stored of one person").Recognises(Scope.Admin)
            .DisableRequestTimeout(); // a large gallery on PostgreSQL takes minutes to be written anew
    }

    private static async Task<Ok<PeoplePage>> ListAsync(Recognizer recognizer, CancellationToken stop, int offset = 0, int limit = 100)
    {
        if (offset < 0 || limit is < 1 or > MostPerPage)
        {
            throw new UniFaceException($"offset or limit is out of range: expected an offset of at least 0 and a limit of 1 to {MostPerPage}");
        }

        List<PersonEntry> page = [];
        await foreach (GalleryPerson person in recognizer.Gallery.ListAsync(stop).Skip(offset).Take(limit))
        {
            page.Add(new PersonEntry(person.Name, person.Templates));
        }

        return TypedResults.Ok(new PeoplePage((await recognizer.Gallery.CountAsync(stop)).People, offset, page));
    }

    private static async Task<Ok<PersonAnswer>> GetAsync(string person, Recognizer recognizer, HttpContext context, CancellationToken stop)
    {
        StoredPerson stored = await ReadAsync(recognizer, person, context, stop);
        return TypedResults.Ok(new PersonAnswer(stored.Name, [.. stored.Templates.Select(t => new TemplateEntry(t.Id, t.Enrolled, t.Source))]));
    }

    private static async Task<Ok<PersonExport>> ExportAsync(string person, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        StoredPerson stored = await ReadAsync(recognizer, person, context, stop);
        await audit.AddAsync(context.Event("export", stored.Name));
        return TypedResults.Ok(PersonExport.Of(stored, recognizer.Gallery.Info.ContractId));
    }

    private static async Task<NoContent> DeleteAsync(string person, Recognizer recognizer, AuditLog audit, HttpContext context)
    {
        IStoredGallery gallery = recognizer.Gallery;
        string name = PersonNames.InPath(person, context);

        // Before, too: what cannot be written down is not done, and what a kill cuts short is known to have begun.
        await audit.AddAsync(context.Event("delete", name, StatusCodes.Status202Accepted));
        int status = StatusCodes.Status503ServiceUnavailable;
        try
        {
            // To its end, whoever hangs up meanwhile: half an erasure is none.
            bool removed = await gallery.RemoveAsync(name, CancellationToken.None);
            status = removed ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound;
            return removed ? TypedResults.NoContent() : throw NotEnrolled();
        }
        catch (UniFaceException e) when (e.InnerException is NotErasedException left)
        {
            throw new ServerProblemException(
                status,
                (left.Removed ? "the person is removed and will not be found" : "nobody of this name is enrolled") + ", but the gallery cannot erase now what was removed, mostly because another process is reading it: bytes are still in its files. DELETE again in a while; 404 then says that nothing is left");
        }
        finally
        {
            await audit.AddAsync(context.Event("delete", name, status));
        }
    }

    private static async Task<Created<EnrolAnswer>> EnrolAsync(Upload<EnrolRequest> body, FaceService faces, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        EnrolRequest request = body.Value;
        string person = PersonNames.ToEnrol(request.Person);

        if (request.Photos is not { Count: > 0 and <= MostPhotos } photos)
        {
            throw new UniFaceException($"photos: expected 1 to {MostPhotos} photos");
        }

        List<EnrolledPhoto> told = [];
        List<(int Photo, AlignedFace Face)> good = [];
        for (int i = 0; i < photos.Count; i++)
        {
            (_, IReadOnlyList<AlignedFace> found) = await faces.FacesAsync(photos[i], $"photos[{i}]", FaceChoice.Largest, request.Aligned, stop);
            FaceAnswer? answer = found is [AlignedFace face, ..] ? FaceAnswer.Of(face, request.Crops) : null;
            told.Add(new EnrolledPhoto(i, null, false, answer));
            if (answer is not null && (request.AnyQuality || answer.Faults.Count == 0))
            {
                good.Add((i, found[0]));
            }
        }

        if (good.Count == 0)
        {
            throw new ServerProblemException(
                StatusCodes.Status422UnprocessableEntity,
                "nobody was enrolled: no photo shows a face that is good enough",
                [.. told.SelectMany(t => t.Face is null ? [$"photo {t.Photo}: no face was found"] : t.Face.Faults.Select(f => $"photo {t.Photo}: {f.Message}"))]);
        }

        float[][] embeddings = await Task.WhenAll(good.Select(g => faces.EmbedAsync(g.Face, stop)));
        bool crops = recognizer.Gallery.Info.KeepsCrops;
        FairGate gate = Turns[(uint)person.GetHashCode(StringComparison.Ordinal) % Turns.Length];
        using IDisposable turn = await gate.EnterAsync(RequestLimits.CallerOf(context), 1, stop);
        HashSet<long> known = [.. (await recognizer.Gallery.PhotosOfAsync(person, stop)).Keys];
        await audit.AddAsync(context.Event("enrol", person, StatusCodes.Status202Accepted)); // as in DeleteAsync
        int status = StatusCodes.Status503ServiceUnavailable;
        IReadOnlyList<long> ids;
        try
        {
            ids = await recognizer.Gallery.EnrollAsync(
                [
                    .. good.Zip(embeddings, (g, e) =>
                        new Enrolment(person, e, crops ? ImageEncoder.Png(g.Face.Image) : [], "api", Convert.ToHexStringLower(SHA256.HashData(photos[g.Photo])))),
                ],
                recognizer.Model.ContractId,
                stop);
            status = StatusCodes.Status201Created;
        }
        finally
        {
            await audit.AddAsync(context.Event("enrol", person, status));
        }

        foreach (((int photo, AlignedFace _), long id) in good.Zip(ids))
        {
            told[photo] = told[photo] with { Template = id, Already = !known.Add(id) };
        }

        int added = told.Count(t => t is { Template: not null, Already: false });
        return TypedResults.Created($"/v1/people/{Uri.EscapeDataString(person)}", new EnrolAnswer(person, added, told));
    }

    private static async Task<StoredPerson> ReadAsync(Recognizer recognizer, string person, HttpContext context, CancellationToken stop)
    {
        string name = PersonNames.InPath(person, context);
        try
        {
            return await recognizer.Gallery.ReadPersonAsync(name, stop) ?? throw NotEnrolled();
        }
        catch (UniFaceException e) when (e.InnerException is null)
        {
            throw new ServerProblemException(
                StatusCodes.Status500InternalServerError,
                "what is stored of this person is damaged; 'uniface gallery verify-integrity' says more");
        }
    }

    private static ServerProblemException NotEnrolled() => new(StatusCodes.Status404NotFound, "nobody of this name is enrolled");
}
