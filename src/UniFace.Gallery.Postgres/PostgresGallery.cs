namespace UniFace.Gallery.Postgres;

/// <summary>
/// A gallery in a PostgreSQL database with pgvector. Any number of processes on any number of machines can write and search it simultaneously: the
/// client caches nothing, each answer is of one state of the database, and the database's constraints decide races. The server compares the
/// probe with every template; optionally it searches an HNSW graph of half-precision copies, which is faster on large galleries but may miss
/// people.
/// </summary>
/// <remarks>
/// It cannot be encrypted with a key of the client, because the server must read the vectors that it compares. Encrypt the server's disk.
/// </remarks>
internal sealed class PostgresGallery : StoredGallery
{
    private readonly PostgresStore store;
    private readonly PostgresDatabase database;

    private PostgresGallery(PostgresStore store)
        : base(store)
    {
        this.store = store;
        database = store.Database;
    }

    /// <summary>The gallery's tables.</summary>
    internal PostgresStore Store => store;

    /// <summary>True if the gallery is searched by an HNSW graph.</summary>
    public bool HasGraph => store.Hnsw;

    /// <summary>Lets <see cref="FaceGallery"/> open addresses of galleries on PostgreSQL.</summary>
    public static GalleryProvider Provider { get; } =
        static (location, key, stop) => PostgresAddress.IsAddress(location) ? OpenAsync(PostgresAddress.Parse(location), key, stop) : null;

    /// <summary>Creates an empty gallery, and the tables if the database has none.</summary>
    /// <param name="address">The database, and the gallery's name in it.</param>
    /// <param name="options">Properties of the gallery; <see cref="GalleryInfo.Id"/> is ignored, <see cref="GalleryInfo.Encrypted"/> must be false.</param>
    /// <param name="hnsw">Searches an HNSW graph instead of every template.</param>
    /// <param name="cancellationToken">Cancels it; nothing is created then.</param>
    /// <exception cref="UniFaceException">
    /// The name is taken; encryption, mean scores with HNSW, or embeddings that are too large for pgvector are requested; or the server fails.
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

        if (hnsw)
        {
            EnsureScoring(info);
        }

