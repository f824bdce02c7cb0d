namespace UniFace.Gallery.Postgres;

/// <summary>
/// A gallery in a PostgreSQL database with pgvector. Any number of processes on any number of machines can write and search it at once: the
/// client caches nothing, each answer is of one state of the database, and the database's constraints decide races. The server compares the
/// probe with every template; optionally it searches an HNSW graph of half-precision copies, which is faster on large galleries but may miss
/// people.
/// </summary>
/// <remarks>
/// It cannot be encrypted with a key of the client, because the server must read the vectors that it compares. Encrypt the server's disk.
/// </remarks>
public sealed class PostgresGallery : IStoredGallery
{
    private readonly PostgresStore store;
    private readonly PostgresDatabase database;
    private readonly ConcurrentDictionary<long, string> damage = [];

    private PostgresGallery(PostgresStore store)
    {
        this.store = store;
        database = store.Database;
    }

    /// <summary>Lets <see cref="FaceGallery"/> open addresses of galleries on PostgreSQL.</summary>
    public static IGalleryProvider Provider { get; } = new AddressProvider();

    /// <inheritdoc/>
    public GalleryInfo Info => store.Info;

    /// <inheritdoc/>
    public string Path => store.Path;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Damage => [.. damage.OrderBy(d => d.Key).Select(d => d.Value)];

