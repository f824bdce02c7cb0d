namespace UniFace.Gallery.Postgres;

/// <summary>Enrolls templates within a transaction, while other processes enroll and remove the same people.</summary>
internal sealed class PostgresEnrollment(PostgresStore store, PostgresSession session)
{
    /// <summary>Enrolls templates.</summary>
    /// <returns>Their ids.</returns>
    public async Task<IReadOnlyList<long>> RunAsync(IReadOnlyList<Enrollment> enrollments, string contractId)
    {
        await store.EnsureModelAsync(session, contractId, "FOR SHARE");
        Dictionary<string, long> people = await AddPeopleAsync([.. enrollments.Select(e => e.Person).Distinct()]);
        List<long> ids = await NextIdsAsync("template", enrollments.Count);
        List<int> added = await FindNewAsync(enrollments, people, ids);
        await CopyAsync(enrollments, people, ids, added);
        foreach (int i in store.Info.KeepsCrops ? added : [])
        {
            string sql = $"INSERT INTO {store.Crops}(gallery, template, image) VALUES($1, $2, $3)";
            await session.RunAsync(sql, store.Number, ids[i], enrollments[i].Crop.ToArray());
        }

        return ids;
    }

    private async Task CopyAsync(IReadOnlyList<Enrollment> enrollments, Dictionary<string, long> people, List<long> ids, List<int> added)
    {
        string copy = $"COPY {store.Templates}(gallery, id, person, source, embedding, photo) FROM STDIN (FORMAT BINARY)";
        await using NpgsqlBinaryImporter rows = await session.Connection.BeginBinaryImportAsync(copy, session.Stop);
        foreach (int i in added)
        {
            Enrollment enrollment = enrollments[i];
            byte[]? photo = enrollment.PhotoSha256 is string sha256 ? Convert.FromHexString(sha256) : null;
            Vector embedding = new(enrollment.Embedding);
            await rows.WriteRowAsync(session.Stop, store.Number, ids[i], people[enrollment.Person], enrollment.Source, embedding, photo);
        }

        await rows.CompleteAsync(session.Stop);
    }

    // Indices of the enrollments whose photo is new. The others get the id of the existing template. The people's rows are locked, so that no
    // other process adds one meanwhile.
    private async Task<List<int>> FindNewAsync(IReadOnlyList<Enrollment> enrollments, Dictionary<string, long> people, List<long> ids)
    {
        Dictionary<string, PersonPhotos> photos = [];
        List<int> added = [];
        for (int i = 0; i < enrollments.Count; i++)
        {
            Enrollment enrollment = enrollments[i];
            if (enrollment.PhotoSha256 is string sha256)
            {
                if (!photos.TryGetValue(enrollment.Person, out PersonPhotos? known))
                {
                    photos[enrollment.Person] = known = await ReadPhotosAsync(people[enrollment.Person]);
                }

                long id = known.FindOrAdd(enrollment, ids[i], out bool learned);
                if (learned)
                {
                    await session.RunAsync($"UPDATE {store.Templates} SET photo = $2 WHERE id = $1", id, Convert.FromHexString(sha256));
                }

                if (id != ids[i])
                {
                    ids[i] = id;
                    continue;
                }
            }

            added.Add(i);
        }

        return added;
    }

    private async Task<PersonPhotos> ReadPhotosAsync(long person) => new(await session.QueryAsync(
        $"SELECT id, photo, CASE WHEN photo IS NULL THEN embedding END FROM {store.Templates} WHERE person = $1 ORDER BY id",
        r => (r.GetInt64(0), r.GetSha256(1), r.IsDBNull(2) ? null : r.GetFieldValue<Vector>(2).ToArray()),
        person));

    // Ids of people by name. Their rows are locked until the transaction ends.
    private async Task<Dictionary<string, long>> AddPeopleAsync(string[] names)
    {
        while (true)
        {
            // Ordered by name, so that two processes that enroll the same people lock them in the same order.
            Dictionary<string, long> found = (await session.QueryAsync(
                $"SELECT name, id FROM {store.People} WHERE name = ANY($1) ORDER BY name COLLATE \"C\" FOR NO KEY UPDATE",
                r => (r.GetString(0), r.GetInt64(1)),
                [names])).ToDictionary();
            string[] missing = [.. names.Where(n => !found.ContainsKey(n))];
            if (missing.Length == 0)
            {
                return found;
            }

            List<long> ids = await NextIdsAsync("person", missing.Length);
            await session.RunAsync(
                $"INSERT INTO {store.People}(gallery, id, name) SELECT $1, u.id, u.name FROM unnest($2, $3) u(id, name) " +
                "ORDER BY u.name COLLATE \"C\" ON CONFLICT (gallery, name) DO NOTHING",
                store.Number,
                ids.ToArray(),
                missing);
        }
    }

    private Task<List<long>> NextIdsAsync(string table, int count) =>
        session.QueryAsync($"SELECT nextval('uniface.{table}_id') FROM generate_series(1, $1)", r => r.GetInt64(0), count);
}
