namespace UniFace.AspNetCore.Endpoints;

/// <summary>/v1/people: list, enroll, export and delete people.</summary>
internal static class PeopleEndpoints
{
    private const int MaxPageSize = 1000, MaxPhotos = 20;

    // Enrollments of one person take turns, so that the second of two requests with the same photo reports it as enrolled already.
    private static readonly FairGate[] Turns = [.. Enumerable.Range(0, 64).Select(_ => new FairGate(places: 1))];

    /// <summary>Photos of a person to enroll.</summary>
    internal sealed record EnrollRequest
    {
        /// <summary>Name or id: 1 to 200 characters.</summary>
        public string? Person { get; init; }

        /// <summary>1 to 20 photos of the person: JPEG, PNG, WebP, BMP or GIF.</summary>
        public IReadOnlyList<byte[]>? Photos { get; init; }

        /// <summary>The photos are aligned faces of the model's size already (112x112).</summary>
        public bool Aligned { get; init; }

        /// <summary>Also enroll faces that are small, blurred, dark or turned away.</summary>
        public bool AnyQuality { get; init; }

        /// <summary>Return the aligned faces.</summary>
        public bool Crops { get; init; }
    }

    /// <summary>Result for one photo.</summary>
    /// <param name="Photo">Its index in the request, from 0.</param>
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
    /// <param name="Id">Its id.</param>
    /// <param name="Enrolled">When it was enrolled, UTC.</param>
    /// <param name="Source">Where it comes from; null if unknown.</param>
    internal sealed record TemplateEntry(long Id, DateTimeOffset Enrolled, string? Source);

    /// <summary>An enrolled person with the templates.</summary>
    /// <param name="Person">Name or id.</param>
    /// <param name="Templates">The templates, in order of enrollment.</param>
    internal sealed record PersonAnswer(string Person, IReadOnlyList<TemplateEntry> Templates);

    public static void Map(RouteGroupBuilder v1)
    {
        RouteGroupBuilder people = v1.MapGroup("/people").WithTags("people").WithParameterExample("person", "Ann");
        people.MapGet("", ListAsync).WithName("listPeople").WithSummary("List the enrolled people").Recognises(Scope.Read)
            .WithExamples(null, new PeoplePage(1, 0, [new("Ann", 2)]));
        people.MapPost("", EnrollAsync).WithName("enroll").WithSummary("Enroll a person, or add photos of one").Recognises(Scope.Enroll)
            .WithExamples(
                new EnrollRequest { Person = "Ann", Photos = [Examples.Photo] },
                new EnrollAnswer("Ann", 1, [new(0, 1, false, Examples.Face)]),
                Status201Created);
        people.MapGet("/{person}", GetAsync).WithName("getPerson").WithSummary("Describe an enrolled person").Recognises(Scope.Read)
            .WithExamples(null, new PersonAnswer("Ann", [new(1, Examples.Time, "api")]));
        people.MapGet("/{person}/export", ExportAsync).WithName("exportPerson")
            .WithSummary("Export everything that is stored about a person, including templates and crops").Recognises(Scope.Admin)
            .WithExamples(null, PersonExport.Example);
        people.MapDelete("/{person}", DeleteAsync).WithName("deletePerson").WithSummary("Erase everything that is stored about a person")
            .Recognises(Scope.Admin).DisableRequestTimeout(); // a large gallery on PostgreSQL takes minutes to rewrite
    }

    private static async Task<Ok<PeoplePage>> ListAsync(Recognizer recognizer, CancellationToken stop, int offset = 0, int limit = 100)
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

