using System.Data.Common;

namespace UniFace.Gallery.Postgres;

/// <summary>An open gallery on PostgreSQL: its database and its tables.</summary>
internal sealed class PostgresStore(PostgresDatabase database, long number, bool hnsw, GalleryInfo info) : SqlStore(info)
{
    /// <summary>Values in the largest embedding that pgvector can store.</summary>
    public const int MaxSize = 16000;

    private const int MaxIndexedSize = 4000;

    /// <inheritdoc/>
    public override PostgresDatabase Database => database;

    /// <summary>Key of the gallery in the database.</summary>
    public long Number => number;

    /// <summary>True if searches use an HNSW graph.</summary>
    public bool Hnsw { get; set; } = hnsw;

    /// <inheritdoc/>
    public override string Path => database.Address.ToString();

    /// <summary>The HNSW graph.</summary>
    public string Graph => Templates + "_hnsw";

    /// <inheritdoc/>
    public override string KeyColumn => "name";

    /// <inheritdoc/>
    public override string EnrolledSql => "enrolled";

    /// <inheritdoc/>
    public override string Scope(string alias = "") => $"{alias}gallery = {number} AND ";

    /// <inheritdoc/>
    public override string LockRowsSql => "FOR UPDATE";

    /// <inheritdoc/>
    public override string InsertPendingSql =>
        $"INSERT INTO {Pending} SELECT gallery, id, $2 FROM {Templates} WHERE {Scope()}id = $1 FOR KEY SHARE ON CONFLICT DO NOTHING";

    /// <summary>Statements that create the gallery's partitions.</summary>
    public string CreateSql => PostgresDatabase.ReadGallerySql(number) + SetSizeSql(Info.EmbeddingSize);

