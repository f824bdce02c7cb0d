using Microsoft.Data.Sqlite;

namespace UniFace.Gallery.Sqlite;

/// <summary>What is stored of people, and since when.</summary>
public sealed partial class SqliteGallery
{
    private const string TimesSince = "times_since";

    /// <inheritdoc/>
    public Task<StoredPerson?> ReadPersonAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        return database.ReadAsync(
            connection =>
            {
                EnsureModel(connection);
                if (records.FindPerson(connection, person) is not long id)
                {
                    return null;
                }

                using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT t.id, coalesce(t.enrolled, $since), t.source, t.embedding, c.image, t.photo, t.checksum FROM template t LEFT JOIN crop c ON c.template = t.id WHERE t.person = $id ORDER BY t.id", ("$id", id), ("$since", Since(connection)));
                using SqliteDataReader reader = command.ExecuteReader();
                List<StoredTemplate> templates = [];
                while (reader.Read())
                {
                    long template = reader.GetInt64(0);
                    float[] embedding = new float[info.EmbeddingSize];
                    if (records.Fault(template, id, (byte[])reader[3], reader.GetInt64(6), info, embedding) is string fault)
                    {
                        throw new UniFaceException($"{Path}: {EmbeddingCheck.Damaged(person, template, fault)}");
                    }

                    templates.Add(new StoredTemplate(
                        template,
                        DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(1)),
                        reader[2] is byte[] source ? records.OpenSource(template, id, source) : null,
                        embedding,
                        reader[4] is byte[] crop ? records.OpenCrop(template, id, crop) : [],
                        reader[5] is byte[] photo ? records.OpenPhoto(template, id, photo) : null));
                }

                return new StoredPerson(person, templates);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> EnrolledBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken = default) => database.ReadAsync<IReadOnlyList<string>>(
        connection =>
        {
            EnsureSameKey(connection);
            using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT p.id, p.name_key, p.name FROM person p JOIN template t ON t.person = p.id GROUP BY p.id HAVING max(coalesce(t.enrolled, $since)) < $time ORDER BY p.id", ("$time", time.ToUnixTimeSeconds()), ("$since", Since(connection)));
            using SqliteDataReader reader = command.ExecuteReader();
            List<string> people = [];
            while (reader.Read())
            {
                people.Add(records.PersonName(reader.GetInt64(0), (byte[])reader[1], reader[2] as byte[]));
            }

            return people;
        },
        cancellationToken);

    // A gallery of before times or photos' hashes were kept begins to keep them now.
    private static async Task AddColumnsAsync(GalleryDatabase database, CancellationToken stop)
    {
        if (await database.ReadAsync(c => Has(c, "enrolled") && Has(c, "photo"), stop).ConfigureAwait(false))
        {
            return;
        }

        await database.WriteAsync(
            connection =>
            {
                if (!Has(connection, "enrolled"))
                {
                    GalleryDatabase.Run(connection, "ALTER TABLE template ADD COLUMN enrolled INTEGER");
                    GalleryDatabase.SetMeta(connection, TimesSince, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
                }

                if (!Has(connection, "photo"))
                {
                    GalleryDatabase.Run(connection, "ALTER TABLE template ADD COLUMN photo BLOB");
                }

                return 0;
            },
            stop).ConfigureAwait(false);

        static bool Has(SqliteConnection connection, string column) =>
            GalleryDatabase.Scalar(connection, "SELECT 1 FROM pragma_table_info('template') WHERE name = $column", ("$column", column)) is not null;
    }

    private static long Since(SqliteConnection connection) => GalleryDatabase.Meta(connection, TimesSince) as long? ?? 0;
}
