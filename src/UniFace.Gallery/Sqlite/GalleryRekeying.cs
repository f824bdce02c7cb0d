namespace UniFace.Gallery.Sqlite;

/// <summary>Encrypts all records of a gallery with another key, or decrypts them, in one transaction.</summary>
internal sealed class GalleryRekeying(GalleryStore store, CancellationToken stop)
{
    private const int PageSize = 256;

    private readonly GalleryRecords old = store.Records;

    /// <summary>Stores all records under another key; null stores them in the clear.</summary>
    public async Task RunAsync(GalleryKey? key)
    {
        using RecordCipher cipher = new(store.Info.Id, key);
        GalleryRecords rekeyed = new(store.Path, cipher);
        await store.Database.WriteAsync(
            connection =>
            {
                store.EnsureUnmoved(connection);
                foreach ((long id, string name) in ReadPages(
                    connection,
                    "SELECT id, name_key, name FROM person WHERE id > $last ORDER BY id LIMIT $page",
                    r => (r.GetInt64(0), old.PersonName(r))))
                {
                    rekeyed.PutName(connection, id, name);
                }

                RekeyTemplates(connection, rekeyed);
                foreach ((long id, (long person, byte[] image)) in ReadPages(
                    connection,
                    "SELECT c.template, t.person, c.image FROM crop c JOIN template t ON t.id = c.template " +
                    "WHERE c.template > $last ORDER BY c.template LIMIT $page",
                    r => (r.GetInt64(0), (r.GetInt64(1), old.OpenCrop(r.GetInt64(0), r.GetInt64(1), (byte[])r[2])))))
                {
                    connection.Run("UPDATE crop SET image = $image, checksum = $checksum WHERE template = $id", rekeyed.SealCrop(id, person, image));
                }

                // An unfinished move to another model starts again.
                SqliteReembedding.Discard(connection);
                GalleryStore.SetKey(connection, key, cipher);
                GalleryStore.SetGeneration(connection);
                GalleryEraser.RequireVacuum(connection);
            },
            stop);
        store.Database.Step("rekeyed");
    }

    private void RekeyTemplates(SqliteConnection connection, GalleryRecords rekeyed)
    {
        float[] embedding = new float[store.Info.EmbeddingSize];
        foreach ((long id, object[] row) in ReadPages(
            connection,
            "SELECT id, person, embedding, checksum, source, photo FROM template WHERE id > $last ORDER BY id LIMIT $page",
            r =>
            {
                object[] values = new object[r.FieldCount];
                r.GetValues(values);
                return (r.GetInt64(0), values);
            }))
        {
            long person = (long)row[1];
            if (old.FindFault(id, person, (byte[])row[2], (long)row[3], store.Info, embedding) is string fault)
            {
                string name = old.PersonNames(connection, [person]).GetValueOrDefault(person, "somebody");
                throw new UniFaceException($"{store.Path}: {GalleryChecks.DescribeDamage(name, id, fault)}; nothing was changed.");
            }

            connection.Run(
                "UPDATE template SET embedding = $embedding, checksum = $checksum, source = $source, photo = $photo WHERE id = $id",
                rekeyed.SealTemplate(id, person, embedding, old.OpenSource(id, person, row[4]), old.OpenPhoto(id, person, row[5])));
        }
    }

    // Page by page, because the rows of an open query must not change.
    private IEnumerable<(long Id, T Row)> ReadPages<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, (long Id, T Row)> read)
    {
        long last = 0;
        List<(long Id, T Row)> page;
        do
        {
            stop.ThrowIfCancellationRequested();
            page = [.. connection.Query(sql, read, ("$last", last), ("$page", PageSize))];
            foreach ((long Id, T Row) row in page)
            {
                last = row.Id;
                yield return row;
            }
        }
        while (page.Count == PageSize);
    }
}
