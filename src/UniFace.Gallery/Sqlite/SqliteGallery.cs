using UniFace.Gallery.Index;
using UniFace.Gallery.Index.Search;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// A gallery in one SQLite file, written by one process at a time and read by many. Searches use an exact index in memory that follows the
/// database change by change. The index is stored beside the file as FILE.index, so that the next start is quick; an encrypted gallery
/// stores no index.
/// </summary>
internal sealed class SqliteGallery : StoredGallery
{
    private readonly SqliteStore store;
    private readonly SqliteDatabase database;
    private readonly IndexRange range;
    private volatile SqliteProjection projection;

    private SqliteGallery(SqliteStore store, IndexRange range)
        : base(store)
    {
        this.store = store;
        this.range = range;
        database = store.Database;
        projection = new SqliteProjection(store, range);
    }

    /// <summary>What is wrong with templates that searches have skipped, by their ids.</summary>
    internal IReadOnlyDictionary<long, string> DamageById => store.Damage;

    /// <summary>Searches in place of this process; null if this process searches.</summary>
    internal IIndexSearch? Search { get; set; }

    /// <summary>Creates an empty gallery.</summary>
    /// <param name="path">The file to create.</param>
    /// <param name="options">Properties of the gallery; <see cref="GalleryInfo.Id"/> and <see cref="GalleryInfo.Encrypted"/> are ignored.</param>
    /// <param name="key">The key to encrypt with; null for a gallery in the clear.</param>
    /// <exception cref="UniFaceException">The file exists, or cannot be written.</exception>
    public static void Create(string path, GalleryInfo options, GalleryKey? key = null) =>
        Task.Run(() => SqliteStore.CreateAsync(path, options, key)).GetAwaiter().GetResult();

    /// <summary>Opens a gallery.</summary>
    /// <param name="path">The file.</param>
    /// <param name="key">Its key, if it is encrypted.</param>
    /// <param name="cancellationToken">Cancels opening it.</param>
    /// <exception cref="UniFaceException">The file is missing, not a gallery, damaged or of another version; or the key is missing or wrong.</exception>
    public static Task<SqliteGallery> OpenAsync(string path, GalleryKey? key = null, CancellationToken cancellationToken = default) =>
        Task.Run(async () => await OpenAsync(await SqliteDatabase.OpenAsync(path), key, cancellationToken), cancellationToken);

    /// <summary>Opens a gallery whose searches find only a range of the index's rows.</summary>
    internal static Task<SqliteGallery> OpenRangeAsync(string path, GalleryKey? key, IndexRange range, CancellationToken cancellationToken = default) =>
        Task.Run(async () => await OpenAsync(await SqliteDatabase.OpenAsync(path), key, cancellationToken, range), cancellationToken);

