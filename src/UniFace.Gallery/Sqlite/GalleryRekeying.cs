using System.Data.Common;

namespace UniFace.Gallery.Sqlite;

/// <summary>Encrypts all records of a gallery with another key, or decrypts them, in one transaction.</summary>
internal sealed class GalleryRekeying(GalleryStore store, SqlSession session)
{
    private const int PageSize = 256;

    /// <summary>Stores all records under another key.</summary>
    public async Task RunAsync(RecordCipher cipher)
    {
        await store.EnsureModelAsync(session, store.Info.ContractId);
        GalleryStore rekeyed = new(store.Database, cipher, store.Info);
        await foreach ((long id, (long person, string? fault, object?[] template, object?[]? crop)) in ReadPagesAsync(
            "SELECT t.*, c.image AS crop FROM template t LEFT JOIN crop c ON c.template = t.id WHERE t.id > $1 ORDER BY t.id LIMIT $2",
            row => Rekey(row, rekeyed)))
        {
            if (fault is not null)
            {
                string name = (await store.PersonNamesAsync(session, [person])).GetValueOrDefault(person, "somebody");
                throw new UniFaceException($"{store.Path}: {GalleryChecks.DescribeDamage(name, id, fault)}; nothing was changed.");
            }

            await session.RunAsync("UPDATE template SET embedding = $3, checksum = $4, source = $5, photo = $6 WHERE id = $1 AND person = $2", template);
            if (crop is not null)
            {
                await session.RunAsync("UPDATE crop SET checksum = $2, image = $3 WHERE template = $1", crop);
            }
        }

        await foreach ((long id, string name) in ReadPagesAsync(
            $"SELECT {store.PersonSql} FROM person p WHERE id > $1 ORDER BY id LIMIT $2", row => store.ReadText(row, "name")!))
        {
            await rekeyed.SetNameAsync(session, id, name);
        }

        // An unfinished move to another model starts again.
        await GalleryStore.DiscardMoveAsync(session);
        await GalleryStore.SetKeyAsync(session, cipher);
        await session.SetGenerationAsync();
        await GalleryEraser.RequireVacuumAsync(session);
    }

    private (long Person, string? Fault, object?[] Template, object?[]? Crop) Rekey(DbDataReader row, GalleryStore rekeyed)
    {
        (long id, long person) = ((long)row["id"], (long)row["person"]);
        if (store.FindFault(row) is string fault)
        {
            return (person, fault, [], null);
        }

        Enrollment template = new("", store.ReadEmbedding(row), store.ReadBytes(row, "crop"), store.ReadText(row, "source"), store.ReadPhoto(row));
        return (person, null, rekeyed.SealTemplate(id, person, template), store.Info.KeepsCrops ? rekeyed.SealCrop(id, person, template.Crop) : null);
    }

    // Page by page, because the rows of an open query must not change.
    private async IAsyncEnumerable<(long Id, T Row)> ReadPagesAsync<T>(string sql, Func<DbDataReader, T> read)
    {
        long last = 0;
        List<(long Id, T Row)> page;
        do
        {
            page = await session.QueryAsync(sql, r => ((long)r["id"], read(r)), last, PageSize);
            foreach ((long Id, T Row) row in page)
            {
                last = row.Id;
                yield return row;
            }
        }
        while (page.Count == PageSize);
    }
}
