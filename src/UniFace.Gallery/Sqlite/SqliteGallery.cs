using UniFace.Gallery.Index;
using UniFace.Gallery.Index.Search;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// A gallery in one SQLite file, written by one process at a time and read by many. Searches use an exact index in memory that follows the
/// database change by change. The index is stored beside the file as FILE.index, so that the next start is quick; an encrypted gallery
/// stores no index.
/// </summary>
public sealed class SqliteGallery : IStoredGallery
{
    private readonly GalleryStore store;
    private readonly GalleryDatabase database;
    private readonly GalleryRecords records;
    private GalleryProjection projection;

    private SqliteGallery(GalleryStore store)
    {
        this.store = store;
        database = store.Database;
        records = store.Records;
        projection = new GalleryProjection(store);
    }

    /// <summary>What the gallery is.</summary>
    public GalleryInfo Info => store.Info;

    /// <summary>The file.</summary>
    public string Path => store.Path;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Damage => [.. projection.Damage.OrderBy(d => d.Key).Select(d => d.Value)];

    /// <summary>Creates an empty gallery.</summary>
    /// <param name="path">The file to create.</param>
    /// <param name="options">What it is; <see cref="GalleryInfo.Id"/> and <see cref="GalleryInfo.Encrypted"/> are ignored.</param>
    /// <param name="key">The key to encrypt with; null for a gallery in the clear.</param>
    /// <exception cref="UniFaceException">The file exists, or cannot be written.</exception>
    public static void Create(string path, GalleryInfo options, GalleryKey? key = null) => GalleryStore.Create(path, options, key);

    /// <summary>Opens a gallery.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Its key, if it is encrypted.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">The file is missing, no gallery, damaged or of another version; or the key is missing or wrong.</exception>
    public static Task<SqliteGallery> OpenAsync(string path, GalleryKey? key = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => OpenAsync(GalleryDatabase.Open(path), key, cancellationToken), cancellationToken);

    // Called on the thread pool, where no synchronization context is captured.
    internal static async Task<SqliteGallery> OpenAsync(GalleryDatabase database, GalleryKey? key, CancellationToken cancellationToken)
    {
        SqliteGallery gallery = new(await GalleryStore.OpenAsync(database, key, cancellationToken));
        try
        {
            if (!database.IsReadOnly)
            {
                await gallery.Eraser.FinishAsync(cancellationToken);
            }

            return gallery;
        }
        catch
        {
            await gallery.DisposeAsync();
            throw;
        }
    }

