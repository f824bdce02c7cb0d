using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;
using Pgvector;

namespace UniFace.Gallery.Postgres;

/// <summary>
/// A gallery in a PostgreSQL database with pgvector, for those who outgrow one machine: any number of processes on any number of
/// machines write and search it at once. Nothing of its content is kept in the client, each answer is of one state of the database, and
/// the database's own constraints decide races. The server searches: every template, with the answers of the exact index, or by option
/// over a HNSW graph of half-precision copies, which is faster on large galleries and may miss somebody.
/// </summary>
/// <remarks>
/// It cannot be encrypted by a key of the client: a vector that the server compares is one it can read. Encrypt the server's disk.
/// </remarks>
public sealed partial class PostgresGallery : IStoredGallery
{
    private static readonly string[] Tables = ["person", "template", "crop"];

    private readonly PostgresDatabase database;
    private readonly long number;
    private readonly bool hnsw;
    private readonly ConcurrentDictionary<long, string> damage = [];
    private volatile GalleryInfo info;

    private PostgresGallery(PostgresDatabase database, long number, GalleryInfo info, bool hnsw)
    {
        this.database = database;
        this.number = number;
        this.info = info;
        this.hnsw = hnsw;
    }

    /// <inheritdoc/>
    public GalleryInfo Info => info;

    /// <inheritdoc/>
    public string Path => database.Address.ToString();

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Damage => [.. damage.OrderBy(d => d.Key).Select(d => d.Value)];

    /// <summary>True where a HNSW graph is searched, so that an answer may miss somebody; false for exact answers.</summary>
    public bool IsApproximate => hnsw;

    private string People => string.Create(CultureInfo.InvariantCulture, $"uniface.person_{number}");

    private string Templates => string.Create(CultureInfo.InvariantCulture, $"uniface.template_{number}");

    private string Crops => string.Create(CultureInfo.InvariantCulture, $"uniface.crop_{number}");

    /// <summary>Makes an empty gallery, and the tables where the database has none yet.</summary>
    /// <param name="address">Where, and its name.</param>
    /// <param name="options">What it is; <see cref="GalleryInfo.Id"/> is set here, <see cref="GalleryInfo.Encrypted"/> must be false.</param>
    /// <param name="hnsw">To search a HNSW graph instead of every template.</param>
    /// <param name="cancellationToken">Stops it; nothing is made then.</param>
    /// <exception cref="UniFaceException">The name is taken; it is to be encrypted; mean scores or more than 4,000 values with HNSW; or the server fails.</exception>
    public static async Task CreateAsync(PostgresAddress address, GalleryInfo options, bool hnsw = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(options.ContractId);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EmbeddingSize, 1);
        if (options.Encrypted)
        {
            throw NotEncrypted(address);
        }

        if (hnsw && options.Scoring == PersonScore.Mean)
        {
            throw new UniFaceException("HNSW finds the most alike templates, not people by the mean of theirs: leave out --hnsw, or score people by their best template.");
        }

        if (options.EmbeddingSize > (hnsw ? 4000 : 16000))
        {
            throw new UniFaceException($"pgvector takes embeddings of at most {(hnsw ? "4,000 values with HNSW" : "16,000 values")}, the model's have {options.EmbeddingSize}.");
        }

