using Microsoft.Data.Sqlite;

namespace UniFace.Gallery.Sqlite;

/// <summary>Whether a gallery is whole.</summary>
public sealed partial class SqliteGallery
{
    /// <summary>
    /// Looks at everything: the pages of the database, every record's checksum, size, key and norm, every name, what belongs to
    /// what, and whether the stored index holds what the database holds.
    /// </summary>
    /// <param name="most">How many problems to name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What is wrong, a line each; empty for a whole gallery.</returns>
    public Task<IReadOnlyList<string>> VerifyIntegrityAsync(int most = 100, CancellationToken cancellationToken = default) => database.ReadAsync<IReadOnlyList<string>>(
        connection =>
        {
            List<string> problems = [];
            foreach (string check in Texts(connection, $"PRAGMA integrity_check({most})"))
            {
                if (check != "ok")
                {
                    problems.Add("database: " + check);
                }
            }

            AddCount(connection, problems, "SELECT count(*) FROM template t LEFT JOIN person p ON p.id = t.person WHERE p.id IS NULL", "templates are of nobody");
            AddCount(connection, problems, "SELECT count(*) FROM person p WHERE NOT EXISTS (SELECT 1 FROM template WHERE person = p.id)", "people have no template");
            AddCount(connection, problems, "SELECT count(*) FROM crop c LEFT JOIN template t ON t.id = c.template WHERE t.id IS NULL", "crops are of no template");
            AddCount(connection, problems, "SELECT count(*) FROM template t JOIN meta m ON m.key = 'change' WHERE t.id > m.value", "templates are later than the last change");
            AddCount(connection, problems, "SELECT count(*) FROM gone WHERE erased = 0", "removed templates are not erased yet; the next command that opens the gallery does it");
            if (info.KeepsCrops)
            {
                AddCount(connection, problems, "SELECT count(*) FROM template t WHERE NOT EXISTS (SELECT 1 FROM crop WHERE template = t.id)", "templates have no crop");
            }

            CheckPeople(connection, problems, most, cancellationToken);
            CheckTemplates(connection, problems, most, cancellationToken);
            CheckCrops(connection, problems, most, cancellationToken);
            if (problems.Count == 0 && projection.Problem(connection, cancellationToken) is string problem)
            {
                problems.Add(problem);
            }

            return [.. problems.Take(most)];
        },
        cancellationToken);

    private void CheckPeople(SqliteConnection connection, List<string> problems, int most, CancellationToken stop)
    {
        using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT id, name_key, name FROM person");
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read() && problems.Count < most)
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                string name = records.PersonName(reader.GetInt64(0), (byte[])reader[1], reader[2] as byte[]);
                if (!cipher.NameKey(name).AsSpan().SequenceEqual((byte[])reader[1]))
                {
                    problems.Add($"person {reader.GetInt64(0)}: the name is another than that by which the person is found");
                }
            }
            catch (UniFaceException e)
            {
                problems.Add(e.Message);
            }
        }
    }

    private void CheckTemplates(SqliteConnection connection, List<string> problems, int most, CancellationToken stop)
    {
        using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT id, person, checksum, embedding FROM template");
        using SqliteDataReader reader = command.ExecuteReader();
        float[] embedding = new float[info.EmbeddingSize];
        while (reader.Read() && problems.Count < most)
        {
            stop.ThrowIfCancellationRequested();
            long id = reader.GetInt64(0), person = reader.GetInt64(1);
            if (records.Fault(id, person, (byte[])reader[3], reader.GetInt64(2), info, embedding) is string fault)
            {
                problems.Add($"template {id} of {records.PersonNames(connection, [person]).GetValueOrDefault(person, "nobody")}: {fault}");
            }
        }
    }

    private void CheckCrops(SqliteConnection connection, List<string> problems, int most, CancellationToken stop)
    {
        using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT c.template, t.person, c.checksum, c.image FROM crop c JOIN template t ON t.id = c.template");
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read() && problems.Count < most)
        {
            stop.ThrowIfCancellationRequested();
            long id = reader.GetInt64(0);
            byte[] stored = (byte[])reader[3];
            if (GalleryRecords.Checksum(id, stored) != reader.GetInt64(2))
            {
                problems.Add($"crop of template {id}: the checksum does not match");
                continue;
            }

            try
            {
                _ = records.OpenCrop(id, reader.GetInt64(1), stored);
            }
            catch (UniFaceException e)
            {
                problems.Add(e.Message);
            }
        }
    }

    private static void AddCount(SqliteConnection connection, List<string> problems, string sql, string what)
    {
        if (GalleryDatabase.Scalar(connection, sql) is long count and > 0)
        {
            problems.Add($"{count} {what}");
        }
    }

    private static List<string> Texts(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = GalleryDatabase.Prepare(connection, sql);
        using SqliteDataReader reader = command.ExecuteReader();
        List<string> texts = [];
        while (reader.Read())
        {
            texts.Add(reader.GetString(0));
        }

        return texts;
    }
}
