namespace UniFace.Gallery.Sqlite;

/// <summary>Enrolls and removes people within a write transaction. Each template added or removed is a change with a number of its own.</summary>
internal sealed class GalleryChanges(GalleryStore store, SqliteConnection connection)
{
    private readonly GalleryRecords records = store.Records;

    /// <summary>Enrolls templates.</summary>
    /// <returns>Their ids.</returns>
    public IReadOnlyList<long> Enroll(IReadOnlyList<Enrollment> enrollments, CancellationToken stop)
    {
        store.EnsureUnmoved(connection);
        long change = connection.Change();
        Dictionary<string, (long Id, PersonPhotos? Photos)> people = [];
        List<long> ids = [];
        using SqliteCommand template = connection.Prepare(
            "INSERT INTO template(id, person, checksum, source, embedding, photo, enrolled) " +
            "VALUES($id, $person, $checksum, $source, $embedding, $photo, $enrolled)",
            ("$id", 0L),
            ("$person", 0L),
            ("$checksum", 0L),
            ("$source", null),
            ("$embedding", null),
            ("$photo", null),
            ("$enrolled", DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
        foreach (Enrollment enrollment in enrollments)
        {
            stop.ThrowIfCancellationRequested();
            if (!people.TryGetValue(enrollment.Person, out (long Id, PersonPhotos? Photos) person))
            {
                person.Id = records.FindPerson(connection, enrollment.Person) ?? records.AddPerson(connection, enrollment.Person);
            }

            if (enrollment.PhotoSha256 is not null)
            {
                person.Photos ??= records.Photos(connection, person.Id, store.Info.EmbeddingSize);
            }

            people[enrollment.Person] = person;
            long id = change + 1;
            if (person.Photos?.FindOrAdd(enrollment, id, out bool learned) is long existing && existing != id)
            {
                if (learned)
                {
                    byte[]? hash = records.SealPhoto(existing, person.Id, enrollment.PhotoSha256);
                    connection.Run("UPDATE template SET photo = $photo WHERE id = $id", ("$id", existing), ("$photo", hash));
                }

                ids.Add(existing);
                continue;
            }

            change = id;
            foreach ((string name, object? value) in
                records.SealTemplate(id, person.Id, enrollment.Embedding.Span, enrollment.Source, enrollment.PhotoSha256))
            {
                template.Parameters[name].Value = value ?? DBNull.Value;
            }

            template.Parameters["$person"].Value = person.Id;
            template.ExecuteNonQuery();
            if (store.Info.KeepsCrops)
            {
                connection.Run("INSERT INTO crop VALUES($id, $checksum, $image)", records.SealCrop(id, person.Id, enrollment.Crop.Span));
            }

            ids.Add(id);
        }

        connection.SetMeta("change", change);
        return ids;
    }

    /// <summary>Removes a person; with a time, only if the newest template was enrolled before it.</summary>
    /// <returns>True if the person was removed.</returns>
    public bool Remove(string person, DateTimeOffset? before)
    {
        store.EnsureSameKey(connection);
        if (records.FindPerson(connection, person) is not long id)
        {
            return false;
        }

        const string Newest = "SELECT max(coalesce(enrolled, $default)) FROM template WHERE person = $id";
        if (before is DateTimeOffset time
            && connection.Scalar(Newest, ("$id", id), ("$default", GalleryDatabase.DefaultEnrolled(connection))) is long newest
            && newest >= time.ToUnixTimeSeconds())
        {
            return false;
        }

        long change = connection.Change();
        foreach (long template in connection.Numbers("SELECT id FROM template WHERE person = $id", ("$id", id)))
        {
            connection.Run(
                "INSERT INTO gone(change, template, person) VALUES($change, $template, $person); " +
                "DELETE FROM crop WHERE template = $template; DELETE FROM pending WHERE template = $template",
                ("$change", ++change),
                ("$template", template),
                ("$person", id));
        }

        connection.Run("DELETE FROM template WHERE person = $id; DELETE FROM person WHERE id = $id", ("$id", id));
        connection.SetMeta("change", change);
        return true;
    }
}
