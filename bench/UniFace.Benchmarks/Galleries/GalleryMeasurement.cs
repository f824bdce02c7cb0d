using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using UniFace.Embeddings;
using UniFace.Gallery;
using UniFace.Gallery.Index.Kernels;
using UniFace.Gallery.Postgres;

namespace UniFace.Benchmarks.Galleries;

/// <summary>Times of one kind of operation, in milliseconds.</summary>
/// <param name="Count">Operations timed.</param>
/// <param name="P50Ms">Median.</param>
/// <param name="P95Ms">95th percentile.</param>
/// <param name="P99Ms">99th percentile.</param>
internal sealed record OperationTimes(int Count, double P50Ms, double P95Ms, double P99Ms)
{
    /// <summary>Quantiles of times.</summary>
    public static OperationTimes From(IEnumerable<double> milliseconds)
    {
        double[] each = [.. milliseconds.Order()];
        return new OperationTimes(each.Length, Quantile(0.5), Quantile(0.95), Quantile(0.99));

        double Quantile(double share) => each.Length == 0 ? double.NaN : Math.Round(each[(int)Math.Ceiling(share * each.Length) - 1], 2);
    }
}

/// <summary>One way to search.</summary>
/// <param name="Search">"exact", or "hnsw".</param>
/// <param name="EfSearch">Width of the beam in the graph; null for exact.</param>
/// <param name="RecallAt1">Share of the probes whose best person is that of an exact comparison with every template.</param>
/// <param name="Rank1">Share of the probes whose best person is their own; null if the probes have no person.</param>
/// <param name="Alone">Searches one after the other.</param>
/// <param name="Busy">Searches by all readers at once, while as many writers enroll.</param>
/// <param name="Writes">Enrollments of one person by these writers.</param>
internal sealed record SearchMeasurement(
    string Search, int? EfSearch, double RecallAt1, double? Rank1, OperationTimes Alone, OperationTimes Busy, OperationTimes Writes);

/// <summary>Measures searches of a gallery on PostgreSQL, exact and by its graph.</summary>
internal sealed class GalleryMeasurement(PostgresAddress address, GalleryFaces faces, int people, CancellationToken stop)
{
    private const int MinAlone = 20;

    private int probeCount;
    private float[][] probes = [];
    private string[] truth = [];

    /// <summary>Draws the probes, and finds each one's best person by comparing it with every template, which are drawn again.</summary>
    /// <param name="count">Number of probes.</param>
    /// <param name="progress">Called with the newly finished and the total number of people.</param>
    public void Prepare(int count, Action<int, int> progress)
    {
        probeCount = count;
        probes = [.. Enumerable.Range(0, count).Select(Probe)];
        (double Score, int Person)[] best = [.. probes.Select(_ => (double.NegativeInfinity, -1))];
        Lock gate = new();
        Parallel.For(0, (people + 999) / 1000, new ParallelOptions { CancellationToken = stop }, block =>
        {
            (double Score, int Person)[] found;
            lock (gate)
            {
                found = [.. best];
            }

            for (int person = block * 1000; person < Math.Min(people, (block + 1) * 1000); person++)
            {
                for (int number = 0; number < faces.PerPerson; number++)
                {
                    float[] template = faces.Template(person, number);
                    for (int p = 0; p < probes.Length; p++)
                    {
                        // Single precision decides unless it is close.
                        if (CosineSimilarity.Dot(probes[p], template) > found[p].Score - 1e-5
                            && ExactScore.Compute(probes[p], template) is double score && score > found[p].Score)
                        {
                            found[p] = (score, person);
                        }
                    }
                }
            }

            lock (gate)
            {
                for (int p = 0; p < best.Length; p++)
                {
                    best[p] = found[p].Score > best[p].Score || (found[p].Score == best[p].Score && found[p].Person < best[p].Person) ? found[p] : best[p];
                }
            }

            progress(Math.Min(1000, people - (block * 1000)), people);
        });
        truth = [.. best.Select(b => GalleryFaces.Name(b.Person))];
    }

