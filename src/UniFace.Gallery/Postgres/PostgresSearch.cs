using System.Globalization;
using Npgsql;
using Pgvector;
using UniFace.Gallery.Index;

namespace UniFace.Gallery.Postgres;

/// <summary>Searching on the server, scored here.</summary>
public sealed partial class PostgresGallery
{
    // pgvector's largest hnsw.ef_search.
    private const int LargestBeam = 1000;

    /// <inheritdoc/>
    /// <remarks>
    /// The server scores in single precision. Its sum of D products of two vectors, in any order, is within D * 2^-24 of the true
    /// inner product for norms of 1 (Higham, Accuracy and Stability, 3.1); so whoever is among the best k exactly is within twice that of
    /// the server's k-th, and all of those are fetched and scored by <see cref="ExactScore"/>. With HNSW only what its graph finds is.
    /// </remarks>
    public async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(ReadOnlyMemory<float> probes, string contractId, int people, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(people, 1);
        info.EnsureProbes(probes.Span, contractId);
        int size = info.EmbeddingSize;
        return await database.ReadAsync<IReadOnlyList<IReadOnlyList<GalleryCandidate>>>(
            async connection =>
            {
                await EnsureModelAsync(connection, contractId, "", cancellationToken).ConfigureAwait(false);
                List<IReadOnlyList<GalleryCandidate>> answers = [];
                for (int at = 0; at < probes.Length; at += size)
                {
                    ReadOnlyMemory<float> probe = probes.Slice(at, size);
                    BestHits best = new(people, distinctKeys: true);
                    Dictionary<long, string> names = [];
                    foreach ((IndexHit hit, string name) in info.Scoring == PersonScore.Mean
                        ? await MeansAsync(connection, probe, people, cancellationToken).ConfigureAwait(false)
                        : await TemplatesAsync(connection, probe, people, cancellationToken).ConfigureAwait(false))
                    {
                        best.Add(hit);
                        names[hit.Key] = name;
                    }

                    answers.Add([.. best.ToArray().Select(h => new GalleryCandidate(names[h.Key], Math.Clamp(h.Score, -1, 1)))]);
                }

                return answers;
            },
            cancellationToken).ConfigureAwait(false);
    }

    // How far below the server's k-th score an exact k-th can be: twice the error of a score, norms being up to 1.001, and what
    // rounding a mean to floats adds.
    private double Slack => 2 * (info.EmbeddingSize + 4) * Math.Pow(2, -24) * 1.01;

    private async Task<List<(IndexHit Hit, string Name)>> TemplatesAsync(NpgsqlConnection connection, ReadOnlyMemory<float> probe, int people, CancellationToken stop)
    {
        int size = info.EmbeddingSize;
        string distance = hnsw ? $"embedding::halfvec({size}) <#> $1::halfvec({size})" : "embedding <#> $1";
        for (long rows = (4L * people) + 32; ; rows *= 8)
        {
            if (hnsw)
            {
                // The beam must be as wide as what is asked for; beyond its limit the graph is searched on, nearest first but for some.
                await PostgresDatabase.RunAsync(connection, $"SET LOCAL hnsw.ef_search = {Math.Clamp(rows, 100, LargestBeam)}", stop).ConfigureAwait(false);
                await PostgresDatabase.RunAsync(connection, "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true) WHERE (SELECT string_to_array(extversion, '.')::int[] >= '{0,8}' FROM pg_extension WHERE extname = 'vector')", stop).ConfigureAwait(false);
            }

            List<(IndexHit Hit, double Served, string Name, bool Sound)> found = await PostgresDatabase.RowsAsync(
                connection,
                $"SELECT t.id, t.person, t.embedding, t.d, p.name FROM (SELECT id, person, embedding, {distance} AS d FROM {Templates} ORDER BY {distance} LIMIT $2) t JOIN {People} p ON p.id = t.person",
                r =>
                {
                    ReadOnlyMemory<float> embedding = r.GetFieldValue<Vector>(2).Memory;
                    bool sound = IsSound(r.GetInt64(0), r.GetString(4), embedding.Span);
                    return (new IndexHit(r.GetInt64(0), r.GetInt64(1), sound ? ExactScore.Of(probe.Span, embedding.Span) : 0), -r.GetDouble(3), r.GetString(4), sound);
                },
                stop,
                new Vector(probe),
                rows).ConfigureAwait(false);

            // The best of each person as the server scored; the k-th of them, less the slack, is where nobody further down can be.
            double[] ofPeople = [.. found.Where(f => f.Sound).GroupBy(f => f.Hit.Key).Select(g => g.Max(f => f.Served)).OrderDescending().Take(people)];
            bool all = found.Count < rows;
            bool enough = ofPeople.Length == people && (hnsw || found.Min(f => f.Served) < ofPeople[^1] - Slack);
            if (all || enough || (hnsw && rows > LargestBeam))
            {
                return [.. found.Where(f => f.Sound).Select(f => (f.Hit, f.Name))];
            }
        }
    }

    private async Task<List<(IndexHit Hit, string Name)>> MeansAsync(NpgsqlConnection connection, ReadOnlyMemory<float> probe, int people, CancellationToken stop)
    {
        List<(long Id, long Person, float[] Embedding, string Name)> rows = await PostgresDatabase.RowsAsync(
            connection,
            $"""
            WITH mean AS MATERIALIZED (SELECT person, avg(embedding <#> $1) FILTER (WHERE abs(vector_norm(embedding) - 1) < $4) AS d FROM {Templates} GROUP BY person),
                 cut AS (SELECT max(d) + $3 AS d FROM (SELECT d FROM mean ORDER BY d LIMIT $2) best)
            SELECT t.id, t.person, t.embedding, p.name FROM mean m JOIN cut ON m.d <= cut.d OR m.d IS NULL JOIN {Templates} t ON t.person = m.person JOIN {People} p ON p.id = m.person ORDER BY t.person, t.id
            """,
            r => (r.GetInt64(0), r.GetInt64(1), r.GetFieldValue<Vector>(2).ToArray(), r.GetString(3)),
            stop,
            new Vector(probe),
            people,
            Slack,
            EmbeddingCheck.NormTolerance).ConfigureAwait(false);

        // The mean of the cosines is the inner product with the mean of the templates, as the exact index has it.
        List<(IndexHit, string)> means = [];
        foreach (IGrouping<long, (long Id, long Person, float[] Embedding, string Name)> person in rows.Where(r => IsSound(r.Id, r.Name, r.Embedding)).GroupBy(r => r.Person))
        {
            double[] sum = new double[info.EmbeddingSize];
            foreach ((_, _, float[] embedding, _) in person)
            {
                for (int i = 0; i < sum.Length; i++)
                {
                    sum[i] += embedding[i];
                }
            }

            int count = person.Count();
            float[] mean = [.. sum.Select(s => (float)(s / count))];
            means.Add((new IndexHit(person.Key, person.Key, ExactScore.Of(probe.Span, mean)), person.First().Name));
        }

        return means;
    }

    // A template of another norm would beat everybody, or nobody.
    private bool IsSound(long id, string person, ReadOnlySpan<float> embedding)
    {
        if (info.IsSound(embedding))
        {
            return true;
        }

        damage[id] = EmbeddingCheck.Damaged(person, id, string.Create(CultureInfo.InvariantCulture, $"norm {EmbeddingCheck.Norm(embedding):G4}, expected 1"));
        return false;
    }
}