    /// <summary>Creates an empty gallery, and the tables if the database has none.</summary>
    /// <param name="address">The database, and the gallery's name in it.</param>
    /// <param name="options">What it is; <see cref="GalleryInfo.Id"/> is ignored, <see cref="GalleryInfo.Encrypted"/> must be false.</param>
    /// <param name="hnsw">Searches an HNSW graph instead of every template.</param>
    /// <param name="cancellationToken">Stops it; nothing is created then.</param>
    /// <exception cref="UniFaceException">
    /// The name is taken; encryption, mean scores with HNSW, or embeddings that are too large for pgvector are asked for; or the server fails.
    /// </exception>
    public static async Task CreateAsync(PostgresAddress address, GalleryInfo options, bool hnsw = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(options);
        GalleryInfo info = options.ForCreation();
        if (info.Encrypted)
        {
            throw CannotEncrypt(address);
        }

        if (hnsw && info.Scoring == PersonScore.Mean)
        {
            throw new UniFaceException(
                "HNSW finds the most similar templates, not people by the mean of their templates: leave out --hnsw, or score people by their best template.");
        }

        int largest = PostgresStore.LargestEmbedding(hnsw);
        if (info.EmbeddingSize > largest)
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"pgvector supports embeddings of at most {largest:N0} values{(hnsw ? " with HNSW" : "")}, the model's have {info.EmbeddingSize}."));
        }

        await PostgresDatabase.EnsureSchemaAsync(address, cancellationToken).ConfigureAwait(false);
        PostgresDatabase database = PostgresDatabase.Open(address);
        await using (database.ConfigureAwait(false))
        {
            try
            {
                await database.WriteAsync(
                    async session =>
                    {
                        long number = (long)(await session.ScalarAsync(
                            "INSERT INTO uniface.gallery(format, uid, name, contract, embedding_size, scoring, keeps_crops, hnsw, package) " +
                            "VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
                            PostgresDatabase.Format,
                            info.Id,
                            address.Gallery,
                            info.ContractId,
                            info.EmbeddingSize,
                            info.Scoring.ToString(),
                            info.KeepsCrops,
                            hnsw,
                            info.Package))!;
                        await session.RunAsync(new PostgresStore(database, number, hnsw, info).CreateSql);
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            catch (UniFaceException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                throw new UniFaceException($"{address}: exists already; choose another name.", e);
            }
        }
    }

    /// <summary>Opens a gallery.</summary>
    /// <param name="address">The database, and the gallery's name in it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">The server, the database or the gallery does not exist, or it is of another version.</exception>
    public static async Task<PostgresGallery> OpenAsync(PostgresAddress address, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        PostgresDatabase database = PostgresDatabase.Open(address);
        try
        {
            PostgresStore store = await database.ReadAsync(session => FindAsync(database, session), cancellationToken).ConfigureAwait(false);
            await database.AddMissingColumnsAsync(cancellationToken).ConfigureAwait(false);
            return new PostgresGallery(store);
        }
        catch
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<PostgresStore> FindAsync(PostgresDatabase database, PostgresSession session)
    {
        PostgresAddress address = database.Address;
        string path = address.ToString();
        if (await session.ScalarAsync("SELECT to_regclass('uniface.gallery')::text") is null)
        {
            throw new UniFaceException($"{path}: the database holds no galleries; check the address, or create one with 'uniface gallery create'.");
        }

        List<PostgresStore> found = await session.QueryAsync(
            "SELECT id, hnsw, format, uid, contract, embedding_size, scoring, keeps_crops, package FROM uniface.gallery WHERE name = $1",
            r =>
            {
                GalleryInfo.EnsureFormat(path, r.GetInt32(2), PostgresDatabase.Format);
                return new PostgresStore(database, r.GetInt64(0), r.GetBoolean(1), new GalleryInfo
                {
                    Id = r.GetString(3),
                    ContractId = r.GetString(4),
                    EmbeddingSize = GalleryInfo.ParseSize(path, r.GetInt32(5), PostgresStore.LargestEmbedding(hnsw: false)),
                    Scoring = GalleryInfo.ParseScoring(path, r.GetString(6)),
                    KeepsCrops = r.GetBoolean(7),
                    Package = r.GetText(8),
                });
            },
            address.Gallery);
        return found is [PostgresStore store] ? store : throw new UniFaceException($"{path}: no such gallery; create it with 'uniface gallery create'.");
    }

    private static UniFaceException CannotEncrypt(PostgresAddress address) => new(
        $"{address}: a gallery on PostgreSQL cannot be encrypted with a key, because the server must read the templates that it searches. " +
        "Leave the key out and encrypt the server's disk, or use a gallery file.");

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrollment> enrollments, string contractId, CancellationToken cancellationToken = default)
    {
        Info.EnsureEnrollments(enrollments, contractId);
        return enrollments.Any(e => e.Source?.Contains('\0', StringComparison.Ordinal) == true)
            ? throw new UniFaceException("PostgreSQL cannot store a source with a zero character; leave it out.")
            : database.WriteAsync(session => new PostgresEnrollment(store, session).RunAsync(enrollments, contractId), cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// PostgreSQL keeps the bytes of deleted rows in its files, so the gallery's tables are rewritten (VACUUM FULL). That takes as long as copying
    /// the gallery and, with HNSW, building its graph, and locks the gallery meanwhile. The server's write-ahead log, archives, replicas and
    /// backups hold the bytes until their administrator recycles them.
    /// </remarks>
    public Task<bool> RemoveAsync(string person, CancellationToken cancellationToken = default) => RemoveAsync(person, before: null, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RemoveEnrolledBeforeAsync(string person, DateTimeOffset time, CancellationToken cancellationToken = default) =>
        RemoveAsync(person, time.ToUniversalTime(), cancellationToken);

    private Task<bool> RemoveAsync(string person, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(person);
        return Removal.RunAsync(
            async () =>
            {
                bool removed = !HoldsZero(person)
                    && await database.WriteAsync(session => RemoveAsync(session, person, before), cancellationToken).ConfigureAwait(false);
                damage.Clear(); // The next search finds the remaining damage.
                return removed;
            },
            () => EraseAsync(cancellationToken));
    }

    private async Task<bool> RemoveAsync(PostgresSession session, string person, DateTimeOffset? before)
    {
        // Waits for processes that enroll this person; then their templates are there to be deleted.
        if (await session.ScalarAsync($"SELECT id FROM {store.People} WHERE name = $1 FOR UPDATE", person) is not long id)
        {
            return false;
        }

        string newer = $"SELECT 1 FROM {store.Templates} WHERE person = $1 AND enrolled >= $2 LIMIT 1";
        if (before is DateTimeOffset time && await session.ScalarAsync(newer, id, time) is not null)
        {
            return false;
        }

        await session.RunAsync($"DELETE FROM {store.Crops} c USING {store.Templates} t WHERE t.person = $1 AND c.template = t.id", id);
        await session.RunAsync($"DELETE FROM {store.Templates} WHERE person = $1", id);
        await session.RunAsync($"DELETE FROM {store.People} WHERE id = $1", id);
        await session.RunAsync("UPDATE uniface.gallery SET unerased = pg_current_xact_id() WHERE id = $1", store.Number);
        return true;
    }

    /// <inheritdoc/>
    public Task EraseAsync(CancellationToken cancellationToken = default) => new PostgresEraser(store).EraseAsync(cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<GalleryPerson> ListAsync(CancellationToken cancellationToken = default) => PeoplePages.ReadAsync(
        (last, size, stop) => QueryAsync(
            $"SELECT id, name, (SELECT count(*) FROM {store.Templates} WHERE person = p.id)::int FROM {store.People} p WHERE id > $1 ORDER BY id LIMIT $2",
            r => (r.GetInt64(0), new GalleryPerson(r.GetString(1), r.GetInt32(2))),
            stop,
            last,
            size),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<long, string?>> GetPhotosAsync(string person, CancellationToken cancellationToken = default) => (await QueryAsync(
        $"SELECT t.id, t.photo FROM {store.Templates} t JOIN {store.People} p ON p.id = t.person WHERE p.name = $1",
        r => (r.GetInt64(0), r.GetSha256(1)),
        cancellationToken,
        person).ConfigureAwait(false)).ToDictionary();

    /// <inheritdoc/>
    public Task<StoredPerson?> ReadPersonAsync(string person, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(person);
        return HoldsZero(person) ? Task.FromResult<StoredPerson?>(null) : database.ReadAsync(
            async session =>
            {
                await store.EnsureModelAsync(session, Info.ContractId);
                List<StoredTemplate> templates = await session.QueryAsync(
                    $"SELECT t.id, t.enrolled, t.source, t.embedding, c.image, t.photo FROM {store.People} p JOIN {store.Templates} t ON t.person = p.id " +
                    $"LEFT JOIN {store.Crops} c ON c.template = t.id WHERE p.name = $1 ORDER BY t.id",
                    r => new StoredTemplate(
                        r.GetInt64(0),
                        r.GetFieldValue<DateTimeOffset>(1),
                        r.GetText(2),
                        r.GetFieldValue<Vector>(3).Memory,
                        r.GetBytes(4) ?? [],
                        r.GetSha256(5)),
                    person);
                return templates.Count > 0 ? new StoredPerson(person, templates) : null;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListEnrolledBeforeAsync(DateTimeOffset time, CancellationToken cancellationToken = default) => await QueryAsync(
        $"SELECT p.name FROM {store.People} p JOIN {store.Templates} t ON t.person = p.id GROUP BY p.id, p.name HAVING max(t.enrolled) < $1 ORDER BY p.id",
        r => r.GetString(0),
        cancellationToken,
        time.ToUniversalTime()).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task EnsureUnmovedAsync(CancellationToken cancellationToken = default) =>
        database.ReadAsync(session => store.EnsureModelAsync(session, Info.ContractId), cancellationToken);

    /// <inheritdoc/>
    public async Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default) => (await QueryAsync(
        $"SELECT (SELECT count(*) FROM {store.People}), (SELECT count(*) FROM {store.Templates})",
        r => new GalleryCounts(r.GetInt64(0), r.GetInt64(1)),
        cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    /// <remarks>
    /// The server scores in single precision. Its sum of D products of two vectors, in any order, is within D * 2^-24 of the true inner product
    /// for norms of 1 (Higham, Accuracy and Stability, 3.1). So everybody among the exact best k is within twice that of the server's k-th; all
    /// of those are fetched and scored in double precision. With HNSW, only people whom the graph finds are.
    /// </remarks>
    public Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        Info.EnsureProbes(probes.Span, contractId, people);
        return database.ReadAsync<IReadOnlyList<IReadOnlyList<GalleryCandidate>>>(
            async session =>
            {
                await store.EnsureModelAsync(session, contractId);
                PostgresSearch search = new(store, session, people, damage);
                int size = Info.EmbeddingSize;
                List<IReadOnlyList<GalleryCandidate>> answers = [];
                for (int at = 0; at < probes.Length; at += size)
                {
                    answers.Add(await search.FindAsync(probes.Slice(at, size)));
                }

                return answers;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default)
    {
        if (!store.Hnsw)
        {
            throw new UniFaceException($"{Path}: the gallery has no index, because every template is searched; create one with --hnsw.");
        }

        await database.RunOutsideTransactionAsync([$"REINDEX INDEX CONCURRENTLY {store.Graph}"], cancellationToken).ConfigureAwait(false);
        return (await CountAsync(cancellationToken).ConfigureAwait(false)).Templates;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> VerifyIntegrityAsync(CancellationToken cancellationToken = default) =>
        database.ReadAsync(session => FindProblemsAsync(session), cancellationToken);

    private async Task<IReadOnlyList<string>> FindProblemsAsync(PostgresSession session)
    {
        List<(string Sql, string Problem)> queries =
        [
            .. IntegrityQueries.Create(store.People, store.Templates, store.Crops, Info.KeepsCrops),
            (
                $"SELECT count(*) FROM uniface.gallery WHERE unerased IS NOT NULL AND id = {store.Number}",
                "removals are not erased yet; run 'uniface gallery remove' again"
            ),
        ];
        if (store.Hnsw)
        {
            queries.Add((
                $"SELECT 1 - count(*) FROM pg_index WHERE indexrelid = to_regclass('{store.Graph}') AND indisvalid",
                "index is missing or not valid; rebuild it with 'uniface gallery rebuild'"));
        }

        List<string> problems = [];
        foreach ((string sql, string problem) in queries)
        {
            if (await session.ScalarAsync(sql) is long count and > 0)
            {
                problems.Add($"{count} {problem}");
            }
        }

        problems.AddRange(await session.QueryAsync(
            $"SELECT id, vector_dims(embedding), vector_norm(embedding) FROM {store.Templates} " +
            "WHERE vector_dims(embedding) <> $1 OR NOT abs(vector_norm(embedding) - 1) < $2 ORDER BY id LIMIT $3",
            r => FormattableString.Invariant(
                $"template {r.GetInt64(0)}: {r.GetInt32(1)} values of norm {r.GetDouble(2):G4}, expected {Info.EmbeddingSize} of norm 1"),
            Info.EmbeddingSize,
            GalleryChecks.NormTolerance,
            IntegrityQueries.MostProblems));
        return [.. problems.Take(IntegrityQueries.MostProblems)];
    }

    /// <inheritdoc/>
    public async Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        store.Info = await new PostgresReembedding(store, model).RunAsync(progress, cancellationToken).ConfigureAwait(false);
        await EraseAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => database.DisposeAsync();

    private Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> row, CancellationToken stop, params object?[] parameters) =>
        database.ReadAsync(session => session.QueryAsync(sql, row, parameters), stop);

    // PostgreSQL's text has no zero character, so nobody is enrolled under such a name.
    private static bool HoldsZero(string person) => person.Contains('\0', StringComparison.Ordinal);

    private sealed class AddressProvider : IGalleryProvider
    {
        public bool Supports(string location) => PostgresAddress.IsAddress(location);

        public async Task<IStoredGallery> OpenAsync(string location, GalleryKey? key, CancellationToken cancellationToken)
        {
            PostgresAddress address = PostgresAddress.Parse(location);
            return key is null ? await PostgresGallery.OpenAsync(address, cancellationToken).ConfigureAwait(false) : throw CannotEncrypt(address);
        }
    }
}
