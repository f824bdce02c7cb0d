namespace UniFace.Gallery.Sqlite;

/// <summary>Copies of a gallery, consistent while it is in use.</summary>
internal sealed class GalleryBackup(GalleryStore source, CancellationToken stop)
{
    /// <summary>Makes this backup the content of a gallery file, which is created if it does not exist.</summary>
    public async Task RestoreAsync(string path)
    {
        if (!File.Exists(path))
        {
            Create(path, overwrite: false, replaces: false);
            return;
        }

        string checkedCopy = path + ".restore";
        using FileLock held = await StoredIndex.LockAsync(path, stop);
        Create(checkedCopy, overwrite: true, replaces: true);
        try
        {
            using GalleryDatabase whole = GalleryDatabase.Open(checkedCopy);

            // SQLite writes into the open file, in one transaction: after a rename the old file's log would lie beside the new file.
            await whole.CopyToAsync(path, stop);
        }
        catch (UniFaceException e) when (e.InnerException is SqliteException { SqliteErrorCode: 11 or 26 })
        {
            throw new UniFaceException(
                $"{path}: is damaged, so its content cannot be replaced; move {path}, {path}-wal and {path}-shm away, and restore again.", e);
        }
        finally
        {
            File.Delete(checkedCopy);
        }
    }

    /// <summary>Writes a copy of the gallery as it is now; one that <paramref name="replaces"/> another also erases what is left of it.</summary>
    public void Create(string file, bool overwrite, bool replaces) =>
        GalleryFile.Create(file, overwrite, temporary => CopyAsync(temporary, replaces).GetAwaiter().GetResult());

    // A checked copy of a new generation: indexes in memory or in files belong to the old one.
    private async Task CopyAsync(string temporary, bool replaces)
    {
        await source.Database.CopyToAsync(temporary, stop);
        using GalleryDatabase copy = GalleryDatabase.Open(temporary);
        await copy.WriteAsync(
            connection =>
            {
                GalleryStore.SetGeneration(connection);

                // The copy holds no removed bytes. What it replaces must be erased from the index and from unused parts of pages.
                connection.Run("UPDATE gone SET erased = 1");
                if (replaces)
                {
                    GalleryEraser.RequireVacuum(connection);
                }
            },
            stop);
        await copy.AddMissingColumnsAsync(stop);
        GalleryStore store = source.WithDatabase(copy);
        IReadOnlyList<string> problems = await copy.ReadAsync(
            c => new GalleryIntegrity(store, c, stop).FindProblems(projection: null), stop);
        if (problems is [string problem, ..])
        {
            throw new UniFaceException(
                $"{source.Path}: the gallery is damaged, so no copy was made ({problem}); 'uniface gallery verify-integrity' lists the problems.");
        }
    }
}
