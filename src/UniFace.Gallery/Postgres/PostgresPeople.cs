using Pgvector;

namespace UniFace.Gallery.Postgres;

/// <summary>What is stored of people, and since when.</summary>
public sealed partial class PostgresGallery
{
    /// <inheritdoc/>
    public Task<StoredPerson?> ReadPersonAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        if (person.Contains('\0', StringComparison.Ordinal))
        {
            return Task.FromResult<StoredPerson?>(null);
        }

        return database.ReadAsync(
            async connection =>
            {
                await EnsureModelAsync(connection, info.ContractId, "", cancellationToken).ConfigureAwait(false);
                return await PostgresDatabase.RowsAsync(
                    connection,
                    $"SELECT t.id, t.enrolled, t.source, t.embedding, c.image, t.photo FROM {People} p JOIN {Templates} t ON t.person = p.id " +
                    $"LEFT JOIN {Crops} c ON c.template = t.id WHERE p.name = $1 ORDER BY t.id",
                    r => new StoredTemplate(
                        r.GetInt64(0),
                        r.GetFieldValue<DateTimeOffset>(1),
                        r.IsDBNull(2) ? null : r.GetString(2),
                        r.GetFieldValue<Vector>(3).Memory,
                        r.IsDBNull(4) ? [] : r.GetFieldValue<byte[]>(4),
                        r.IsDBNull(5) ? null : Convert.ToHexStringLower(r.GetFieldValue<byte[]>(5))),
                    cancellationToken,
                    person).ConfigureAwait(false) is { Count: > 0 } templates ? new StoredPerson(person, templates) : null;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> EnrolledBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken = default) => database.ReadAsync<IReadOnlyList<string>>(
        async connection => await PostgresDatabase.RowsAsync(
            connection,
            $"SELECT p.name FROM {People} p JOIN {Templates} t ON t.person = p.id GROUP BY p.id, p.name HAVING max(t.enrolled) < $1 ORDER BY p.id",
            r => r.GetString(0),
            cancellationToken,
            time.ToUniversalTime()).ConfigureAwait(false),
        cancellationToken);

    // Galleries of before times or photos' hashes were kept begin to keep them now.
    private static async Task AddColumnsAsync(PostgresDatabase database, CancellationToken stop)
    {
        const string Kept = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'uniface' AND table_name = 'template' AND column_name IN ('enrolled', 'photo')";
        if (await database.ReadAsync(c => PostgresDatabase.ScalarAsync(c, Kept, stop), stop).ConfigureAwait(false) is not 2L)
        {
            await database.WriteAsync(c => PostgresDatabase.RunAsync(c, PostgresDatabase.AddColumns, stop), stop).ConfigureAwait(false);
        }
    }
}
