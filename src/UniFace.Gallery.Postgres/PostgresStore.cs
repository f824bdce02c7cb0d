namespace UniFace.Gallery.Postgres;

/// <summary>An open gallery on PostgreSQL: its database, its tables and what the gallery is.</summary>
internal sealed class PostgresStore(PostgresDatabase database, long number, bool hnsw, GalleryInfo info)
{
    private volatile GalleryInfo info = info;

    /// <summary>The database.</summary>
    public PostgresDatabase Database => database;

    /// <summary>Key of the gallery in the database.</summary>
    public long Number => number;

    /// <summary>True if searches use an HNSW graph.</summary>
    public bool Hnsw => hnsw;

    /// <summary>The address, for messages.</summary>
    public string Path => database.Address.ToString();

    /// <summary>What the gallery is; re-embedding changes it.</summary>
    public GalleryInfo Info
    {
        get => info;
        set => info = value;
    }

    /// <summary>Table of people.</summary>
    public string People => Table("person");

    /// <summary>Table of templates.</summary>
    public string Templates => Table("template");

    /// <summary>Table of crops.</summary>
    public string Crops => Table("crop");

    /// <summary>Table of new embeddings while the gallery moves to another model.</summary>
    public string Pending => Table("pending");

    /// <summary>The HNSW graph.</summary>
    public string Graph => Templates + "_hnsw";

    /// <summary>Statements that create the gallery's partitions, without planner statistics: those would keep samples of removed people.</summary>
    public string CreateSql =>
        CreatePartitionSql("person") + CreatePartitionSql("template") + CreatePartitionSql("crop")
        + $"ALTER TABLE {People} ALTER COLUMN name SET STATISTICS 0; "
        + $"ALTER TABLE {Templates} ALTER COLUMN source SET STATISTICS 0, ALTER COLUMN embedding SET STATISTICS 0, ALTER COLUMN photo SET STATISTICS 0; "
        + $"ALTER TABLE {Crops} ALTER COLUMN image SET STATISTICS 0; "
        + SetSizeSql(Info.EmbeddingSize);

    /// <summary>Statements that create the check and the index that depend on the size of the embeddings.</summary>
    public string SetSizeSql(int size) =>
        $"ALTER TABLE {Templates} ADD CONSTRAINT size_{number} CHECK (vector_dims(embedding) = {size});" + (hnsw
            ? $" CREATE INDEX template_{number}_hnsw ON {Templates} USING hnsw ((embedding::halfvec({size})) halfvec_ip_ops);" +
                $" ALTER INDEX {Graph} ALTER COLUMN 1 SET STATISTICS 0;"
            : "");

    /// <summary>Statements that drop them.</summary>
    public string DropSizeSql => $"DROP INDEX IF EXISTS {Graph}; ALTER TABLE {Templates} DROP CONSTRAINT size_{number};";

    /// <summary>Largest embedding that pgvector can store and search.</summary>
    public static int LargestEmbedding(bool hnsw) => hnsw ? 4000 : 16000;

    /// <summary>Fails if another process moved the gallery to another model, or dropped it.</summary>
    /// <param name="session">A transaction.</param>
    /// <param name="contractId">The model that the gallery must be of.</param>
    /// <param name="locking">Locking clause of the query.</param>
    public async Task EnsureModelAsync(PostgresSession session, string contractId, string locking = "")
    {
        string sql = $"SELECT contract FROM uniface.gallery WHERE id = $1 AND uid = $2 {locking}";
        if (await session.ScalarAsync(sql, number, info.Id) as string != contractId)
        {
            throw GalleryMovedException.Create(Path, "moved to another model");
        }
    }

    private string CreatePartitionSql(string table) => $"CREATE TABLE {Table(table)} PARTITION OF uniface.{table} FOR VALUES IN ({number}); ";

    private string Table(string name) => $"uniface.{name}_{number}";
}
