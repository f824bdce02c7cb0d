using System.Diagnostics;
using System.Globalization;

namespace UniFace.Gallery.Postgres;

/// <summary>Removing people so that nothing of them is left in the database's tables.</summary>
public sealed partial class PostgresGallery
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    /// <remarks>
    /// PostgreSQL keeps the bytes of deleted rows in its files; so the gallery's tables are written anew (VACUUM FULL), which takes as long as
    /// copying the gallery and, with HNSW, making its graph, and keeps others from it meanwhile. The server's write-ahead log,
    /// its archives, replicas and backups are its administrator's: they hold the bytes until they are recycled.
    /// </remarks>
    public Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default) => RemoveAsync(person, before: null, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RemoveEnrolledBeforeAsync(string person, DateTimeOffset time, CancellationToken cancellationToken = default) => RemoveAsync(person, time, cancellationToken);

    private async Task<bool> RemoveAsync(string person, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(person);
        bool removed = !person.Contains('\0', StringComparison.Ordinal) && await database.WriteAsync(
            async connection =>
            {
                // Whoever is enrolling this person holds the row; when it is ours their templates are there to be deleted.
                if (await PostgresDatabase.ScalarAsync(connection, $"SELECT id FROM {People} WHERE name = $1 FOR UPDATE", cancellationToken, person).ConfigureAwait(false) is not long id)
                {
                    return false;
                }

                if (before is DateTimeOffset time && await PostgresDatabase.ScalarAsync(connection, $"SELECT 1 FROM {Templates} WHERE person = $1 AND enrolled >= $2 LIMIT 1", cancellationToken, id, time.ToUniversalTime()).ConfigureAwait(false) is not null)
                {
                    return false;
                }

                await PostgresDatabase.RunAsync(connection, $"DELETE FROM {Crops} c USING {Templates} t WHERE t.person = $1 AND c.template = t.id", cancellationToken, id).ConfigureAwait(false);
                await PostgresDatabase.RunAsync(connection, $"DELETE FROM {Templates} WHERE person = $1", cancellationToken, id).ConfigureAwait(false);
                await PostgresDatabase.RunAsync(connection, $"DELETE FROM {People} WHERE id = $1", cancellationToken, id).ConfigureAwait(false);
                await PostgresDatabase.RunAsync(connection, "UPDATE uniface.gallery SET unerased = pg_current_xact_id() WHERE id = $1", cancellationToken, number).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

        damage.Clear(); // The next search finds what is left of it.

        // Not found, too: an earlier removal may have been interrupted before it had erased all.
        try
        {
            await EraseAsync(cancellationToken).ConfigureAwait(false);
            return removed;
        }
        catch (UniFaceException e)
        {
            throw NotErasedException.Of(e, removed);
        }
    }

    /// <summary>
    /// Erases what was removed from the files of the gallery's tables. Removing does it; it is only left to do where a removal was
    /// interrupted, or somebody was reading then.
    /// </summary>
    /// <exception cref="UniFaceException">Somebody is reading a state of the database in which the removed are still there.</exception>
    public async Task EraseAsync(CancellationToken cancellationToken = default)
    {
        if (await UnerasedAsync().ConfigureAwait(false) is not string transaction)
        {
            return;
        }

        // A row that some transaction can still see is copied by VACUUM, not dropped.
        Stopwatch waited = Stopwatch.StartNew();
        while (await database.ReadAsync(
            async connection => await PostgresDatabase.ScalarAsync(
                connection,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker' AND age(backend_xmin) >= age($1::text::xid8::xid)",
                cancellationToken,
                transaction).ConfigureAwait(false) is > 0L,
            cancellationToken).ConfigureAwait(false))
        {
            if (waited.Elapsed > Patience)
            {
                throw new UniFaceException($"{Path}: removed, but somebody is reading the database, so that bytes of what was removed are still in its files; run 'uniface gallery remove' again when the other is done.");
            }

            await Task.Delay(100, cancellationToken).ConfigureAwait(false);
        }

        await database.OutsideAsync(
            [
                string.Create(CultureInfo.InvariantCulture, $"SET lock_timeout = {(long)Patience.TotalMilliseconds}"),
                $"VACUUM (FULL) {Crops}",
                $"VACUUM (FULL) {Templates}",
                $"VACUUM (FULL) {People}",
                "SET lock_timeout = 0",
            ],
            cancellationToken).ConfigureAwait(false);

        // Unless another was removed meanwhile.
        await database.WriteAsync(connection => PostgresDatabase.RunAsync(connection, "UPDATE uniface.gallery SET unerased = NULL WHERE id = $1 AND unerased = $2::text::xid8", cancellationToken, number, transaction), cancellationToken).ConfigureAwait(false);

        async Task<string?> UnerasedAsync() => await database.ReadAsync(
            async connection => await PostgresDatabase.ScalarAsync(connection, "SELECT unerased::text FROM uniface.gallery WHERE id = $1", cancellationToken, number).ConfigureAwait(false) as string,
            cancellationToken).ConfigureAwait(false);
    }
}
