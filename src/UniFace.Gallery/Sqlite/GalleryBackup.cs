namespace UniFace.Gallery.Sqlite;

/// <summary>Copies of a gallery, consistent while it is in use.</summary>
internal sealed class GalleryBackup(GalleryStore source, CancellationToken stop)
{
    /// <summary>Makes this backup the content of a gallery file, which is created if it does not exist.</summary>
    public async Task RestoreAsync(string path)
    {
        if (!File.Exists(path))
        {
            await CreateAsync(path, overwrite: false, replaces: false);
            return;
        }

        string checkedCopy = path + ".restore";
        using FileLock held = await StoredIndex.LockAsync(path, stop);
        await CreateAsync(checkedCopy, overwrite: true, replaces: true);
        try
        {
            using GalleryDatabase whole = await GalleryDatabase.OpenAsync(checkedCopy);

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
    public Task CreateAsync(string file, bool overwrite, bool replaces) =>
        GalleryFile.CreateAsync(file, overwrite, temporary => CopyAsync(temporary, replaces));

    // A checked copy of a new generation: indexes in memory or in files belong to the old one.
    private async Task CopyAsync(string temporary, bool replaces)
    {
        await source.Database.CopyToAsync(temporary, stop);
        using GalleryDatabase copy = await GalleryDatabase.OpenAsync(temporary);
        await copy.WriteAsync(
            async session =>
            {
                await session.SetGenerationAsync();

                // The copy holds no removed bytes. What it replaces must be erased from the index and from unused parts of pages.
                await session.RunAsync("UPDATE gone SET erased = 1");
                if (replaces)
                {
                    await GalleryEraser.RequireVacuumAsync(session);
                }
            },
            stop);
        await copy.AddMissingColumnsAsync(stop);
        GalleryStore store = source.WithDatabase(copy);
        if (await copy.ReadAsync(session => new GalleryIntegrity(store, session).FindProblemsAsync(projection: null), stop) is [string problem, ..])
        {
            throw new UniFaceException(
                $"{source.Path}: the gallery is damaged, so no copy was made ({problem}); 'uniface gallery verify-integrity' lists the problems.");
        }
    }
}