        return TypedResults.Ok(new PeoplePage((await recognizer.Gallery.CountAsync(stop)).People, offset, page));
    }

    private static async Task<Ok<PersonAnswer>> GetAsync(string person, Recognizer recognizer, HttpContext context, CancellationToken stop)
    {
        StoredPerson stored = await ReadAsync(recognizer, person, context, stop);
        return TypedResults.Ok(new PersonAnswer(stored.Name, [.. stored.Templates.Select(t => new TemplateEntry(t.Id, t.Enrolled, t.Source))]));
    }

    private static async Task<Ok<PersonExport>> ExportAsync(
        string person, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        StoredPerson stored = await ReadAsync(recognizer, person, context, stop);
        await audit.AddAsync(context.Event("export", stored.Name));
        return TypedResults.Ok(PersonExport.Create(stored, recognizer.Gallery.Info.ContractId));
    }

    private static async Task<NoContent> DeleteAsync(string person, Recognizer recognizer, AuditLog audit, HttpContext context)
    {
        string name = PersonNames.FromPath(person, context);

        // Recorded before and after: what cannot be recorded is not done, and an erasure that a kill cuts short is known to have begun.
        await audit.AddAsync(context.Event("delete", name, Status202Accepted));
        int status = Status503ServiceUnavailable;
        try
        {
            // Ignores client disconnects; an erasure must complete.
            bool removed = await recognizer.Gallery.RemoveAsync(name, CancellationToken.None);
            status = removed ? Status204NoContent : Status404NotFound;
            return removed ? TypedResults.NoContent() : throw NotEnrolled();
        }
        catch (UniFaceException e) when (e.InnerException is NotErasedException left)
        {
            throw new BadHttpRequestException(
                (left.Removed ? "the person is removed and will not be found" : "nobody of this name is enrolled") +
                ", but the gallery could not erase all removed data, usually because another process is reading it: bytes are still in its files. " +
                "Send DELETE again later; 404 then means that nothing is left",
                status);
        }
        finally
        {
            await audit.AddAsync(context.Event("delete", name, status));
        }
    }

    private static async Task<Created<EnrollAnswer>> EnrollAsync(
        Upload<EnrollRequest> body, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        EnrollRequest request = body.Value;
        string person = PersonNames.FromBody(request.Person);
        if (request.Photos is not { Count: > 0 and <= MaxPhotos } photos)
        {
            throw new UniFaceException($"photos: expected 1 to {MaxPhotos} photos");
        }

        List<EnrolledPhoto> results = [];
        List<(int Photo, AlignedFace Face)> good = [];
        for (int i = 0; i < photos.Count; i++)
        {
            (_, IReadOnlyList<AlignedFace> found) =
                await recognizer.FindFacesAsync(photos[i], $"photos[{i}]", FaceChoice.Largest, request.Aligned, stop);
            FaceAnswer? answer = found is [AlignedFace face, ..] ? FaceAnswer.Create(face, request.Crops) : null;
            results.Add(new EnrolledPhoto(i, null, false, answer));
            if (answer is not null && (request.AnyQuality || answer.Faults.Count == 0))
            {
                good.Add((i, found[0]));
            }
        }

        if (good.Count == 0)
        {
            throw new RefusedException(
                Refusal.NoFace,
                "nobody was enrolled: no photo shows a face that is good enough",
                [
                    .. results.SelectMany(r => r.Face is null
                        ? [$"photo {r.Photo}: no face was found"]
                        : r.Face.Faults.Select(f => $"photo {r.Photo}: {f.Message}")),
                ]);
        }

        float[][] embeddings = await Task.WhenAll(good.Select(g => recognizer.EmbedAsync(g.Face, stop)));
        bool crops = recognizer.Gallery.Info.KeepsCrops;
        Enrollment[] enrollments =
        [
            .. good.Zip(embeddings, (g, e) =>
                new Enrollment(person, e, crops ? ImageEncoder.Png(g.Face.Image) : [], "api", Sha256.HashBytes(photos[g.Photo]))),
        ];
        FairGate gate = Turns[(uint)person.GetHashCode(StringComparison.Ordinal) % Turns.Length];
        IReadOnlyList<long> ids;
        HashSet<long> known;
        using (await gate.EnterAsync(Caller.FairShareOf(context), 1, stop))
        {
            known = [.. (await recognizer.Gallery.GetPhotosAsync(person, stop)).Keys];
            await audit.AddAsync(context.Event("enrol", person, Status202Accepted)); // recorded twice, as in DeleteAsync
            int status = Status503ServiceUnavailable;
            try
            {
                ids = await recognizer.Gallery.EnrollAsync(enrollments, recognizer.Model.ContractId, stop);
                status = Status201Created;
            }
            finally
            {
                await audit.AddAsync(context.Event("enrol", person, status));
            }
        }

        List<(long, float[])> added = [];
        foreach (((int photo, _), long id, float[] embedding) in good.Zip(ids, embeddings))
        {
            bool already = !known.Add(id);
            results[photo] = results[photo] with { Template = id, Already = already };
            if (!already)
            {
                added.Add((id, embedding));
            }
        }

        await recognizer.LogLookAlikesAsync(person, added, stop);
        return TypedResults.Created($"/v1/people/{Uri.EscapeDataString(person)}", new EnrollAnswer(person, added.Count, results));
    }

    private static async Task<StoredPerson> ReadAsync(Recognizer recognizer, string person, HttpContext context, CancellationToken stop)
    {
        try
        {
            return await recognizer.Gallery.ReadPersonAsync(PersonNames.FromPath(person, context), stop) ?? throw NotEnrolled();
        }
        catch (UniFaceException e) when (e.InnerException is null)
        {
            throw new BadHttpRequestException(
                "the stored data of this person is damaged; 'uniface gallery verify-integrity' says more", Status500InternalServerError);
        }
    }

    private static BadHttpRequestException NotEnrolled() => new("nobody of this name is enrolled", Status404NotFound);
}
