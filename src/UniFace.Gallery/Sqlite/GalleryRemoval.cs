using UniFace.IO;

namespace UniFace.Gallery.Sqlite;

/// <summary>Removing people so that nothing of them is left in any file.</summary>
public sealed partial class SqliteGallery
{
    // For other processes' readers; ours are waited for by their gate.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default) => RemoveAsync(person, before: null, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RemoveEnrolledBeforeAsync(string person, DateTimeOffset time, CancellationToken cancellationToken = default) => RemoveAsync(person, time, cancellationToken);

    private async Task<bool> RemoveAsync(string person, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(person);
        bool removed = await database.WriteAsync(
            connection =>
            {
                EnsureSameKey(connection);
                if (records.FindPerson(connection, person) is not long id)
                {
                    return false;
                }

                if (before is DateTimeOffset time && GalleryDatabase.Scalar(connection, "SELECT max(coalesce(enrolled, $since)) FROM template WHERE person = $id", ("$id", id), ("$since", Since(connection))) is long newest && newest >= time.ToUnixTimeSeconds())
                {
                    return false;
                }

                long change = GalleryDatabase.Change(connection);
                foreach (long template in GalleryDatabase.Numbers(connection, "SELECT id FROM template WHERE person = $id", ("$id", id)))
                {
                    GalleryDatabase.Run(connection, "INSERT INTO gone(change, template, person) VALUES($change, $template, $person)", ("$change", ++change), ("$template", template), ("$person", id));
                    GalleryDatabase.Run(connection, "DELETE FROM crop WHERE template = $template", ("$template", template));
                    GalleryDatabase.Run(connection, "DELETE FROM pending WHERE template = $template", ("$template", template));
                }

                GalleryDatabase.Run(connection, "DELETE FROM template WHERE person = $id", ("$id", id));
                GalleryDatabase.Run(connection, "DELETE FROM person WHERE id = $id", ("$id", id));
                GalleryDatabase.SetMeta(connection, "change", change);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        database.Step("removed");

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
    /// Erases what was removed from the stored index and the database's log. Removing does it, and so does opening the gallery; it is only left to do
    /// where another process was reading or storing the index then.
    /// </summary>
    /// <exception cref="UniFaceException">Another process is reading the gallery or storing its index, so that they cannot be erased now.</exception>
    public async Task EraseAsync(CancellationToken cancellationToken = default)
    {
        if (await HasUnerasedAsync(cancellationToken).ConfigureAwait(false))
        {
            if (database.IsReadOnly)
            {
                throw new UniFaceException($"{Path}: removed, but not erased from the files, which cannot be written now.");
            }

            using FileLock held = await StoredIndex.LockAsync(Path, cancellationToken).ConfigureAwait(false);
            await EraseAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
    }

    // What an interrupted removal or storing of the index has left; where another process is at it, or reads, the next one that opens the gallery does it.
    private async Task FinishErasingAsync(CancellationToken stop)
    {
        bool unerased = await HasUnerasedAsync(stop).ConfigureAwait(false);
        if (!unerased && projection.Stored.Leftovers().Count == 0)
        {
            return;
        }

        using FileLock? held = projection.Stored.TryLock();
        try
        {
            if (held is not null)
            {
                projection.Stored.DeleteLeftovers();
                await (unerased ? EraseAsync(TimeSpan.Zero, stop) : Task.CompletedTask).ConfigureAwait(false);
            }
        }
        catch (UniFaceException)
        {
            // It stays noted, and RemoveAsync, EraseAsync and VerifyIntegrityAsync tell of it.
        }
    }

    private Task<bool> HasUnerasedAsync(CancellationToken stop) => database.ReadAsync(c => GalleryDatabase.Scalar(c, "SELECT 1 FROM gone WHERE erased = 0 UNION ALL SELECT 1 FROM meta WHERE key = $note LIMIT 1", ("$note", RekeyedNote)) is not null, stop);

    // Under the index's lock.
    private async Task EraseAsync(TimeSpan patience, CancellationToken stop)
    {
        List<long> rows = await database.ReadAsync(
            connection => GalleryDatabase.Numbers(connection, info.Scoring == PersonScore.Mean ? "SELECT DISTINCT person FROM gone WHERE erased = 0" : "SELECT template FROM gone WHERE erased = 0"),
            stop).ConfigureAwait(false);
        projection.Stored.Erase(rows);
        database.Step("index erased");
        if (await database.ReadAsync(c => GalleryDatabase.Meta(c, RekeyedNote), stop).ConfigureAwait(false) is not null)
        {
            await database.VacuumAsync(stop).ConfigureAwait(false);
        }

        if (!await database.TruncateLogAsync(patience, stop).ConfigureAwait(false))
        {
            throw new UniFaceException($"{Path}: removed, but another process is reading the gallery, so that bytes of what was removed are still in its log; run 'uniface gallery remove' again when the other is done.");
        }

        database.Step("log emptied");
        await database.WriteAsync(
            connection =>
            {
                foreach (long row in rows)
                {
                    GalleryDatabase.Run(connection, info.Scoring == PersonScore.Mean ? "UPDATE gone SET erased = 1 WHERE person = $row" : "UPDATE gone SET erased = 1 WHERE template = $row", ("$row", row));
                }

                GalleryDatabase.Run(connection, "DELETE FROM meta WHERE key = $note", ("$note", RekeyedNote));
                return 0;
            },
            stop).ConfigureAwait(false);
        database.Step("noted as erased");
    }
}
