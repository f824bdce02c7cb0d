namespace UniFace.Gallery;

/// <summary>A gallery that owns its store, a file or a database, and can maintain it.</summary>
internal abstract class StoredGallery : ITemplateGallery
{
    private const int PageSize = 1000;

    private readonly SqlStore store;

    internal StoredGallery(SqlStore store) => this.store = store;

    /// <inheritdoc/>
    public GalleryInfo Info => store.Info;

    /// <summary>The store, as messages name it: a file's path, or a server, database and gallery without a password.</summary>
    public string Path => store.Path;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Damage => [.. store.Damage.OrderBy(d => d.Key).Select(d => d.Value)];

    /// <summary>Called after each step of storing, removing and erasing, so that tests can simulate a kill there.</summary>
    internal Action<GalleryStep> Step
    {
        get => store.Database.Step;
        set => store.Database.Step = value;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrollment> enrollments, string contractId, CancellationToken cancellationToken = default)
    {
        Info.EnsureEnrollments(enrollments, contractId);
        return store.Database.WriteAsync(session => new SqlEnrollment(store, session).RunAsync(enrollments, contractId), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default) => RemoveAsync(person, before: null, cancellationToken);

    /// <summary>Removes a person like <see cref="ITemplateGallery.RemoveAsync"/> if the newest template was enrolled before a time.</summary>
    /// <returns>False if the person was not enrolled, or has a newer template.</returns>
    /// <exception cref="UniFaceException">The store fails.</exception>
    /// <exception cref="NotErasedException">The store cannot erase now what was removed.</exception>
    public Task<bool> RemoveEnrolledBeforeAsync(string person, DateTimeOffset time, CancellationToken cancellationToken = default) =>
        RemoveAsync(person, time, cancellationToken);

    // Removes the person first from searches and lists, then the bytes from the store's files; also those that an interrupted removal left.
    private async Task<bool> RemoveAsync(string person, DateTimeOffset? before, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(person);
        bool removed = await store.Database.WriteAsync(session => DeleteAsync(session, person, before), stop).ConfigureAwait(false);
        Step(GalleryStep.Removed);
        try
        {
            await EraseAsync(stop).ConfigureAwait(false);
            return removed;
        }
        catch (UniFaceException e)
        {
            throw new NotErasedException(e, removed);
        }
    }

    private async Task<bool> DeleteAsync(SqlSession session, string person, DateTimeOffset? before)
    {
        await store.EnsureSameGenerationAsync(session);

        // Waits for processes that enroll this person; then their templates are there to be deleted.
        string find = $"{store.FindPersonSql} {store.LockRowsSql}";
        if (await session.ScalarAsync(find, store.ToKey(person)) is not long id)
        {
            return false;
        }

        string newer = $"SELECT 1 FROM {store.Templates} WHERE {store.Scope()}person = $1 AND {store.EnrolledSql} >= $2 LIMIT 1";
        if (before is DateTimeOffset time && await session.ScalarAsync(newer, id, store.ToTime(time)) is not null)
        {
            return false;
        }

        await store.DeletePersonAsync(session, id);
        return true;
    }

    /// <summary>Erases what removals left because they were interrupted or readers prevented it.</summary>
    /// <exception cref="UniFaceException">The store fails, or cannot erase now.</exception>
    public abstract Task EraseAsync(CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public async IAsyncEnumerable<GalleryPerson> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // Page by page, so that no transaction is open while the caller works.
        long last = 0;
        List<(long Id, GalleryPerson Person)> page;
        do
        {
            page = await ReadAsync(
                session => session.QueryAsync(
                    $"SELECT {store.PersonSql}, (SELECT count(*) FROM {store.Templates} WHERE {store.Scope()}person = p.id) AS templates " +
                    $"FROM {store.People} p WHERE {store.Scope("p.")}p.id > $1 ORDER BY p.id LIMIT $2",
                    r => ((long)r["id"], new GalleryPerson(store.ReadText(r, "name")!, (int)(long)r["templates"])),
                    last,
                    PageSize),
                cancellationToken).ConfigureAwait(false);
            foreach ((long id, GalleryPerson person) in page)
            {
                last = id;
                yield return person;
            }
        }
        while (page.Count == PageSize);
    }

    /// <summary>The templates of a person: the SHA-256 of each template's photo, by the template's id; null if unknown.</summary>
    /// <exception cref="UniFaceException">The store fails.</exception>
    public async Task<IReadOnlyDictionary<long, string?>> GetPhotosAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        return (await ReadAsync(
            session => session.QueryAsync(
                $"SELECT id, person, photo FROM {store.Templates} WHERE {store.Scope()}person = ({store.FindPersonSql})",
                r => ((long)r["id"], store.ReadPhoto(r)),
                store.ToKey(person)),
            cancellationToken).ConfigureAwait(false)).ToDictionary();
    }

