namespace UniFace.AspNetCore.Endpoints;

/// <summary>/v1/people: list, enroll, export and delete people.</summary>
internal static class PeopleEndpoints
{
    private const int MaxPageSize = 1000, MaxPhotos = 20;
    private const string NobodyEnrolled = "nobody of this name is enrolled";

    /// <summary>Photos of a person to enroll.</summary>
    internal sealed record EnrollRequest : FaceRequest
    {
        /// <summary>Name or id: 1 to 200 characters.</summary>
        public string? Person { get; init; }

        /// <summary>1 to 20 photos of the person: JPEG, PNG, WebP, BMP or GIF.</summary>
        public IReadOnlyList<byte[]>? Photos { get; init; }

        /// <summary>Also enroll faces that are small, blurred, dark or turned away.</summary>
        public bool AnyQuality { get; init; }
    }

    /// <summary>Result for one photo.</summary>
    /// <param name="Photo">Index of the photo in the request, from 0.</param>
    /// <param name="Template">Id of its template; null if it was not enrolled.</param>
    /// <param name="Already">This file was enrolled for this person before; the template is the existing one.</param>
    /// <param name="Face">The face and its faults; null if none was found.</param>
    internal sealed record EnrolledPhoto(int Photo, long? Template, bool Already, FaceAnswer? Face);

    /// <summary>Result of an enrollment.</summary>
    /// <param name="Person">Name or id.</param>
    /// <param name="Enrolled">Number of photos enrolled, without those that were enrolled already.</param>
    /// <param name="Photos">Result for each photo.</param>
    internal sealed record EnrollAnswer(string Person, int Enrolled, IReadOnlyList<EnrolledPhoto> Photos);

    /// <summary>An enrolled person.</summary>
    /// <param name="Person">Name or id.</param>
    /// <param name="Templates">Number of templates.</param>
    internal sealed record PersonEntry(string Person, int Templates);

    /// <summary>A page of the enrolled people.</summary>
    /// <param name="Total">Number of enrolled people.</param>
    /// <param name="Offset">Number of people before this page.</param>
    /// <param name="People">People in order of enrollment.</param>
    internal sealed record PeoplePage(long Total, int Offset, IReadOnlyList<PersonEntry> People);

    /// <summary>A template, without its embedding.</summary>
    /// <param name="Id">Id, unique in the gallery.</param>
    /// <param name="Enrolled">When it was enrolled, UTC.</param>
    /// <param name="Source">Where it comes from; null if unknown.</param>
    internal sealed record TemplateEntry(long Id, DateTimeOffset Enrolled, string? Source);

    /// <summary>An enrolled person with the templates.</summary>
    /// <param name="Person">Name or id.</param>
    /// <param name="Templates">The templates, in order of enrollment.</param>
    internal sealed record PersonAnswer(string Person, IReadOnlyList<TemplateEntry> Templates);

    public static void Map(RouteGroupBuilder v1)
    {
        RouteGroupBuilder people = v1.MapGroup("/people").WithTags("people");
        people.MapGet("", ListAsync).WithName("listPeople").RequireRecognition(Scope.Read);
        people.MapPost("", EnrollAsync).WithName("enroll").RequireRecognition(Scope.Enroll);
        people.MapGet("/{person}", GetAsync).WithName("getPerson").RequireRecognition(Scope.Read);
        people.MapGet("/{person}/export", ExportAsync).WithName("exportPerson").RequireRecognition(Scope.Admin);

        // A large gallery on PostgreSQL takes minutes to rewrite.
        people.MapDelete("/{person}", DeleteAsync).WithName("deletePerson").RequireRecognition(Scope.Admin).DisableRequestTimeout();
    }

    /// <summary>List the enrolled people</summary>
    /// <param name="offset">Number of people to skip.</param>
    /// <param name="limit">Most people to return, 1 to 1000.</param>
    internal static async Task<PeoplePage> ListAsync(Recognizer recognizer, CancellationToken stop, int offset = 0, int limit = 100)
    {
        if (offset < 0 || limit is < 1 or > MaxPageSize)
        {
            throw new UniFaceException($"offset or limit is out of range: expected an offset of at least 0 and a limit of 1 to {MaxPageSize}");
        }

        List<PersonEntry> page = [];
        await foreach (GalleryPerson person in recognizer.Gallery.ListAsync(stop).Skip(offset).Take(limit))
        {
            page.Add(new PersonEntry(person.Name, person.Templates));
        }

        return new PeoplePage((await recognizer.Gallery.CountAsync(stop)).People, offset, page);
    }

    /// <summary>Describe an enrolled person</summary>
    /// <param name="person" example="Ann">Name or id.</param>
    internal static async Task<PersonAnswer> GetAsync(string person, Recognizer recognizer, HttpContext context, CancellationToken stop)
    {
        StoredPerson stored = await ReadAsync(recognizer, person, context, stop);
        return new PersonAnswer(stored.Name, [.. stored.Templates.Select(t => new TemplateEntry(t.Id, t.Enrolled, t.Source))]);
    }

