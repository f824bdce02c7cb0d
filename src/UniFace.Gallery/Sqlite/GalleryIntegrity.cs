using System.Data.Common;

namespace UniFace.Gallery.Sqlite;

/// <summary>Checks everything that a gallery file stores.</summary>
internal sealed class GalleryIntegrity(GalleryStore store, SqlSession session)
{
    private const int Most = IntegrityQueries.MostProblems;

    private readonly List<string> problems = [];

    /// <summary>
    /// The problems of the database's pages, of every record's checksum, size, key and norm, of the names, of the references between records,
    /// and of the stored index; one line each.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindProblemsAsync(GalleryProjection? projection)
    {
        await CheckAsync($"PRAGMA integrity_check({Most})", row => new(row.GetString(0) is string line and not "ok" ? "database: " + line : null));
        problems.AddRange(await IntegrityQueries.FindAsync(
            store,
            session,
            ("SELECT count(*) FROM template t JOIN meta m ON m.key = 'change' WHERE t.id > m.value", "templates are later than the last change"),
            ("SELECT count(*) FROM gone WHERE erased = 0", "removed templates are not erased yet; the next command that opens the gallery does it")));
        await CheckAsync($"SELECT {store.PersonSql}, name_key FROM person p", row =>
        {
            bool found = store.ToKey(store.ReadText(row, "name")!).AsSpan().SequenceEqual((byte[])row["name_key"]);
            return new(found ? null : $"person {row["id"]}: the name does not match its lookup key");
        });
        await CheckAsync("SELECT id, person, checksum, embedding FROM template", async row =>
        {
            long person = (long)row["person"];
            return store.FindFault(row) is string fault
                ? $"template {row["id"]} of {(await store.PersonNamesAsync(session, [person])).GetValueOrDefault(person, "nobody")}: {fault}"
                : null;
        });
        await CheckAsync(
            "SELECT c.template AS id, t.person, c.checksum, c.image AS crop FROM crop c JOIN template t ON t.id = c.template",
            row => new(GalleryStore.Checksum((long)row["id"], (byte[])row["crop"]) == (long)row["checksum"] && store.ReadBytes(row, "crop") is not null
                ? null
                : $"crop of template {row["id"]}: the checksum does not match"));
        if (problems.Count == 0 && projection is not null && await projection.FindProblemAsync(session) is string problemOfIndex)
        {
            problems.Add(problemOfIndex);
        }

        return [.. problems.Take(Most)];
    }

    private async Task CheckAsync(string sql, Func<DbDataReader, ValueTask<string?>> findFault)
    {
        await foreach (DbDataReader row in session.StreamAsync(sql, row => row))
        {
            string? fault;
            try
            {
                fault = await findFault(row);
            }
            catch (UniFaceException e)
            {
                fault = e.Message;
            }

            if (fault is not null)
            {
                problems.Add(fault);
            }

            if (problems.Count >= Most)
            {
                return;
            }
        }
    }
}
