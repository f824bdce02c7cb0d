using System.Collections.Concurrent;
using Pgvector;
using UniFace.Gallery.Index.Kernels;
using UniFace.Gallery.Index.Search;
using UniFace.Gallery.Stores;

namespace UniFace.Gallery.Postgres;

/// <summary>Finds people for a probe: the server preselects templates in single precision, and their scores are computed here.</summary>
internal sealed class PostgresSearch(PostgresStore store, PostgresSession session, int people, ConcurrentDictionary<long, string> damage)
{
    // pgvector's largest hnsw.ef_search.
    private const int LargestBeam = 1000;

    private readonly int size = store.Info.EmbeddingSize;

    // How far below the server's k-th score an exact k-th can be: twice the error of a score for norms up to 1.001, and the rounding of a mean
    // to floats.
    private double Slack => 2 * (size + 4) * Math.Pow(2, -24) * 1.01;

    /// <summary>The best people, best first.</summary>
    public async Task<IReadOnlyList<GalleryCandidate>> FindAsync(ReadOnlyMemory<float> probe)
    {
        BestHits best = new(people, distinctKeys: true);
        Dictionary<long, string> names = [];
        Task<List<(IndexHit Hit, string Name)>> found = store.Info.Scoring == PersonScore.Mean ? FindMeansAsync(probe) : FindTemplatesAsync(probe);
        foreach ((IndexHit hit, string name) in await found)
        {
            best.Add(hit);
            names[hit.Key] = name;
        }

        return [.. best.ToArray().Select(h => new GalleryCandidate(names[h.Key], Math.Clamp(h.Score, -1, 1)))];
    }

    private async Task<List<(IndexHit Hit, string Name)>> FindTemplatesAsync(ReadOnlyMemory<float> probe)
    {
        string distance = store.Hnsw ? $"embedding::halfvec({size}) <#> $1::halfvec({size})" : "embedding <#> $1";
        for (long rows = (4L * people) + 32; ; rows *= 8)
        {
            if (store.Hnsw)
            {
                // The beam must be as wide as the number of rows; beyond its limit pgvector 0.8 continues the scan of the graph.
                await session.RunAsync($"SET LOCAL hnsw.ef_search = {Math.Clamp(rows, 100, LargestBeam)}");
                await session.RunAsync(
                    "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true) " +
                    "WHERE (SELECT string_to_array(extversion, '.')::int[] >= '{0,8}' FROM pg_extension WHERE extname = 'vector')");
            }

            List<(IndexHit Hit, double Served, string Name, bool Valid)> found = await session.QueryAsync(
                $"SELECT t.id, t.person, t.embedding, t.d, p.name FROM (SELECT id, person, embedding, {distance} AS d FROM {store.Templates} " +
                $"ORDER BY {distance} LIMIT $2) t JOIN {store.People} p ON p.id = t.person",
                r =>
                {
                    ReadOnlySpan<float> embedding = r.GetFieldValue<Vector>(2).Memory.Span;
                    bool valid = IsValid(r.GetInt64(0), r.GetString(4), embedding);
                    double score = valid ? ExactScore.Compute(probe.Span, embedding) : 0;
                    return (new IndexHit(r.GetInt64(0), r.GetInt64(1), score), -r.GetDouble(3), r.GetString(4), valid);
                },
                new Vector(probe),
                rows);

            // The best of each person as the server scored it. Nobody who was not fetched scores more than the k-th of them, less the slack.
            double[] best = [.. found.Where(f => f.Valid).GroupBy(f => f.Hit.Key).Select(g => g.Max(f => f.Served)).OrderDescending().Take(people)];
            bool all = found.Count < rows;
            bool enough = best.Length == people && (store.Hnsw || found.Min(f => f.Served) < best[^1] - Slack);
            if (all || enough || (store.Hnsw && rows > LargestBeam))
            {
                return [.. found.Where(f => f.Valid).Select(f => (f.Hit, f.Name))];
            }
        }
    }

    private async Task<List<(IndexHit Hit, string Name)>> FindMeansAsync(ReadOnlyMemory<float> probe)
    {
        List<(long Id, long Person, float[] Embedding, string Name)> rows = await session.QueryAsync(
            $"""
            WITH mean AS MATERIALIZED (
                SELECT person, avg(embedding <#> $1) FILTER (WHERE abs(vector_norm(embedding) - 1) < $4) AS d FROM {store.Templates} GROUP BY person),
                cut AS (SELECT max(d) + $3 AS d FROM (SELECT d FROM mean ORDER BY d LIMIT $2) best)
            SELECT t.id, t.person, t.embedding, p.name
            FROM mean m JOIN cut ON m.d <= cut.d OR m.d IS NULL JOIN {store.Templates} t ON t.person = m.person JOIN {store.People} p ON p.id = m.person
            ORDER BY t.person, t.id
            """,
            r => (r.GetInt64(0), r.GetInt64(1), r.GetFieldValue<Vector>(2).ToArray(), r.GetString(3)),
            new Vector(probe),
            people,
            Slack,
            GalleryChecks.NormTolerance);

        // The mean of the cosines is the inner product with the mean of the templates.
        return
        [
            .. rows.Where(r => IsValid(r.Id, r.Name, r.Embedding)).GroupBy(r => (r.Person, r.Name), r => r.Embedding).Select(person =>
            {
                double score = ExactScore.Compute(probe.Span, MeanTemplate.Compute([.. person]));
                return (new IndexHit(person.Key.Person, person.Key.Person, score), person.Key.Name);
            }),
        ];
    }

    // A template with a large norm would score above everybody.
    private bool IsValid(long id, string person, ReadOnlySpan<float> embedding)
    {
        bool valid = store.Info.IsValid(embedding);
        if (!valid)
        {
            damage[id] = GalleryChecks.DescribeDamage(person, id, GalleryChecks.DescribeNorm(embedding));
        }

        return valid;
    }
}
