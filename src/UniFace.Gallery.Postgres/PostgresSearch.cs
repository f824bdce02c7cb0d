using UniFace.Gallery.Index.Kernels;

namespace UniFace.Gallery.Postgres;

/// <summary>Finds people for a probe: the server preselects templates in single precision, and their scores are computed here.</summary>
internal sealed class PostgresSearch(PostgresStore store, SqlSession session, int people)
{
    private readonly int size = store.Info.EmbeddingSize;

    // Twice the server's error of a score for norms up to 1.001, and the rounding of a mean to floats.
    private double Slack => 2 * (size + 4) * Math.Pow(2, -24) * 1.01;

    /// <summary>The best people, best first.</summary>
    public Task<IReadOnlyList<GalleryCandidate>> FindAsync(ReadOnlyMemory<float> probe) => (store.Info.Scoring, store.Hnsw) switch
    {
        (PersonScore.Mean, _) => FindMeansAsync(probe),

        // What the graph finds is enough; only the number of people counts.
        (_, true) => Shortlist.FindAsync(people, double.NegativeInfinity, 8 * PostgresAddress.MaxEfSearch, count => RequestAsync(probe, count)),
        _ => Shortlist.FindAsync(people, Slack, int.MaxValue, count => RequestAsync(probe, count)),
    };

    private async Task<(int Returned, IReadOnlyList<ScoredTemplate> Valid)> RequestAsync(ReadOnlyMemory<float> probe, int count)
    {
        string distance = "embedding <#> $1";
        if (store.Hnsw)
        {
            distance = $"embedding::halfvec({size}) <#> $1::halfvec({size})";

            // The beam must be as wide as the number of rows; beyond its limit pgvector 0.8 continues the scan of the graph.
            await session.RunAsync($"SET LOCAL hnsw.ef_search = {Math.Clamp(count, store.Database.Address.EfSearch, PostgresAddress.MaxEfSearch)}");
            await session.RunAsync(
                "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true) " +
                "WHERE (SELECT string_to_array(extversion, '.')::int[] >= '{0,8}' FROM pg_extension WHERE extname = 'vector')");
        }

        List<ScoredTemplate?> found = await session.QueryAsync(
            $"SELECT t.id, p.name, t.embedding FROM (SELECT id, person, embedding FROM {store.Templates} ORDER BY {distance} LIMIT $2) t " +
            $"JOIN {store.People} p ON {store.Scope("p.")}p.id = t.person",
            r => Shortlist.Score(store.Info, r.GetString(1), r.GetInt64(0), r.GetFieldValue<Vector>(2).Memory.Span, probe.Span, store.Damage),
            new Vector(probe),
            count);
        return (found.Count, [.. found.OfType<ScoredTemplate>()]);
    }

    private async Task<IReadOnlyList<GalleryCandidate>> FindMeansAsync(ReadOnlyMemory<float> probe)
    {
        List<(ScoredTemplate? Valid, long Person, string Name, float[] Embedding)> rows = await session.QueryAsync(
            $"""
            WITH mean AS MATERIALIZED (
                SELECT person, avg(embedding <#> $1) FILTER (WHERE abs(vector_norm(embedding) - 1) < $4) AS d FROM {store.Templates} GROUP BY person),
                cut AS (SELECT max(d) + $3 AS d FROM (SELECT d FROM mean ORDER BY d LIMIT $2) best)
            SELECT t.id, t.person, p.name, t.embedding
            FROM mean m JOIN cut ON m.d <= cut.d OR m.d IS NULL
                JOIN {store.Templates} t ON {store.Scope("t.")}t.person = m.person JOIN {store.People} p ON {store.Scope("p.")}p.id = m.person
            ORDER BY t.person, t.id
            """,
            r =>
            {
                float[] embedding = r.GetFieldValue<Vector>(3).ToArray();
                ScoredTemplate? valid = Shortlist.Score(store.Info, r.GetString(2), r.GetInt64(0), embedding, probe.Span, store.Damage);
                return (valid, r.GetInt64(1), r.GetString(2), embedding);
            },
            new Vector(probe),
            people,
            Slack,
            GalleryChecks.NormTolerance);

        // The mean of the cosines is the inner product with the mean of the templates.
        return Shortlist.Rank(
            rows.Where(r => r.Valid is not null).GroupBy(r => (r.Person, r.Name), r => r.Embedding).Select(person => new ScoredTemplate(
                person.Key.Name, person.Key.Person, ExactScore.Compute(probe.Span, MeanTemplate.Compute([.. person])))),
            people);
    }
}