    /// <summary>Measures one way to search.</summary>
    /// <param name="efSearch">Width of the beam in the graph; null for an exact search.</param>
    /// <param name="maxProbes">Probes to search one after the other; an exact search of a large gallery takes seconds.</param>
    /// <param name="workers">Readers, and as many writers.</param>
    /// <param name="duration">How long readers and writers work at once.</param>
    public async Task<SearchMeasurement> RunAsync(int? efSearch, int maxProbes, int workers, TimeSpan duration)
    {
        PostgresGallery gallery = await PostgresGallery.OpenAsync(address.WithEfSearch(efSearch), stop).ConfigureAwait(false);
        await using (gallery.ConfigureAwait(false))
        {
            gallery.Store.Hnsw = efSearch is not null;
            int found = 0, own = 0, count = Math.Min(maxProbes, probes.Length);
            List<double> alone = [];
            Stopwatch spent = Stopwatch.StartNew();
            await SearchAsync(gallery, 0).ConfigureAwait(false);
            for (int p = 0; p < count && (p < MinAlone || spent.Elapsed < 2 * duration); p++)
            {
                (string best, double milliseconds) = await SearchAsync(gallery, p).ConfigureAwait(false);
                found += best == truth[p] ? 1 : 0;
                own += best == GalleryFaces.Name(PersonOf(p)) ? 1 : 0;
                alone.Add(milliseconds);
            }

            (OperationTimes busy, OperationTimes writes) = await RunBusyAsync(gallery, workers, duration).ConfigureAwait(false);
            return new SearchMeasurement(
                efSearch is null ? "exact" : "hnsw",
                efSearch,
                Math.Round((double)found / alone.Count, 4),
                faces.PerPerson == 1 ? null : Math.Round((double)own / alone.Count, 4),
                OperationTimes.From(alone),
                busy,
                writes);
        }
    }

    private async Task<(OperationTimes Reads, OperationTimes Writes)> RunBusyAsync(PostgresGallery gallery, int workers, TimeSpan duration)
    {
        ConcurrentBag<double> reads = [], writes = [];
        string run = Guid.NewGuid().ToString("N");
        Stopwatch clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, workers).SelectMany(w => (Task[])[Task.Run(() => Read(w), stop), Task.Run(() => Write(w), stop)]))
            .ConfigureAwait(false);
        await GallerySql.RemoveWritersAsync(gallery, stop).ConfigureAwait(false);
        return (OperationTimes.From(reads), OperationTimes.From(writes));

        async Task Read(int worker)
        {
            for (int i = 0; clock.Elapsed < duration; i++)
            {
                reads.Add((await SearchAsync(gallery, (worker + (i * workers)) % probes.Length).ConfigureAwait(false)).Milliseconds);
            }
        }

        async Task Write(int worker)
        {
            for (int i = 0; clock.Elapsed < duration; i++)
            {
                // People whom no probe shows.
                long person = ((long)int.MaxValue * 16) + worker + ((long)i * workers);
                Enrollment[] batch = [.. faces.Enrollments(person, $"{GallerySql.WriterPrefix}{run}-{person.ToString(CultureInfo.InvariantCulture)}")];
                long start = Stopwatch.GetTimestamp();
                await gallery.EnrollAsync(batch, gallery.Info.ContractId, stop).ConfigureAwait(false);
                writes.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
    }

    private async Task<(string Person, double Milliseconds)> SearchAsync(PostgresGallery gallery, int probe)
    {
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await gallery.SearchAsync(probes[probe], gallery.Info.ContractId, 1, stop)
            .ConfigureAwait(false);
        return (found[0] is [GalleryCandidate best, ..] ? best.Person : "", Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    // A template that is not enrolled, of an enrolled person if people have several.
    private float[] Probe(int number) => faces.Template(faces.PerPerson == 1 ? people + (long)number : PersonOf(number), faces.PerPerson);

    private long PersonOf(int probe) => (long)probe * people / Math.Max(1, probeCount);
}