        await PostgresDatabase.EnsureSchemaAsync(address, cancellationToken).ConfigureAwait(false);
        PostgresDatabase database = PostgresDatabase.Open(address);
        await using (database.ConfigureAwait(false))
        {
            try
            {
                await database.WriteAsync(
                    async connection =>
                    {
                        long number = (long)(await PostgresDatabase.ScalarAsync(
                            connection,
                            "INSERT INTO uniface.gallery(format, uid, name, contract, embedding_size, scoring, keeps_crops, hnsw, package) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
                            cancellationToken,
                            PostgresDatabase.Format,
                            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
                            address.Gallery,
                            options.ContractId,
                            options.EmbeddingSize,
                            options.Scoring.ToString(),
                            options.KeepsCrops,
                            hnsw,
                            options.Package).ConfigureAwait(false))!;
                        foreach (string table in Tables)
                        {
                            await PostgresDatabase.RunAsync(connection, string.Create(CultureInfo.InvariantCulture, $"CREATE TABLE uniface.{table}_{number} PARTITION OF uniface.{table} FOR VALUES IN ({number})"), cancellationToken).ConfigureAwait(false);
                        }

                        await PostgresDatabase.RunAsync(connection, NoSamplesSql(number) + SizeSql(number, options.EmbeddingSize, hnsw), cancellationToken).ConfigureAwait(false);
                        return 0;
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
    /// <param name="address">Where, and its name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="UniFaceException">The server, the database or the gallery is not there, or it is of another version.</exception>
    public static async Task<PostgresGallery> OpenAsync(PostgresAddress address, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        PostgresDatabase database = PostgresDatabase.Open(address);
        try
        {
            PostgresGallery gallery = await database.ReadAsync(
                async connection =>
                {
                    if (await PostgresDatabase.ScalarAsync(connection, "SELECT to_regclass('uniface.gallery')::text", cancellationToken).ConfigureAwait(false) is null)
                    {
                        throw new UniFaceException($"{address}: the database holds no galleries; 'uniface gallery create' makes one, or the address names another database than meant.");
                    }

                    List<(long, bool, GalleryInfo)> found = await PostgresDatabase.RowsAsync(
                        connection,
                        "SELECT id, hnsw, format, uid, contract, embedding_size, scoring, keeps_crops, package FROM uniface.gallery WHERE name = $1",
                        r => (r.GetInt64(0), r.GetBoolean(1), ReadInfo(r, address)),
                        cancellationToken,
                        address.Gallery).ConfigureAwait(false);
                    return found is [(long number, bool hnsw, GalleryInfo info)]
                        ? new PostgresGallery(database, number, info, hnsw)
                        : throw new UniFaceException($"{address}: no such gallery; 'uniface gallery create' makes one.");
                },
                cancellationToken).ConfigureAwait(false);
            await AddColumnsAsync(database, cancellationToken).ConfigureAwait(false);
            return gallery;
        }
        catch
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The error of a gallery that is to be encrypted.</summary>
    public static UniFaceException NotEncrypted(PostgresAddress address) =>
        new($"{address}: a gallery on PostgreSQL cannot be encrypted with a key: the server searches the templates, so it must read them. Leave the key out and encrypt the server's disk, or use a gallery file.");

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> EnrollAsync(IReadOnlyList<Enrolment> enrolments, string contractId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(enrolments);
        info.EnsureEnrolments(enrolments, contractId);
        foreach (Enrolment enrolment in enrolments)
        {
            if (enrolment.Source?.Contains('\0', StringComparison.Ordinal) == true)
            {
                throw new UniFaceException("PostgreSQL holds no source with a zero character; leave it out.");
            }
        }

        return database.WriteAsync<IReadOnlyList<long>>(
            async connection =>
            {
                await EnsureModelAsync(connection, contractId, "FOR SHARE", cancellationToken).ConfigureAwait(false);
                Dictionary<string, long> people = await AddPeopleAsync(connection, [.. enrolments.Select(e => e.Person).Distinct()], cancellationToken).ConfigureAwait(false);
                List<long> ids = await NextIdsAsync(connection, "template", enrolments.Count, cancellationToken).ConfigureAwait(false);
                int[] added = await NewPhotosAsync(connection, enrolments, people, ids, cancellationToken).ConfigureAwait(false);
                NpgsqlBinaryImporter rows = await connection.BeginBinaryImportAsync($"COPY {Templates}(gallery, id, person, source, embedding, photo) FROM STDIN (FORMAT BINARY)", cancellationToken).ConfigureAwait(false);
                await using (rows.ConfigureAwait(false))
                {
                    foreach (int i in added)
                    {
                        await rows.StartRowAsync(cancellationToken).ConfigureAwait(false);
                        await rows.WriteAsync(number, NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                        await rows.WriteAsync(ids[i], NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                        await rows.WriteAsync(people[enrolments[i].Person], NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                        await (enrolments[i].Source is string source ? rows.WriteAsync(source, NpgsqlDbType.Text, cancellationToken) : rows.WriteNullAsync(cancellationToken)).ConfigureAwait(false);
                        await rows.WriteAsync(new Vector(enrolments[i].Embedding), "vector", cancellationToken).ConfigureAwait(false);
                        await (enrolments[i].PhotoSha256 is string photo ? rows.WriteAsync(Convert.FromHexString(photo), NpgsqlDbType.Bytea, cancellationToken) : rows.WriteNullAsync(cancellationToken)).ConfigureAwait(false);
                    }

                    await rows.CompleteAsync(cancellationToken).ConfigureAwait(false);
                }

                foreach (int i in info.KeepsCrops ? added : [])
                {
                    await PostgresDatabase.RunAsync(connection, $"INSERT INTO {Crops}(gallery, template, image) VALUES($1, $2, $3)", cancellationToken, number, ids[i], enrolments[i].Crop.ToArray()).ConfigureAwait(false);
                }

                return ids;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<GalleryPerson> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        const int Page = 1000;
        long last = 0;
        List<(long Id, GalleryPerson Person)> page;
        do
        {
            page = await database.ReadAsync(
                connection => PostgresDatabase.RowsAsync(
                    connection,
                    $"SELECT id, name, (SELECT count(*) FROM {Templates} WHERE person = p.id)::int FROM {People} p WHERE id > $1 ORDER BY id LIMIT $2",
                    r => (r.GetInt64(0), new GalleryPerson(r.GetString(1), r.GetInt32(2))),
                    cancellationToken,
                    last,
                    Page),
                cancellationToken).ConfigureAwait(false);
            foreach ((long id, GalleryPerson person) in page)
            {
                last = id;
                yield return person;
            }
        }
        while (page.Count == Page);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<long, string?>> PhotosOfAsync(string person, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyDictionary<long, string?>>(
        async connection => (await PostgresDatabase.RowsAsync(
            connection,
            $"SELECT t.id, t.photo FROM {Templates} t JOIN {People} p ON p.id = t.person WHERE p.name = $1",
            r => (r.GetInt64(0), r.IsDBNull(1) ? null : Convert.ToHexStringLower(r.GetFieldValue<byte[]>(1))),
            cancellationToken,
            person).ConfigureAwait(false)).ToDictionary(),
        cancellationToken);

    /// <inheritdoc/>
    public Task EnsureUnmovedAsync(CancellationToken cancellationToken = default) => database.ReadAsync(
        async connection =>
        {
            await EnsureModelAsync(connection, info.ContractId, "", cancellationToken).ConfigureAwait(false);
            return 0;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<GalleryCounts> CountAsync(CancellationToken cancellationToken = default) => database.ReadAsync(
        async connection => (await PostgresDatabase.RowsAsync(
            connection,
            $"SELECT (SELECT count(*) FROM {People}), (SELECT count(*) FROM {Templates})",
            r => new GalleryCounts(r.GetInt64(0), r.GetInt64(1)),
            cancellationToken).ConfigureAwait(false))[0],
        cancellationToken);

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => database.DisposeAsync();

    // What depends on the size of the embeddings. No statistics of an index, see below.
    private static string SizeSql(long number, int size, bool hnsw) => string.Create(
        CultureInfo.InvariantCulture,
        $"ALTER TABLE uniface.template_{number} ADD CONSTRAINT size_{number} CHECK (vector_dims(embedding) = {size});{(hnsw ? $" CREATE INDEX template_{number}_hnsw ON uniface.template_{number} USING hnsw ((embedding::halfvec({size})) halfvec_ip_ops); ALTER INDEX uniface.template_{number}_hnsw ALTER COLUMN 1 SET STATISTICS 0;" : "")}");

    // The planner's statistics keep samples of what is in a column, and would keep them of a person who was removed.
    private static string NoSamplesSql(long number) => string.Create(
        CultureInfo.InvariantCulture,
        $"ALTER TABLE uniface.person_{number} ALTER COLUMN name SET STATISTICS 0; ALTER TABLE uniface.template_{number} ALTER COLUMN source SET STATISTICS 0, ALTER COLUMN embedding SET STATISTICS 0, ALTER COLUMN photo SET STATISTICS 0; ALTER TABLE uniface.crop_{number} ALTER COLUMN image SET STATISTICS 0;");

    private static GalleryInfo ReadInfo(NpgsqlDataReader row, PostgresAddress address)
    {
        int format = row.GetInt32(2), size = row.GetInt32(5);
        if (format != PostgresDatabase.Format)
        {
            throw new UniFaceException($"{address}: a gallery of format {format}, this version reads {PostgresDatabase.Format}: use the UniFace that wrote it.");
        }

        return new GalleryInfo
        {
            Id = row.GetString(3),
            ContractId = row.GetString(4),
            EmbeddingSize = size is >= 1 and <= 16000 ? size : throw new UniFaceException($"{address}: embeddings of {size} values: the gallery is damaged; restore it from a copy."),
            Scoring = Enum.TryParse(row.GetString(6), out PersonScore scoring) ? scoring : throw new UniFaceException($"{address}: an unknown kind of score: use the UniFace that wrote the gallery."),
            KeepsCrops = row.GetBoolean(7),
            Package = row.IsDBNull(8) ? null : row.GetString(8),
        };
    }

    private static async Task<List<long>> NextIdsAsync(NpgsqlConnection connection, string of, int count, CancellationToken stop) =>
        await PostgresDatabase.RowsAsync(connection, $"SELECT nextval('uniface.{of}_id') FROM generate_series(1, $1)", r => r.GetInt64(0), stop, count).ConfigureAwait(false);

    private async Task<PersonPhotos> PhotosAsync(NpgsqlConnection connection, long person, CancellationToken stop) => new(await PostgresDatabase.RowsAsync(
        connection,
        $"SELECT id, photo, CASE WHEN photo IS NULL THEN embedding END FROM {Templates} WHERE person = $1 ORDER BY id",
        r => (r.GetInt64(0), r.IsDBNull(1) ? null : Convert.ToHexStringLower(r.GetFieldValue<byte[]>(1)), r.IsDBNull(2) ? null : r.GetFieldValue<Vector>(2).ToArray()),
        stop,
        person).ConfigureAwait(false));

    // Indices of the enrolments whose photo is new. The others get the id of the template that is there; the people's rows are locked, so nobody
    // adds one meanwhile.
    private async Task<int[]> NewPhotosAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Enrolment> enrolments,
        Dictionary<string, long> people,
        List<long> ids,
        CancellationToken stop)
    {
        Dictionary<string, PersonPhotos> photos = [];
        List<int> added = [];
        for (int i = 0; i < enrolments.Count; i++)
        {
            if (enrolments[i] is { PhotoSha256: string sha256, Person: string person })
            {
                PersonPhotos known = photos.TryGetValue(person, out PersonPhotos? read)
                    ? read
                    : photos[person] = await PhotosAsync(connection, people[person], stop).ConfigureAwait(false);
                if (known.Find(enrolments[i], out bool recognised) is long existing)
                {
                    ids[i] = existing;
                    if (recognised)
                    {
                        string sql = $"UPDATE {Templates} SET photo = $2 WHERE id = $1";
                        await PostgresDatabase.RunAsync(connection, sql, stop, existing, Convert.FromHexString(sha256)).ConfigureAwait(false);
                    }

                    continue;
                }

                known.Add(enrolments[i], ids[i]);
            }

            added.Add(i);
        }

        return [.. added];
    }

    // Ids of people by name, in the order given, whoever else enrols or removes them now; they stay until this transaction ends.
    private async Task<Dictionary<string, long>> AddPeopleAsync(NpgsqlConnection connection, string[] names, CancellationToken stop)
    {
        Dictionary<string, long> found = [];
        while (true)
        {
            // By name, so that two who enrol the same people wait for each other in one order.
            foreach ((string name, long id) in await PostgresDatabase.RowsAsync(
                connection,
                $"SELECT name, id FROM {People} WHERE name = ANY($1) ORDER BY name COLLATE \"C\" FOR NO KEY UPDATE",
                r => (r.GetString(0), r.GetInt64(1)),
                stop,
                [names]).ConfigureAwait(false))
            {
                found[name] = id;
            }

            string[] missing = [.. names.Where(n => !found.ContainsKey(n))];
            if (missing.Length == 0)
            {
                return found;
            }

            List<long> ids = await NextIdsAsync(connection, "person", missing.Length, stop).ConfigureAwait(false);
            await PostgresDatabase.RunAsync(
                connection,
                $"INSERT INTO {People}(gallery, id, name) SELECT $1, u.id, u.name FROM unnest($2, $3) u(id, name) ORDER BY u.name COLLATE \"C\" ON CONFLICT (gallery, name) DO NOTHING",
                stop,
                number,
                ids.ToArray(),
                missing).ConfigureAwait(false);
        }
    }

    // Another process may have moved the gallery to another model meanwhile, or dropped it.
    private async Task EnsureModelAsync(NpgsqlConnection connection, string contractId, string locking, CancellationToken stop)
    {
        if (await PostgresDatabase.ScalarAsync(connection, $"SELECT contract FROM uniface.gallery WHERE id = $1 AND uid = $2 {locking}", stop, number, info.Id).ConfigureAwait(false) as string != contractId)
        {
            throw GalleryMovedException.Of(Path, "moved to another model");
        }
    }
}