    private GalleryEraser Eraser => new(store, projection.Stored);

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrollment> enrollments, string contractId, CancellationToken cancellationToken = default)
    {
        Info.EnsureEnrollments(enrollments, contractId);
        return database.WriteAsync(connection => new GalleryChanges(store, connection).Enroll(enrollments, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default) => RemoveAsync(person, before: null, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RemoveEnrolledBeforeAsync(string person, DateTimeOffset time, CancellationToken cancellationToken = default) =>
        RemoveAsync(person, time, cancellationToken);

    private Task<bool> RemoveAsync(string person, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(person);
        return Removal.RunAsync(
            async () =>
            {
                bool removed = await database.WriteAsync(
                    connection => new GalleryChanges(store, connection).Remove(person, before), cancellationToken).ConfigureAwait(false);
                database.Step("removed");
                return removed;
            },
            () => EraseAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public Task EraseAsync(CancellationToken cancellationToken = default) => Task.Run(() => Eraser.EraseAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<GalleryPerson> ListAsync(CancellationToken cancellationToken = default) => PeoplePages.ReadAsync(
        (last, size, stop) => ReadAsync(
            connection => connection.Query(
                "SELECT id, name_key, name, (SELECT count(*) FROM template WHERE person = p.id) FROM person p WHERE id > $last ORDER BY id LIMIT $size",
                r => (r.GetInt64(0), new GalleryPerson(records.PersonName(r), r.GetInt32(3))),
                ("$last", last),
                ("$size", size)).ToList(),
            stop),
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<long, string?>> GetPhotosAsync(string person, CancellationToken cancellationToken = default) =>
        ReadAsync<IReadOnlyDictionary<long, string?>>(
            connection => connection.Query(
                "SELECT id, person, photo FROM template WHERE person = $person",
                r => (r.GetInt64(0), records.OpenPhoto(r.GetInt64(0), r.GetInt64(1), r[2])),
                ("$person", records.FindPerson(connection, person))).ToDictionary(),
            cancellationToken);

    /// <inheritdoc/>
    public Task<StoredPerson?> ReadPersonAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        return ReadAsync(
            connection =>
            {
                store.EnsureUnmoved(connection);
                return records.FindPerson(connection, person) is long id ? new StoredPerson(person, [.. ReadTemplates(connection, person, id)]) : null;
            },
            cancellationToken);
    }

    private IEnumerable<StoredTemplate> ReadTemplates(SqliteConnection connection, string person, long id) => connection.Query(
        "SELECT t.id, coalesce(t.enrolled, $default), t.source, t.embedding, c.image, t.photo, t.checksum " +
        "FROM template t LEFT JOIN crop c ON c.template = t.id WHERE t.person = $id ORDER BY t.id",
        row =>
        {
            long template = row.GetInt64(0);
            float[] embedding = new float[Info.EmbeddingSize];
            return records.FindFault(template, id, (byte[])row[3], row.GetInt64(6), Info, embedding) is string fault
                ? throw new UniFaceException($"{Path}: {GalleryChecks.DescribeDamage(person, template, fault)}")
                : new StoredTemplate(
                    template,
                    DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(1)),
                    records.OpenSource(template, id, row[2]),
                    embedding,
                    row[4] is byte[] crop ? records.OpenCrop(template, id, crop) : [],
                    records.OpenPhoto(template, id, row[5]));
        },
        ("$id", id),
        ("$default", GalleryDatabase.DefaultEnrolled(connection)));

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> ListEnrolledBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken = default) =>
        ReadAsync<IReadOnlyList<string>>(
            connection => connection.Query(
                "SELECT p.id, p.name_key, p.name FROM person p JOIN template t ON t.person = p.id GROUP BY p.id " +
                "HAVING max(coalesce(t.enrolled, $default)) < $time ORDER BY p.id",
                records.PersonName,
                ("$time", time.ToUnixTimeSeconds()),
                ("$default", GalleryDatabase.DefaultEnrolled(connection))).ToList(),
            cancellationToken);

    /// <inheritdoc/>
    public Task EnsureUnmovedAsync(CancellationToken cancellationToken = default) => database.ReadAsync(store.EnsureUnmoved, cancellationToken);

    /// <inheritdoc/>
    public Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default) => database.ReadAsync(
        c => new GalleryCounts((long)c.Scalar("SELECT count(*) FROM person")!, (long)c.Scalar("SELECT count(person) FROM template")!),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        Info.EnsureProbes(probes.Span, contractId, people);
        ExactIndex index = await projection.RefreshAsync(cancellationToken).ConfigureAwait(false);
        IndexHit[][] hits;
        try
        {
            hits = await FindAsync(index).ConfigureAwait(false);
        }
        catch (UniFaceException)
        {
            hits = await FindAsync(await projection.RebuildWithoutFileAsync(index, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }

        Task<IndexHit[][]> FindAsync(ExactIndex searched) =>
            Task.Run(() => searched.Search(probes.Span, people, distinctKeys: true, cancellationToken: cancellationToken), cancellationToken);

        // People who were removed since the search have no name and are left out.
        Dictionary<long, string> names = await database.ReadAsync(
            connection => records.PersonNames(connection, hits.SelectMany(h => h).Select(h => h.Key)), cancellationToken).ConfigureAwait(false);
        return [.. hits.Select(probe => (IReadOnlyList<GalleryCandidate>)
            [.. probe.Where(h => names.ContainsKey(h.Key)).Select(h => new GalleryCandidate(names[h.Key], Math.Clamp(h.Score, -1, 1)))])];
    }

    /// <inheritdoc/>
    public Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default) => projection.StoreAsync(always, cancellationToken);

    /// <inheritdoc/>
    public Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default) => projection.RebuildAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> VerifyIntegrityAsync(CancellationToken cancellationToken = default) => database.ReadAsync(
        connection => new GalleryIntegrity(store, connection, cancellationToken).FindProblems(projection), cancellationToken);

    /// <inheritdoc/>
    public async Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        store.Info = await new SqliteReembedding(store, model).RunAsync(progress, cancellationToken).ConfigureAwait(false);
        GalleryProjection old = projection;
        projection = new GalleryProjection(store);
        old.Dispose();
        await database.TruncateLogAsync(GalleryEraser.Patience, cancellationToken).ConfigureAwait(false);
        await projection.RebuildAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Encrypts all records with another key in one transaction, so that a kill leaves them under the old key or under the new one; then erases
    /// the old bytes from the files. Every process that has the gallery open must open it again, and so must the owner of this object.
    /// </summary>
    /// <param name="key">The new key; null to store in the clear.</param>
    /// <param name="cancellationToken">Stops it; the old key stays then.</param>
    /// <exception cref="UniFaceException">
    /// A record is damaged or another process writes; or, after the new key is set, the old bytes cannot be erased now.
    /// </exception>
    public async Task RekeyAsync(GalleryKey? key, CancellationToken cancellationToken = default)
    {
        await Task.Run(() => new GalleryRekeying(store, cancellationToken).RunAsync(key), cancellationToken).ConfigureAwait(false);
        await using SqliteGallery rekeyed = await OpenAsync(Path, key, cancellationToken).ConfigureAwait(false);
        rekeyed.Step = Step;
        await rekeyed.EraseAsync(cancellationToken).ConfigureAwait(false);
        await rekeyed.StoreIndexAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a copy of the gallery as it is now, while it stays in use. An encrypted gallery stays encrypted, with its key.</summary>
    /// <param name="file">The file to write, readable by its owner only; it opens as a gallery.</param>
    /// <param name="overwrite">Replaces an existing file.</param>
    /// <param name="cancellationToken">Stops it; nothing is written then.</param>
    /// <exception cref="UniFaceException">The file exists or cannot be written; or the gallery is damaged.</exception>
    public Task BackupAsync(string file, bool overwrite = false, CancellationToken cancellationToken = default) =>
        Task.Run(() => new GalleryBackup(store, cancellationToken).Create(file, overwrite, replaces: false), cancellationToken);

    /// <summary>Restores a gallery from a backup, after checking the backup.</summary>
    /// <param name="backup">A file that <see cref="BackupAsync"/> wrote.</param>
    /// <param name="path">The gallery's file.</param>
    /// <param name="key">The key that the backup is encrypted with.</param>
    /// <param name="overwrite">Replaces the content of an existing gallery atomically; processes that have it open must open it again.</param>
    /// <param name="cancellationToken">Stops it; the gallery is then unchanged.</param>
    /// <exception cref="UniFaceException">The backup is damaged; or the gallery exists or cannot be written.</exception>
    public static async Task RestoreAsync(
        string backup, string path, GalleryKey? key = null, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        if (File.Exists(path) && !overwrite)
        {
            throw new UniFaceException($"{path}: exists already; restore under another name, or overwrite it.");
        }

        if (System.IO.Path.GetFullPath(path) == System.IO.Path.GetFullPath(backup))
        {
            throw new UniFaceException($"{path}: is the backup itself.");
        }

        await using SqliteGallery source = await OpenAsync(backup, key, cancellationToken).ConfigureAwait(false);
        await Task.Run(() => new GalleryBackup(source.store, cancellationToken).RestoreAsync(path), cancellationToken).ConfigureAwait(false);

        // Erases what is left of the old index.
        await using SqliteGallery restored = await OpenAsync(path, key, cancellationToken).ConfigureAwait(false);
        await restored.EraseAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes the gallery; no operation may be running.</summary>
    public ValueTask DisposeAsync()
    {
        projection.Dispose();
        store.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Called after each step of storing, removing and erasing, so that tests can simulate a kill there.</summary>
    internal Action<string> Step
    {
        get => database.Step;
        set => database.Step = value;
    }

    /// <summary>Limits the database to this many pages, as a full disk does; for tests.</summary>
    internal void LimitPages(int pages) => database.LimitPages(pages);

    private Task<T> ReadAsync<T>(Func<SqliteConnection, T> work, CancellationToken stop) => database.ReadAsync(
        connection =>
        {
            store.EnsureSameKey(connection);
            return work(connection);
        },
        stop);
}