    // Called on the thread pool, where no synchronization context is captured.
    internal static async Task<SqliteGallery> OpenAsync(
        SqliteDatabase database, GalleryKey? key, CancellationToken cancellationToken, IndexRange? range = null)
    {
        SqliteGallery gallery = new(await SqliteStore.OpenAsync(database, key, cancellationToken), range ?? IndexRange.All);
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

    private SqliteEraser Eraser => new(store, projection.Stored);

    /// <inheritdoc/>
    public override Task EraseAsync(CancellationToken cancellationToken = default) =>
        Task.Run(() => Eraser.EraseAsync(cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        IndexHit[][] hits = await FindAsync(probes, contractId, people, threads: 0, cancellationToken).ConfigureAwait(false);

        // People who were removed since the search have no name and are skipped.
        Dictionary<long, string> names = await database.ReadAsync(
            session => store.PersonNamesAsync(session, hits.SelectMany(h => h).Select(h => h.Key)), cancellationToken).ConfigureAwait(false);
        return [.. hits.Select(probe => (IReadOnlyList<GalleryCandidate>)
            [.. probe.Where(h => names.ContainsKey(h.Key)).Select(h => new GalleryCandidate(names[h.Key], Math.Clamp(h.Score, -1, 1)))])];
    }

    /// <summary>The best rows of the index for each probe, one per person.</summary>
    /// <param name="probes">L2-normalized embeddings, [probes, D].</param>
    /// <param name="contractId">Contract id of the model that computed them.</param>
    /// <param name="people">How many people per probe.</param>
    /// <param name="threads">Threads to use; 0 for one per core.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    internal async Task<IndexHit[][]> FindAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, int threads, CancellationToken cancellationToken)
    {
        // Read before the probes are checked: their model is that of the index, or the index finds that the gallery has another model now.
        SqliteProjection current = projection;
        Info.EnsureProbes(probes.Span, contractId, people);
        if (Search is IIndexSearch others)
        {
            await database.ReadAsync(
                async session =>
                {
                    await store.EnsureModelAsync(session, contractId);
                    return 0;
                },
                cancellationToken).ConfigureAwait(false);
            return await others.SearchAsync(probes, contractId, people, store.Damage, cancellationToken).ConfigureAwait(false);
        }

        ExactIndex index = await current.RefreshAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await FindAsync(index).ConfigureAwait(false);
        }
        catch (Exception e) when (e is UniFaceException or ObjectDisposedException)
        {
            return await FindAsync(await current.RebuildWithoutFileAsync(index, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }

        Task<IndexHit[][]> FindAsync(ExactIndex searched) =>
            Task.Run(() => searched.Search(probes.Span, people, distinctKeys: true, threads, cancellationToken), cancellationToken);
    }

    /// <summary>The smallest and the largest id of the index's rows: of templates, or of people if their mean is scored; 0 if there are none.</summary>
    internal Task<(long First, long Last)> ReadIdsAsync(CancellationToken cancellationToken)
    {
        string table = Info.Scoring == PersonScore.Mean ? store.People : store.Templates;
        return database.ReadAsync(
            async session => (
                await session.ScalarAsync($"SELECT min(id) FROM {table}") as long? ?? 0,
                await session.ScalarAsync($"SELECT max(id) FROM {table}") as long? ?? 0),
            cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default) => (Search, always) switch
    {
        (null, _) => projection.StoreAsync(always, cancellationToken),

        // This process holds no index.
        (_, true) when !Info.Encrypted => projection.RebuildAsync(cancellationToken),
        _ => Task.CompletedTask,
    };

    /// <inheritdoc/>
    public override Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default) => projection.RebuildAsync(cancellationToken);

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> VerifyIntegrityAsync(CancellationToken cancellationToken = default) => database.ReadAsync(
        session => new SqliteIntegrity(store, session).FindProblemsAsync(projection), cancellationToken);

    /// <inheritdoc/>
    public override async Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        await base.ReembedAsync(model, progress, cancellationToken).ConfigureAwait(false);
        SqliteProjection old = projection;
        projection = new SqliteProjection(store, range);
        old.Dispose();
        await database.TruncateLogAsync(SqliteEraser.WaitTimeout, cancellationToken).ConfigureAwait(false);
        await projection.RebuildAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Encrypts all records with another key in one transaction, so that a kill leaves them under the old key or under the new one; then erases
    /// the old bytes from the files. Every process that has the gallery open must open it again, and so must the owner of this object.
    /// </summary>
    /// <param name="key">The new key; null to store in the clear.</param>
    /// <param name="cancellationToken">Cancels it; the old key stays then.</param>
    /// <exception cref="UniFaceException">
    /// A record is damaged or another process writes; or, after the new key is set, the old bytes cannot be erased now.
    /// </exception>
    public async Task RekeyAsync(GalleryKey? key, CancellationToken cancellationToken = default)
    {
        using (RecordCipher cipher = new(Path, Info.Id, key))
        {
            await database.WriteAsync(session => new SqliteRekeying(store, session).RunAsync(cipher), cancellationToken).ConfigureAwait(false);
        }

        Step(GalleryStep.Rekeyed);
        await using SqliteGallery rekeyed = await OpenAsync(Path, key, cancellationToken).ConfigureAwait(false);
        rekeyed.Step = Step;
        await rekeyed.EraseAsync(cancellationToken).ConfigureAwait(false);
        await rekeyed.StoreIndexAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a copy of the gallery as it is now, while it stays in use. An encrypted gallery stays encrypted, with its key.</summary>
    /// <param name="file">The file to write, readable by its owner only; it opens as a gallery.</param>
    /// <param name="overwrite">Replaces an existing file.</param>
    /// <param name="cancellationToken">Cancels it; nothing is written then.</param>
    /// <exception cref="UniFaceException">The file exists or cannot be written; or the gallery is damaged.</exception>
    public Task BackupAsync(string file, bool overwrite = false, CancellationToken cancellationToken = default) =>
        Task.Run(() => new SqliteBackup(store, cancellationToken).CreateAsync(file, overwrite, replaces: false), cancellationToken);

    /// <summary>Restores a gallery from a backup, after checking the backup.</summary>
    /// <param name="backup">A file that <see cref="BackupAsync"/> wrote.</param>
    /// <param name="path">The gallery's file.</param>
    /// <param name="key">The key that the backup is encrypted with.</param>
    /// <param name="overwrite">Replaces the content of an existing gallery atomically; processes that have it open must open it again.</param>
    /// <param name="cancellationToken">Cancels it; the gallery is then unchanged.</param>
    /// <exception cref="UniFaceException">The backup is damaged; or the gallery exists or cannot be written.</exception>
    public static async Task RestoreAsync(
        string backup, string path, GalleryKey? key = null, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        if (File.Exists(path) && !overwrite)
        {
            throw new UniFaceException($"{path}: already exists; restore under another name, or overwrite it");
        }

        if (System.IO.Path.GetFullPath(path) == System.IO.Path.GetFullPath(backup))
        {
            throw new UniFaceException($"{path} is the backup itself; restore to another file");
        }

        await using SqliteGallery source = await OpenAsync(backup, key, cancellationToken).ConfigureAwait(false);
        await Task.Run(() => new SqliteBackup(source.store, cancellationToken).RestoreAsync(path), cancellationToken).ConfigureAwait(false);

        // Erases what is left of the old index.
        await using SqliteGallery restored = await OpenAsync(path, key, cancellationToken).ConfigureAwait(false);
        await restored.EraseAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (Search is not null)
        {
            await Search.DisposeAsync().ConfigureAwait(false);
        }

        projection.Dispose();
        store.Dispose();
    }

    /// <summary>Limits the database to this many pages, as a full disk does; for tests.</summary>
    internal Task LimitPagesAsync(int pages) => database.WriteAsync(session => session.RunAsync($"PRAGMA max_page_count={pages}"), default);
}
