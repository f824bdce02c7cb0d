namespace UniFace.Gallery.Postgres;

/// <summary>Parameters of an HNSW graph (Malkov and Yashunin, 2018). The defaults are pgvector's.</summary>
internal sealed record HnswOptions
{
    /// <summary>Neighbors per template and layer, 2 to 100; twice as many in the bottom layer.</summary>
    public int M { get; init; } = 16;

    /// <summary>Candidates that an insertion keeps, 4 to 1,000 and at least 2 <see cref="M"/>.</summary>
    public int EfConstruction { get; init; } = 64;

    /// <summary>The parameters in SQL.</summary>
    /// <exception cref="UniFaceException">A parameter is out of its range.</exception>
    public string ToSql() => M is < 2 or > 100 ? throw new UniFaceException(Invariant($"m of an HNSW graph is {M}; expected 2 to 100"))
        : EfConstruction < 2 * M || EfConstruction is < 4 or > 1000
            ? throw new UniFaceException(Invariant($"ef_construction of an HNSW graph is {EfConstruction}; expected at least 2 m = {2 * M}, 4 to 1000"))
        : Invariant($"WITH (m = {M}, ef_construction = {EfConstruction})");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

/// <summary>The HNSW graph of a gallery: an index of half-precision copies of the embeddings.</summary>
internal static class PostgresGraph
{
    /// <summary>Statements that create the graph, without planner statistics: those would keep samples of removed people.</summary>
    public static string[] CreateSql(PostgresStore store, string name, int size, string parameters, string concurrently = "") =>
    [
        $"CREATE INDEX {concurrently} {name} ON {store.Templates} USING hnsw ((embedding::halfvec({size})) halfvec_ip_ops) {parameters}",
        $"ALTER INDEX uniface.{name} ALTER COLUMN 1 SET STATISTICS 0",
    ];

    /// <summary>The parameters of the existing graph in SQL; empty if there is none, or if it has the defaults.</summary>
    public static async Task<string> ReadParametersAsync(PostgresStore store, SqlSession session) => await session.ScalarAsync(
        $"SELECT 'WITH (' || array_to_string(reloptions, ', ') || ')' FROM pg_class WHERE oid = to_regclass('{store.Graph}')") as string ?? "";

    /// <summary>Builds a graph beside the existing one, if there is one, and replaces it.</summary>
    /// <param name="store">The gallery.</param>
    /// <param name="parameters">Parameters in SQL.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task BuildAsync(PostgresStore store, string parameters, CancellationToken stop)
    {
        string name = $"template_{store.Number}_hnsw", building = name + "_building";
        string[] create = CreateSql(store, building, store.Info.EmbeddingSize, parameters, "CONCURRENTLY");

        // What a stopped build left is not valid.
        await store.Database.RunOutsideTransactionAsync([$"DROP INDEX IF EXISTS uniface.{building}", .. create], stop).ConfigureAwait(false);
        await store.Database.WriteAsync(
            async session =>
            {
                await store.EnsureModelAsync(session, store.Info.ContractId, GalleryLock.Model);
                await session.RunAsync($"DROP INDEX IF EXISTS {store.Graph}");
                await session.RunAsync($"ALTER INDEX uniface.{building} RENAME TO {name}");
                await session.RunAsync("UPDATE uniface.gallery SET hnsw = true WHERE id = $1", store.Number);
            },
            stop).ConfigureAwait(false);
        store.Hnsw = true;
    }
}
