namespace UniFace.Gallery.Stores;

/// <summary>Enrolls templates within a transaction, while other processes enroll and remove the same people.</summary>
internal sealed class SqlEnrollment(SqlStore store, SqlSession session)
{
    private readonly Dictionary<string, PersonPhotos> photos = [];

    /// <summary>Enrolls templates.</summary>
    /// <returns>Their ids.</returns>
    public async Task<IReadOnlyList<long>> RunAsync(IReadOnlyList<Enrollment> enrollments, string contractId)
    {
        await store.EnsureModelAsync(session, contractId, GalleryLock.Model);
        Dictionary<string, long> people = await store.AddPeopleAsync(session, [.. enrollments.Select(e => e.Person).Distinct()]);
        List<NewTemplate> added = []; // With ids -1, -2, ... until their number is known, so that a photo that is already enrolled uses no id.
        List<long> ids = [];
        foreach (Enrollment enrollment in enrollments)
        {
            NewTemplate template = new(-1 - added.Count, people[enrollment.Person], enrollment);
            ids.Add(await FindOrAddPhotoAsync(template));
            if (ids[^1] == template.Id)
            {
                added.Add(template);
            }
        }

        List<long> next = await store.NextIdsAsync(session, added.Count);
        await store.InsertAsync(session, [.. added.Zip(next, (template, id) => template with { Id = id })]);
        return [.. ids.Select(id => id < 0 ? next[(int)(-1 - id)] : id)];
    }

    // The id of the template that has the photo already, or of the new one. The people are locked, so that no other process adds the photo.
    private async Task<long> FindOrAddPhotoAsync(NewTemplate template)
    {
        (long id, long person, Enrollment enrollment) = template;
        if (enrollment.PhotoSha256 is not string sha256)
        {
            return id;
        }

        if (!photos.TryGetValue(enrollment.Person, out PersonPhotos? known))
        {
            photos[enrollment.Person] = known = new(await session.QueryAsync(
                "SELECT id, person, photo, CASE WHEN photo IS NULL THEN embedding END AS embedding " +
                $"FROM {store.Templates} WHERE {store.Scope()}person = $1 ORDER BY id",
                r => ((long)r["id"], store.ReadPhoto(r), r["embedding"] is DBNull ? null : store.ReadEmbedding(r)),
                person));
        }

        (long found, bool lacksHash) = known.FindOrAdd(sha256, enrollment.Embedding.Span, id);
        if (lacksHash)
        {
            await session.RunAsync($"UPDATE {store.Templates} SET photo = $2 WHERE {store.Scope()}id = $1", found, store.SealPhoto(found, person, sha256));
        }

        return found;
    }
}
