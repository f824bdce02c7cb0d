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
    /// Erases what was removed from the stored index and the database's log. Removing does it; it is only left to do where a removal was
    /// interrupted, or another process was reading then.
    /// </summary>
    /// <exception cref="UniFaceException">Another process is reading the gallery, so that its log cannot be emptied now.</exception>
    public async Task EraseAsync(CancellationToken cancellationToken = default)
    {
        List<long> rows = await database.ReadAsync(
            connection => GalleryDatabase.Numbers(connection, info.Scoring == PersonScore.Mean ? "SELECT DISTINCT person FROM gone WHERE erased = 0" : "SELECT template FROM gone WHERE erased = 0"),
            cancellationToken).ConfigureAwait(false);
        if (rows.Count == 0)
        {
            return;
        }

        projection.Erase(rows);
        if (!await database.TruncateLogAsync(Patience, cancellationToken).ConfigureAwait(false))
        {
            throw new UniFaceException($"{Path}: removed, but another process is reading the gallery, so that bytes of what was removed are still in its log; run 'uniface gallery remove' again when the other is done.");
        }

        await database.WriteAsync(
            connection =>
            {
                foreach (long row in rows)
                {
                    GalleryDatabase.Run(connection, info.Scoring == PersonScore.Mean ? "UPDATE gone SET erased = 1 WHERE person = $row" : "UPDATE gone SET erased = 1 WHERE template = $row", ("$row", row));
                }

                return 0;
            },
            cancellationToken).ConfigureAwait(false);
    }
}
