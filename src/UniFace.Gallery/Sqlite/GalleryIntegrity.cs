namespace UniFace.Gallery.Sqlite;

/// <summary>Checks everything that a gallery file stores.</summary>
internal sealed class GalleryIntegrity(GalleryStore store, SqliteConnection connection, CancellationToken stop)
{
    private const int Most = IntegrityQueries.MostProblems;

    private readonly GalleryRecords records = store.Records;
    private readonly List<string> problems = [];

    /// <summary>
    /// The problems of the database's pages, of every record's checksum, size, key and norm, of the names, of the references between records,
    /// and of the stored index; one line each.
    /// </summary>
    public IReadOnlyList<string> FindProblems(GalleryProjection? projection)
    {
        IEnumerable<string> pages = connection.Query($"PRAGMA integrity_check({Most})", r => r.GetString(0));
        problems.AddRange(pages.Where(line => line != "ok").Select(line => "database: " + line));
        foreach ((string sql, string problem) in
            (IEnumerable<(string, string)>)[
                .. IntegrityQueries.Create("person", "template", "crop", store.Info.KeepsCrops),
                ("SELECT count(*) FROM template t JOIN meta m ON m.key = 'change' WHERE t.id > m.value", "templates are later than the last change"),
                ("SELECT count(*) FROM gone WHERE erased = 0", "removed templates are not erased yet; the next command that opens the gallery does it"),
            ])
        {
            if (connection.Scalar(sql) is long count and > 0)
            {
                problems.Add($"{count} {problem}");
            }
        }

        Check("SELECT id, name_key, name FROM person", row =>
        {
            bool found = records.NameKey(records.PersonName(row)).AsSpan().SequenceEqual((byte[])row[1]);
            return found ? null : $"person {row.GetInt64(0)}: the name does not match its lookup key";
        });
        float[] embedding = new float[store.Info.EmbeddingSize];
        Check("SELECT id, person, checksum, embedding FROM template", row =>
        {
            (long id, long person) = (row.GetInt64(0), row.GetInt64(1));
            return records.FindFault(id, person, (byte[])row[3], row.GetInt64(2), store.Info, embedding) is string fault
                ? $"template {id} of {records.PersonNames(connection, [person]).GetValueOrDefault(person, "nobody")}: {fault}"
                : null;
        });
        Check("SELECT c.template, t.person, c.checksum, c.image FROM crop c JOIN template t ON t.id = c.template", row =>
        {
            (long id, byte[] stored) = (row.GetInt64(0), (byte[])row[3]);
            if (GalleryRecords.Checksum(id, stored) != row.GetInt64(2))
            {
                return $"crop of template {id}: the checksum does not match";
            }

            _ = records.OpenCrop(id, row.GetInt64(1), stored);
            return null;
        });
        if (problems.Count == 0 && projection?.FindProblem(connection, stop) is string problemOfIndex)
        {
            problems.Add(problemOfIndex);
        }

        return [.. problems.Take(Most)];
    }

    private void Check(string sql, Func<SqliteDataReader, string?> findFault)
    {
        foreach (string? fault in connection.Query(sql, row =>
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                return findFault(row);
            }
            catch (UniFaceException e)
            {
                return e.Message;
            }
        }))
        {
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