    /// <summary>Export everything that is stored about a person, including templates and crops</summary>
    /// <param name="person" example="Ann">Name or id.</param>
    internal static async Task<PersonExport> ExportAsync(
        string person, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        StoredPerson stored = await ReadAsync(recognizer, person, context, stop);
        await audit.AddAsync(context.Event("export", stored.Name));
        return PersonExport.Create(stored, recognizer.Gallery.Info.ContractId);
    }

    /// <summary>Erase everything that is stored about a person</summary>
    /// <param name="person" example="Ann">Name or id.</param>
    internal static async Task<NoContent> DeleteAsync(string person, Recognizer recognizer, AuditLog audit, HttpContext context)
    {
        string name = PersonNames.FromPath(person, context);

        // Recorded before and after: an erasure that cannot be recorded is refused, and one that a kill interrupts leaves a record.
        await audit.AddAsync(context.Event("delete", name, Status202Accepted));
        int status = Status503ServiceUnavailable;
        try
        {
            // Ignores client disconnects; an erasure must complete.
            bool removed = await recognizer.Gallery.RemoveAsync(name, CancellationToken.None);
            status = removed ? Status204NoContent : Status404NotFound;
            return removed ? TypedResults.NoContent() : throw NotEnrolled();
        }
        catch (NotErasedException e)
        {
            throw new ProblemException(
                status,
                (e.Removed ? "the person is removed and will not be found" : NobodyEnrolled) +
                ", but the gallery could not erase all removed data, usually because another process is reading it: bytes are still in its files. " +
                "Send DELETE again later; 404 then means that nothing is left");
        }
        finally
        {
            await audit.AddAsync(context.Event("delete", name, status));
        }
    }

    /// <summary>Enroll a person, or add photos of one</summary>
    internal static async Task<Created<EnrollAnswer>> EnrollAsync(
        Upload<EnrollRequest> body, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        EnrollRequest request = body.Value;
        string caller = Caller.GetFairShare(context);
        string person = PersonNames.FromBody(request.Person);
        if (request.Photos is not { Count: > 0 and <= MaxPhotos } photos)
        {
            throw new UniFaceException($"photos: expected 1 to {MaxPhotos} photos");
        }

        List<EnrolledPhoto> results = [];
        List<(int Photo, AlignedFace Face)> good = [];
        for (int i = 0; i < photos.Count; i++)
        {
            string name = $"photos[{i}]";
            AlignedFace? face = await recognizer.FindMainFaceAsync(EndpointExtensions.RequirePhoto(photos[i], name), name, request.Aligned, caller, stop);
            FaceAnswer? answer = face is null ? null : FaceAnswer.Create(face, request.Crops);
            results.Add(new EnrolledPhoto(i, null, false, answer));
            if (answer is not null && (request.AnyQuality || answer.Faults.Count == 0))
            {
                good.Add((i, face!));
            }
        }

        if (good.Count == 0)
        {
            throw new ProblemException(
                Status422UnprocessableEntity,
                "not enrolled: no photo shows a face that is good enough",
                [
                    .. results.SelectMany(r => r.Face is null
                        ? [$"photo {r.Photo}: no face was found"]
                        : r.Face.Faults.Select(f => $"photo {r.Photo}: {f.Message}")),
                ]);
        }

        float[][] embeddings = await Task.WhenAll(good.Select(g => recognizer.EmbedAsync(g.Face, caller, stop)));
        bool crops = recognizer.Gallery.Info.KeepsCrops;
        Enrollment[] enrollments =
        [
            .. good.Zip(embeddings, (g, e) =>
                new Enrollment(person, e, crops ? ImageEncoder.Png(g.Face.Image) : [], "api", Sha256.HashBytes(photos[g.Photo]))),
        ];
        GalleryEnroller enroller = new(recognizer.Gallery, recognizer.Model.ContractId, rule: null); // look-alikes are searched after the response
        IReadOnlyList<EnrolledTemplate> stored;
        using (await recognizer.EnterEnrollmentAsync(person, caller, stop))
        {
            await audit.AddAsync(context.Event("enrol", person, Status202Accepted)); // recorded twice, as in DeleteAsync
            int status = Status503ServiceUnavailable;
            try
            {
                stored = await enroller.EnrollAsync(enrollments, stop);
                status = Status201Created;
            }
            finally
            {
                await audit.AddAsync(context.Event("enrol", person, status));
            }
        }

        foreach (((int photo, _), EnrolledTemplate template) in good.Zip(stored))
        {
            results[photo] = results[photo] with { Template = template.Id, Already = !template.IsNew };
        }

        (long, float[])[] added = [.. stored.Zip(embeddings).Where(s => s.First.IsNew).Select(s => (s.First.Id, s.Second))];

        // After the response, which does not depend on it.
        context.Response.OnCompleted(() => recognizer.LogLookAlikesAsync(person, added, caller, CancellationToken.None));
        return TypedResults.Created($"/v1/people/{Uri.EscapeDataString(person)}", new EnrollAnswer(person, added.Length, results));
    }

    private static async Task<StoredPerson> ReadAsync(Recognizer recognizer, string person, HttpContext context, CancellationToken stop) =>
        await recognizer.Gallery.ReadPersonAsync(PersonNames.FromPath(person, context), stop) ?? throw NotEnrolled();

    private static ProblemException NotEnrolled() => new(Status404NotFound, NobodyEnrolled);
}
