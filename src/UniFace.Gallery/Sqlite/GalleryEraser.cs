namespace UniFace.Gallery.Sqlite;

/// <summary>Erases what removals and key changes left in the stored index, the database's log and unused parts of its pages.</summary>
internal sealed class GalleryEraser(GalleryStore store, StoredIndex index)
{
    /// <summary>How long to wait for readers of other processes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // Metadata key: old bytes may still be in unused parts of pages, in the log or in an index.
    private const string UnerasedPages = "unerased";

    private readonly GalleryDatabase database = store.Database;

    // The id of an index row.
    private readonly string rowId = store.Info.Scoring == PersonScore.Mean ? "person" : "template";

    /// <summary>Notes that unused parts of the file are to be erased.</summary>
    public static Task RequireVacuumAsync(SqlSession session) => session.SetMetaAsync(UnerasedPages, 1L);

    /// <summary>Erases what is left to erase.</summary>
    /// <exception cref="UniFaceException">Another process reads the gallery or stores its index, so that they cannot be erased now.</exception>
    public async Task EraseAsync(CancellationToken stop)
    {
        if (await HasUnerasedAsync(stop))
        {
            if (database.IsReadOnly)
            {
                throw new UniFaceException($"{store.Path}: removed, but not erased from the files, which cannot be written now.");
            }

            using FileLock held = await StoredIndex.LockAsync(store.Path, stop);
            await EraseAsync(Patience, stop);
        }
    }

    /// <summary>
    /// Finishes what an interrupted removal or index write left. If another process prevents that, the next process that opens the gallery
    /// tries again.
    /// </summary>
    public async Task FinishAsync(CancellationToken stop)
    {
        bool unerased = await HasUnerasedAsync(stop);
        if (!unerased && index.Leftovers().Count == 0)
        {
            return;
        }

        using FileLock? held = index.TryLock();
        try
        {
            if (held is not null)
            {
                index.DeleteLeftovers();
                await (unerased ? EraseAsync(TimeSpan.Zero, stop) : Task.CompletedTask);
            }
        }
        catch (UniFaceException)
        {
            // It stays recorded, and RemoveAsync, EraseAsync and VerifyIntegrityAsync report it.
        }
    }

    private async Task<bool> HasUnerasedAsync(CancellationToken stop)
    {
        const string Unerased = "SELECT 1 FROM gone WHERE erased = 0 UNION ALL SELECT 1 FROM meta WHERE key = $1 LIMIT 1";
        return await database.ReadAsync(session => session.ScalarAsync(Unerased, UnerasedPages), stop) is not null;
    }

    // The caller holds the index's lock.
    private async Task EraseAsync(TimeSpan patience, CancellationToken stop)
    {
        (List<long> rows, bool vacuum) = await database.ReadAsync(
            async session => (
                await session.QueryAsync($"SELECT DISTINCT {rowId} FROM gone WHERE erased = 0", r => r.GetInt64(0)),
                await session.MetaAsync(UnerasedPages) is not null),
            stop);
        index.Erase(rows);
        database.Step("index erased");
        if (vacuum)
        {
            await database.VacuumAsync(stop);
        }

        if (!await database.TruncateLogAsync(patience, stop))
        {
            throw new UniFaceException(
                $"{store.Path}: removed, but another process is reading the gallery, so that removed bytes are still in its log; " +
                "run 'uniface gallery remove' again when that process is done.");
        }

        database.Step("log emptied");
        await database.WriteAsync(
            async session =>
            {
                string erased = $"UPDATE gone SET erased = 1 WHERE {rowId} IN (SELECT value FROM json_each($1))";
                await session.RunAsync(erased, $"[{string.Join(',', rows)}]");
                await session.RunAsync("DELETE FROM meta WHERE key = $1", UnerasedPages);
            },
            stop);
        database.Step("noted as erased");
    }
}