    /// <summary>Fails if pgvector cannot store and search embeddings of a size.</summary>
    public static void EnsureSize(int size, bool hnsw)
    {
        int largest = hnsw ? MaxIndexedSize : MaxSize;
        if (size < 1 || size > largest)
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"pgvector supports embeddings of at most {largest:N0} values{(hnsw ? " with HNSW" : "")}, the model's have {size}"));
        }
    }

    /// <inheritdoc/>
    /// <remarks>PostgreSQL's text cannot contain a NUL character, so no person has such a name.</remarks>
    public override object? ToKey(string person) => person.Contains('\0', StringComparison.Ordinal) ? null : person;

    /// <inheritdoc/>
    public override object ToTime(DateTimeOffset time) => time.ToUniversalTime();

    /// <inheritdoc/>
    public override object SealEmbedding(long template, long person, ReadOnlyMemory<float> embedding) => new Vector(embedding);

    /// <inheritdoc/>
    public override float[] ReadEmbedding(DbDataReader row) => ((Vector)row["embedding"]).ToArray();

    /// <inheritdoc/>
    public override async Task EnsureModelAsync(SqlSession session, string contractId, GalleryLock locking = GalleryLock.None)
    {
        string clause = locking switch { GalleryLock.All => "FOR UPDATE", GalleryLock.Model => "FOR SHARE", _ => "" };
        string sql = $"SELECT contract FROM uniface.gallery WHERE id = $1 AND uid = $2 {clause}";
        if (await session.ScalarAsync(sql, number, Info.Id) as string != contractId)
        {
            throw new GalleryChangedException(Path, "moved to another model");
        }

        if (locking == GalleryLock.All)
        {
            await session.RunAsync($"LOCK TABLE {Templates} IN SHARE ROW EXCLUSIVE MODE");
        }
    }

    /// <inheritdoc/>
    public override async Task<Dictionary<string, long>> AddPeopleAsync(SqlSession session, string[] names)
    {
        while (true)
        {
            // Ordered by name, so that two processes that enroll the same people lock them in the same order.
            Dictionary<string, long> found = (await session.QueryAsync(
                $"SELECT name, id FROM {People} WHERE {Scope()}name = ANY($1) ORDER BY name COLLATE \"C\" FOR NO KEY UPDATE",
                r => (r.GetString(0), r.GetInt64(1)),
                [names])).ToDictionary();
            string[] missing = [.. names.Where(n => !found.ContainsKey(n))];
            if (missing.Length == 0)
            {
                return found;
            }

            List<long> ids = await NextIdsAsync(session, "person", missing.Length);
            await session.RunAsync(
                $"INSERT INTO {People}(gallery, id, name) SELECT $1, u.id, u.name FROM unnest($2, $3) u(id, name) " +
                "ORDER BY u.name COLLATE \"C\" ON CONFLICT (gallery, name) DO NOTHING",
                number,
                ids.ToArray(),
                missing);
        }
    }

    /// <inheritdoc/>
    public override Task<List<long>> NextIdsAsync(SqlSession session, int count) => NextIdsAsync(session, "template", count);

    /// <inheritdoc/>
    public override async Task InsertAsync(SqlSession session, IReadOnlyList<NewTemplate> templates)
    {
        if (templates.Any(t => t.Enrollment.Source?.Contains('\0', StringComparison.Ordinal) == true))
        {
            throw new UniFaceException("PostgreSQL cannot store a source with a NUL character; remove the character");
        }

        string copy = $"COPY {Templates}(gallery, id, person, source, embedding, photo) FROM STDIN (FORMAT BINARY)";
        NpgsqlBinaryImporter rows = await ((NpgsqlConnection)session.Connection).BeginBinaryImportAsync(copy, session.Stop);
        await using (rows)
        {
            foreach ((long id, long person, Enrollment enrollment) in templates)
            {
                byte[]? photo = SealPhoto(id, person, enrollment.PhotoSha256);
                await rows.WriteRowAsync(session.Stop, number, id, person, enrollment.Source, new Vector(enrollment.Embedding), photo);
            }

            await rows.CompleteAsync(session.Stop);
        }

        if (Info.KeepsCrops)
        {
            await session.RunEachAsync(
                $"INSERT INTO {Crops}(gallery, template, image) VALUES($1, $2, $3)",
                templates.ToAsyncEnumerable().Select(object?[] (t) => [number, t.Id, t.Enrollment.Crop.ToArray()]));
        }
    }

    /// <inheritdoc/>
    public override async Task DeletePersonAsync(SqlSession session, long person)
    {
        await session.RunAsync($"DELETE FROM {Crops} c USING {Templates} t WHERE {Scope("t.")}t.person = $1 AND {Scope("c.")}c.template = t.id", person);
        await session.RunAsync($"DELETE FROM {Templates} WHERE {Scope()}person = $1", person);
        await session.RunAsync($"DELETE FROM {People} WHERE {Scope()}id = $1", person);
        await session.RunAsync("UPDATE uniface.gallery SET unerased = pg_current_xact_id() WHERE id = $1", number);
        Damage.Clear(); // The next search finds the remaining damage.
    }

    /// <inheritdoc/>
    public override async Task BeginMoveAsync(SqlSession session, GalleryModel model)
    {
        EnsureSize(model.EmbeddingSize, Hnsw);
        if (await session.ScalarAsync("SELECT reembed FROM uniface.gallery WHERE id = $1", number) as string != model.ContractId)
        {
            // The new embedding is deleted with its template when its person is removed.
            await session.RunAsync($"DROP TABLE IF EXISTS {Pending}");
            await session.RunAsync(
                $"CREATE TABLE {Pending}(gallery bigint NOT NULL, template bigint PRIMARY KEY, embedding vector NOT NULL, " +
                $"FOREIGN KEY (gallery, template) REFERENCES {Templates}(gallery, id) ON DELETE CASCADE)");
            await session.RunAsync("UPDATE uniface.gallery SET reembed = $2 WHERE id = $1", number, model.ContractId);
        }
    }

    /// <inheritdoc/>
    public override async Task MoveAsync(SqlSession session, GalleryInfo after)
    {
        // A graph built in this transaction would index the old embeddings too, whose size it refuses; PostgresGallery builds it afterwards.
        Hnsw = false;
        await session.RunAsync(
            $"DROP INDEX IF EXISTS {Graph}; ALTER TABLE {Templates} DROP CONSTRAINT size_{number}; "
            + $"UPDATE {Templates} t SET embedding = p.embedding FROM {Pending} p WHERE p.template = t.id; "
            + $"DROP TABLE {Pending}; "
            + SetSizeSql(after.EmbeddingSize));
        await session.RunAsync(
            "UPDATE uniface.gallery SET contract = $2, embedding_size = $3, package = $4, reembed = NULL, hnsw = false, " +
            "unerased = pg_current_xact_id() WHERE id = $1",
            number,
            after.ContractId,
            after.EmbeddingSize,
            after.Package);
    }

    /// <inheritdoc/>
    protected override string NameSql => "p.name";

    /// <inheritdoc/>
    protected override string Table(string name) => $"uniface.{name}_{number}";

    private static Task<List<long>> NextIdsAsync(SqlSession session, string table, int count) =>
        session.QueryAsync($"SELECT nextval('uniface.{table}_id') FROM generate_series(1, $1)", r => r.GetInt64(0), count);

    // Statements that create the check and the index that depend on the size of the embeddings.
    private string SetSizeSql(int size) =>
        $"ALTER TABLE {Templates} ADD CONSTRAINT size_{number} CHECK (vector_dims(embedding) = {size});"
        + (Hnsw ? string.Join(';', PostgresGraph.CreateSql(this, $"template_{number}_hnsw", size, "")) : "");
}