        PostgresStore.EnsureSize(info.EmbeddingSize, hnsw);
        await PostgresDatabase.EnsureSchemaAsync(address, cancellationToken).ConfigureAwait(false);
        PostgresDatabase database = PostgresDatabase.Open(address);
        await using (database.ConfigureAwait(false))
        {
            try
            {
                await database.WriteAsync(
                    async session =>
                    {
                        // While it waits for a lock, it blocks enrollments into all galleries.
                        await session.RunAsync("SET LOCAL lock_timeout = '5s'");
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
                throw new UniFaceException($"{address}: the gallery already exists; choose another name", e);
            }
            catch (UniFaceException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
            {
                throw new UniFaceException(
                    $"{address}: the gallery cannot be created now, because another client locks the tables, for example to build a graph; " +
                    "try again when that has ended",
                    e);
            }
        }
    }

    /// <summary>Opens a gallery.</summary>
    /// <param name="address">The database, and the gallery's name in it.</param>
    /// <param name="cancellationToken">Cancels opening it.</param>
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

    private static async Task<PostgresStore> FindAsync(PostgresDatabase database, SqlSession session)
    {
        PostgresAddress address = database.Address;
        string path = address.ToString();
        if (await session.ScalarAsync("SELECT to_regclass('uniface.gallery')::text") is null)
        {
            throw new UniFaceException($"{path}: the database has no galleries; check the address, or create one with 'uniface gallery create'");
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
                    EmbeddingSize = GalleryInfo.ParseSize(path, r.GetInt32(5), PostgresStore.MaxSize),
                    Scoring = GalleryInfo.ParseScoring(path, r.GetString(6)),
                    KeepsCrops = r.GetBoolean(7),
                    Package = r[8] as string,
                });
            },
            address.Gallery);
        return found is [PostgresStore store] ? store : throw new UniFaceException($"{path}: no such gallery; create it with 'uniface gallery create'");
    }

    private static void EnsureScoring(GalleryInfo info)
    {
        if (info.Scoring == PersonScore.Mean)
        {
            throw new UniFaceException(
                "HNSW finds the most similar templates, not people by the mean of their templates: create the gallery without HNSW, or score people " +
                "by their best template");
        }
    }

    private static UniFaceException CannotEncrypt(PostgresAddress address) => new(
        $"{address}: a gallery on PostgreSQL cannot be encrypted with a key, because the server must read the templates that it searches. " +
        "Leave the key out and encrypt the server's disk, or use a gallery file");

    /// <inheritdoc/>
    /// <remarks>
    /// PostgreSQL keeps the bytes of deleted rows in its files, so the gallery's tables are rewritten (VACUUM FULL). That takes as long as copying
    /// the gallery and, with HNSW, building its graph, and locks the gallery until then. The server's write-ahead log, archives, replicas and
    /// backups hold the bytes until their administrator recycles them.
    /// </remarks>
    public override Task EraseAsync(CancellationToken cancellationToken = default) => new PostgresEraser(store).EraseAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>
    /// The server scores in single precision. Its sum of D products of two vectors, in any order, is within D * 2^-24 of the true inner product
    /// for norms of 1 (Higham, Accuracy and Stability, 3.1). So every person among the exact best k is within twice that of the server's k-th; all
    /// of those are fetched and scored in double precision. With HNSW, only people whom the graph finds are.
    /// </remarks>
    public override Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        Info.EnsureProbes(probes.Span, contractId, people);
        return database.ReadAsync(
            async session =>
            {
                await store.EnsureModelAsync(session, contractId);
                PostgresSearch search = new(store, session, people);
                return await Shortlist.SearchAsync(Info, probes, search.FindAsync);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public override async Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default)
    {
        if (!store.Hnsw)
        {
            throw new UniFaceException(
                $"{Path}: the gallery has no index, because every template is searched; rebuild it with HNSW for an index");
        }

        await database.RunOutsideTransactionAsync([$"REINDEX INDEX CONCURRENTLY {store.Graph}"], cancellationToken).ConfigureAwait(false);
        return (await CountAsync(cancellationToken).ConfigureAwait(false)).Templates;
    }

    /// <summary>
    /// Builds an HNSW graph and searches it from then on; a graph that exists is replaced. After a bulk load this is several times as fast as
    /// inserting into the graph. The gallery can be searched and changed meanwhile. Other open galleries search exactly until they are reopened.
    /// </summary>
    /// <param name="options">Size and effort of the graph; null for pgvector's defaults.</param>
    /// <param name="cancellationToken">Stops it; the gallery is as before then.</param>
    /// <returns>Templates in the graph.</returns>
    /// <exception cref="UniFaceException">People are scored by their mean, the embeddings are too large for pgvector, or the server fails.</exception>
    public async Task<long> BuildGraphAsync(HnswOptions? options = null, CancellationToken cancellationToken = default)
    {
        EnsureScoring(Info);
        PostgresStore.EnsureSize(Info.EmbeddingSize, hnsw: true);
        await PostgresGraph.BuildAsync(store, (options ?? new()).ToSql(), cancellationToken).ConfigureAwait(false);
        return (await CountAsync(cancellationToken).ConfigureAwait(false)).Templates;
    }

    /// <inheritdoc/>
    public override Task<IReadOnlyList<string>> VerifyIntegrityAsync(CancellationToken cancellationToken = default) =>
        database.ReadAsync(FindProblemsAsync, cancellationToken);

    private async Task<IReadOnlyList<string>> FindProblemsAsync(SqlSession session)
    {
        List<string> problems = await IntegrityQueries.FindAsync(
            store,
            session,
            (
                $"SELECT count(*) FROM uniface.gallery WHERE unerased IS NOT NULL AND id = {store.Number}",
                "removals are not erased yet; run 'uniface gallery remove' again"
            ),
            (
                $"SELECT {(store.Hnsw ? 1 : 0)} - count(*) FROM pg_index WHERE indexrelid = to_regclass('{store.Graph}') AND indisvalid",
                "index is missing or not valid; rebuild it with 'uniface gallery rebuild'"
            ));
        problems.AddRange(await session.QueryAsync(
            $"SELECT id, vector_dims(embedding), vector_norm(embedding) FROM {store.Templates} " +
            "WHERE vector_dims(embedding) <> $1 OR NOT abs(vector_norm(embedding) - 1) < $2 ORDER BY id LIMIT $3",
            r => FormattableString.Invariant(
                $"template {r.GetInt64(0)}: {r.GetInt32(1)} values of norm {r.GetDouble(2):G4}, expected {Info.EmbeddingSize} of norm 1"),
            Info.EmbeddingSize,
            GalleryChecks.NormTolerance,
            IntegrityQueries.MaxProblems));
        return [.. problems.Take(IntegrityQueries.MaxProblems)];
    }

    /// <inheritdoc/>
    public override async Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        string? graph = store.Hnsw
            ? await database.ReadAsync(session => PostgresGraph.ReadParametersAsync(store, session), cancellationToken).ConfigureAwait(false)
            : null;
        await base.ReembedAsync(model, progress, cancellationToken).ConfigureAwait(false);
        try
        {
            await EraseAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // If this is killed, the gallery is searched exactly until 'uniface gallery rebuild --hnsw'.
            if (graph is not null && !cancellationToken.IsCancellationRequested)
            {
                await PostgresGraph.BuildAsync(store, graph, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => database.DisposeAsync();

    private static async Task<StoredGallery> OpenAsync(PostgresAddress address, GalleryKey? key, CancellationToken stop) =>
        key is null ? await OpenAsync(address, stop).ConfigureAwait(false) : throw CannotEncrypt(address);
}
