namespace UniFace.Gallery.Postgres;

/// <summary>Erases deleted rows from the files of a gallery's tables by rewriting the tables.</summary>
internal sealed class PostgresEraser(PostgresStore store)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Erases what is left to erase.</summary>
    /// <exception cref="UniFaceException">A transaction still sees the deleted rows.</exception>
    public async Task EraseAsync(CancellationToken stop)
    {
        PostgresDatabase database = store.Database;
        const string Unerased = "SELECT unerased::text FROM uniface.gallery WHERE id = $1";
        if (await database.ReadAsync(session => session.ScalarAsync(Unerased, store.Number), stop).ConfigureAwait(false) is not string transaction)
        {
            return;
        }

        // VACUUM copies a row that a transaction can still see.
        const string Seeing =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() " +
            "AND backend_type <> 'autovacuum worker' AND age(backend_xmin) >= age($1::text::xid8::xid)";
        Stopwatch waited = Stopwatch.StartNew();
        while (await database.ReadAsync(session => session.ScalarAsync(Seeing, transaction), stop).ConfigureAwait(false) is > 0L)
        {
            if (waited.Elapsed > Patience)
            {
                throw new UniFaceException(
                    $"{store.Path}: removed, but another client is reading the database, so that removed bytes are still in its files; " +
                    "run 'uniface gallery remove' again when that client is done.");
            }

            await Task.Delay(100, stop).ConfigureAwait(false);
        }

        await database.RunOutsideTransactionAsync(
            [
                $"SET lock_timeout = {(long)Patience.TotalMilliseconds}",
                .. new[] { store.Crops, store.Templates, store.People }.Select(table => $"VACUUM (FULL) {table}"),
                "SET lock_timeout = 0",
            ],
            stop).ConfigureAwait(false);

        // Unless another person was removed since.
        const string Done = "UPDATE uniface.gallery SET unerased = NULL WHERE id = $1 AND unerased = $2::text::xid8";
        await database.WriteAsync(session => session.RunAsync(Done, store.Number, transaction), stop).ConfigureAwait(false);
    }
}