    /// <summary>Reads everything that is stored about a person.</summary>
    /// <returns>Null if the person is not enrolled.</returns>
    /// <exception cref="DamagedRecordException">The stored data of the person is damaged.</exception>
    /// <exception cref="UniFaceException">The store fails.</exception>
    public Task<StoredPerson?> ReadPersonAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        return ReadAsync(
            async session =>
            {
                await store.EnsureModelAsync(session, Info.ContractId);
                List<StoredTemplate> templates = await session.QueryAsync(
                    $"SELECT t.*, {store.EnrolledSql} AS time, c.image AS crop FROM {store.Templates} t " +
                    $"LEFT JOIN {store.Crops} c ON {store.Scope("c.")}c.template = t.id " +
                    $"WHERE {store.Scope("t.")}t.person = ({store.FindPersonSql}) ORDER BY t.id",
                    r => store.FindFault(r) is string fault
                        ? throw new DamagedRecordException($"{Path}: {GalleryChecks.DescribeDamage(person, (long)r["id"], fault)}")
                        : new StoredTemplate(
                            (long)r["id"],
                            SqlStore.ReadTime(r),
                            store.ReadText(r, "source"),
                            store.ReadEmbedding(r),
                            store.ReadBytes(r, "crop") ?? [],
                            store.ReadPhoto(r)),
                    store.ToKey(person));
                return templates.Count > 0 ? new StoredPerson(person, templates) : null;
            },
            cancellationToken);
    }

    /// <summary>The people whose newest template was enrolled before a time, in the order of their enrollment.</summary>
    /// <exception cref="UniFaceException">The store fails.</exception>
    public async Task<IReadOnlyList<string>> ListEnrolledBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken = default) => await ReadAsync(
        session => session.QueryAsync(
            $"SELECT {store.PersonSql} FROM {store.People} p " +
            $"WHERE (SELECT max({store.EnrolledSql}) FROM {store.Templates} WHERE {store.Scope()}person = p.id) < $1 ORDER BY p.id",
            r => store.ReadText(r, "name")!,
            store.ToTime(time)),
        cancellationToken).ConfigureAwait(false);

    /// <summary>Checks that the store is available and still holds the gallery that was opened, of the same model.</summary>
    /// <exception cref="UniFaceException">The store fails.</exception>
    /// <exception cref="GalleryChangedException">Another process moved or replaced the gallery.</exception>
    public Task EnsureUnmovedAsync(CancellationToken cancellationToken = default) =>
        store.Database.ReadAsync(session => store.EnsureModelAsync(session, Info.ContractId), cancellationToken);

    /// <inheritdoc/>
    public async Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default) => (await store.Database.ReadAsync(
        session => session.QueryAsync(
            $"SELECT (SELECT count(*) FROM {store.People}), (SELECT count(*) FROM {store.Templates})",
            r => new GalleryCounts(r.GetInt64(0), r.GetInt64(1))),
        cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    public abstract Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default);

    /// <summary>Stores the index, if the store keeps one apart from the templates, so that the next start is quick.</summary>
    /// <param name="always">False to store only after many changes.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public abstract Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default);

    /// <summary>Rebuilds the index from the templates and stores it.</summary>
    /// <returns>Rows of the index.</returns>
    /// <exception cref="UniFaceException">The store fails, or the gallery has no index.</exception>
    public abstract Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default);

    /// <summary>Checks everything that is stored.</summary>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>Up to 100 problems, one line each; empty if there are none.</returns>
    public abstract Task<IReadOnlyList<string>> VerifyIntegrityAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Moves the gallery to another model from the crops it keeps. Until the end it works as before; after a stop, the same call continues.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="progress">Called after each batch with the number of templates done and the number of all.</param>
    /// <param name="cancellationToken">Cancels it between batches.</param>
    /// <exception cref="UniFaceException">The gallery keeps no crops, is already of this model, or the model gives invalid embeddings.</exception>
    public virtual async Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        store.Info = await new Reembedding(store, model).RunAsync(progress, cancellationToken).ConfigureAwait(false);
        store.Damage.Clear();
    }

    /// <summary>Closes the gallery; no operation may be running.</summary>
    public abstract ValueTask DisposeAsync();

    private Task<T> ReadAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop) => store.Database.ReadAsync(
        async session =>
        {
            await store.EnsureSameGenerationAsync(session);
            return await work(session);
        },
        stop);
}
