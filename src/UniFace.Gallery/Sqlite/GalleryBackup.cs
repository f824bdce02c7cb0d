using Microsoft.Data.Sqlite;
using UniFace.IO;

namespace UniFace.Gallery.Sqlite;

/// <summary>Copies of a gallery, consistent while it is searched and enrolled into.</summary>
public sealed partial class SqliteGallery
{
    /// <summary>Writes a copy of the gallery as it is now. Others read and write on meanwhile; an encrypted gallery stays encrypted, with its key.</summary>
    /// <param name="file">The file to write, for its owner only; it is a gallery and opens as one.</param>
    /// <param name="overwrite">Replaces a file that is there.</param>
    /// <param name="cancellationToken">Stops it; nothing is written then.</param>
    /// <exception cref="UniFaceException">The file is there, or cannot be written; or the copy is not whole, because the gallery is not.</exception>
    public Task BackupAsync(string file, bool overwrite = false, CancellationToken cancellationToken = default) =>
        Task.Run(() => GalleryFile.Make(file, overwrite, beside => CopyAsync(beside, replaces: false, cancellationToken).GetAwaiter().GetResult()), cancellationToken);

    /// <summary>Makes a gallery of a backup, after checking that it is whole.</summary>
    /// <param name="backup">What <see cref="BackupAsync"/> wrote.</param>
    /// <param name="path">The gallery's file.</param>
    /// <param name="key">The key that the backup is encrypted with.</param>
    /// <param name="overwrite">Replaces the content of an existing gallery at once; a process that has it open must open it again.</param>
    /// <param name="cancellationToken">Stops it; the gallery is then as it was.</param>
    /// <exception cref="UniFaceException">The backup is not whole; the gallery is there, or cannot be written.</exception>
    public static async Task RestoreAsync(string backup, string path, GalleryKey? key = null, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        bool exists = File.Exists(path);
        if (exists && !overwrite)
        {
            throw new UniFaceException($"{path}: exists already; restore under another name, or replace its content with --overwrite.");
        }

        if (exists && System.IO.Path.GetFullPath(path) == System.IO.Path.GetFullPath(backup))
        {
            throw new UniFaceException($"{path}: is the backup itself.");
        }

        await using SqliteGallery source = await OpenAsync(backup, key, cancellationToken).ConfigureAwait(false);
        string copied = exists ? path + ".restore" : path;
        using (FileLock? held = exists ? await StoredIndex.LockAsync(path, cancellationToken).ConfigureAwait(false) : null)
        {
            await ReplaceAsync().ConfigureAwait(false);
        }

        // What is left of the index of before.
        await using SqliteGallery restored = await OpenAsync(path, key, cancellationToken).ConfigureAwait(false);
        await restored.EraseAsync(cancellationToken).ConfigureAwait(false);

        async Task ReplaceAsync()
        {
            void Copy(string beside) => source.CopyAsync(beside, replaces: exists, cancellationToken).GetAwaiter().GetResult();
            await Task.Run(() => GalleryFile.Make(copied, overwrite: exists, Copy), cancellationToken).ConfigureAwait(false);
            if (exists)
            {
                try
                {
                    using GalleryDatabase whole = GalleryDatabase.Open(copied);

                    // By SQLite into the open file, in one transaction: a rename would leave the old file's log beside the new one.
                    await whole.CopyToAsync(path, cancellationToken).ConfigureAwait(false);
                }
                catch (UniFaceException e) when (e.InnerException is SqliteException { SqliteErrorCode: 11 or 26 })
                {
                    throw new UniFaceException($"{path}: is damaged, so its content cannot be replaced in place; move {path}, {path}-wal and {path}-shm away, and restore again.", e);
                }
                finally
                {
                    File.Delete(copied);
                }
            }
        }
    }

    // A whole copy, of a generation of its own: what others have in memory, and stored indexes, are of the one before.
    private async Task CopyAsync(string beside, bool replaces, CancellationToken stop)
    {
        await database.CopyToAsync(beside, stop).ConfigureAwait(false);
        using GalleryDatabase copy = GalleryDatabase.Open(beside);
        await copy.WriteAsync(
            connection =>
            {
                GalleryDatabase.SetMeta(connection, GenerationKey, Guid.NewGuid().ToString("N"));

                // The copy holds nothing of the removed. What it replaces is to be erased from the index and from unused parts of pages.
                GalleryDatabase.Run(connection, "UPDATE gone SET erased = 1");
                if (replaces)
                {
                    GalleryDatabase.SetMeta(connection, RekeyedNote, 1L);
                }

                return 0;
            },
            stop).ConfigureAwait(false);
        await AddColumnsAsync(copy, stop).ConfigureAwait(false);
        SqliteGallery opened = new(copy, cipher, info); // Shares the cipher, so only its database is closed.
        IReadOnlyList<string> problems = await opened.VerifyIntegrityAsync(1, stop).ConfigureAwait(false);
        if (problems.Count > 0)
        {
            throw new UniFaceException($"{Path}: the gallery is not whole, so no copy of it was made ({problems[0]}); 'uniface gallery verify-integrity' says more.");
        }
    }
}
