using System.Diagnostics;
using UniFace.Gallery;
using UniFace.Gallery.Postgres;

namespace UniFace.Benchmarks.Galleries;

/// <summary>What loading a gallery and building its graph took; seconds are 0 for what an earlier run did.</summary>
/// <param name="Templates">Templates loaded.</param>
/// <param name="LoadSeconds">Time to enroll the templates that were missing.</param>
/// <param name="TemplatesPerSecond">Their rate.</param>
/// <param name="BuildSeconds">Time to build the graph.</param>
/// <param name="TableBytesPerTemplate">Table, with out-of-line values.</param>
/// <param name="KeyBytesPerTemplate">Indexes of ids and people, and the table of people.</param>
/// <param name="GraphBytesPerTemplate">The HNSW graph.</param>
internal sealed record GalleryLoadResult(
    long Templates,
    double LoadSeconds,
    double TemplatesPerSecond,
    double BuildSeconds,
    double TableBytesPerTemplate,
    double KeyBytesPerTemplate,
    double GraphBytesPerTemplate);

/// <summary>Fills a gallery on PostgreSQL by the enrollment that users call, then builds the graph. Continues after a stop.</summary>
internal static class GalleryLoad
{
    private const int Batch = 10_000;

    /// <summary>Creates the gallery unless it exists.</summary>
    public static async Task CreateAsync(PostgresAddress address, GalleryFaces faces, CancellationToken stop)
    {
        try
        {
            GalleryInfo info = new() { ContractId = faces.ContractId, EmbeddingSize = faces.Dimension };
            await PostgresGallery.CreateAsync(address, info, cancellationToken: stop).ConfigureAwait(false);
        }
        catch (UniFaceException e) when (e.Message.Contains("already exists", StringComparison.Ordinal))
        {
            // Continue an earlier run; the first search or enrollment checks the contract.
        }
    }

    /// <summary>Enrolls people until there are enough, and builds the graph if there is none.</summary>
    /// <param name="address">The gallery.</param>
    /// <param name="faces">The templates.</param>
    /// <param name="people">Number of people.</param>
    /// <param name="options">Parameters of the graph.</param>
    /// <param name="progress">Called with the step, the newly finished count and the total.</param>
    /// <param name="stop">Stops it; the next call continues.</param>
    public static async Task<GalleryLoadResult> RunAsync(
        PostgresAddress address, GalleryFaces faces, int people, HnswOptions options, Action<string, int, int> progress, CancellationToken stop)
    {
        PostgresGallery gallery = await PostgresGallery.OpenAsync(address, stop).ConfigureAwait(false);
        await using (gallery.ConfigureAwait(false))
        {
            await GallerySql.RemoveWritersAsync(gallery, stop).ConfigureAwait(false);
            int existing = (int)(await gallery.CountAsync(stop).ConfigureAwait(false)).People;
            progress("loading", existing, people);
            long start = Stopwatch.GetTimestamp();
            await EnrollAsync(gallery, faces, existing, people, count => progress("loading", count, people), stop).ConfigureAwait(false);
            double loading = Stopwatch.GetElapsedTime(start).TotalSeconds, building = 0;
            if (!gallery.HasGraph)
            {
                progress("building the graph", 0, people);
                start = Stopwatch.GetTimestamp();
                await gallery.BuildGraphAsync(options, stop).ConfigureAwait(false);
                building = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }

            long loaded = Math.Max(0, people - existing) * (long)faces.PerPerson, templates = (long)people * faces.PerPerson;
            (double table, double keys, double graph) = await GallerySql.SizesAsync(gallery, stop).ConfigureAwait(false);
            return new GalleryLoadResult(
                templates,
                loaded == 0 ? 0 : Math.Round(loading, 1),
                loaded == 0 ? 0 : Math.Round(loaded / loading),
                Math.Round(building, 1),
                Math.Round(table / templates, 1),
                Math.Round(keys / templates, 1),
                Math.Round(graph / templates, 1));
        }
    }

    // The next batch is computed while the server stores the last one.
    private static async Task EnrollAsync(
        PostgresGallery gallery, GalleryFaces faces, int first, int people, Action<int> enrolled, CancellationToken stop)
    {
        int step = Math.Max(1, Batch / faces.PerPerson);
        Task<Enrollment[]> next = CreateAsync(first);
        for (int from = first; from < people; from += step)
        {
            Enrollment[] batch = await next.ConfigureAwait(false);
            next = CreateAsync(from + step);
            await gallery.EnrollAsync(batch, gallery.Info.ContractId, stop).ConfigureAwait(false);
            enrolled(Math.Min(step, people - from));
        }

        Task<Enrollment[]> CreateAsync(int from) => Task.Run(
            () => Enumerable.Range(from, Math.Max(0, Math.Min(step, people - from))).AsParallel().AsOrdered()
                .SelectMany(person => faces.Enrollments(person)).ToArray(),
            stop);
    }
}
