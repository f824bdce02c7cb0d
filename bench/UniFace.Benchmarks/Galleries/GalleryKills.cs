using System.Diagnostics;
using System.Globalization;
using UniFace.Gallery.Postgres;

namespace UniFace.Benchmarks.Galleries;

/// <summary>What was found after writers were killed.</summary>
/// <param name="Kills">Writer processes killed (SIGKILL).</param>
/// <param name="Acknowledged">People whose enrollment the writers had acknowledged.</param>
/// <param name="Lost">Of these, people with missing templates.</param>
/// <param name="Partial">People with some but not all of their templates, acknowledged or not.</param>
/// <param name="Unacknowledged">People who are complete but whose enrollment was not acknowledged yet: at most one for each kill.</param>
internal sealed record GalleryKillResult(int Kills, int Acknowledged, int Lost, int Partial, int Unacknowledged);

/// <summary>Kills processes that enroll, and checks that the gallery has everything that they acknowledged, and nothing partially.</summary>
internal static class GalleryKills
{
    /// <summary>Enrolls people one after the other and prints each name when it is on the disk, until the process ends.</summary>
    public static async Task WriteAsync(PostgresAddress address, GalleryFaces faces, string prefix, TextWriter acknowledged, CancellationToken stop)
    {
        PostgresGallery gallery = await PostgresGallery.OpenAsync(address, stop).ConfigureAwait(false);
        await using (gallery.ConfigureAwait(false))
        {
            for (long i = 0; ; i++)
            {
                string name = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i}");
                await gallery.EnrollAsync([.. faces.Enrollments(((long)int.MaxValue * 32) + i, name)], gallery.Info.ContractId, stop).ConfigureAwait(false);
                await acknowledged.WriteLineAsync(name).ConfigureAwait(false);
                await acknowledged.FlushAsync(stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Starts writers one after the other and kills each at a random moment.</summary>
    /// <param name="address">The gallery.</param>
    /// <param name="faces">The templates.</param>
    /// <param name="kills">Number of writers.</param>
    /// <param name="start">Starts a process that calls <see cref="WriteAsync"/> with a prefix, standard output redirected.</param>
    /// <param name="killed">Called after each kill.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task<GalleryKillResult> RunAsync(
        PostgresAddress address, GalleryFaces faces, int kills, Func<string, Process> start, Action killed, CancellationToken stop)
    {
        string run = $"{GallerySql.WriterPrefix}k{Guid.NewGuid():N}";
        HashSet<string> acknowledged = [];
        for (int kill = 0; kill < kills; kill++)
        {
            using Process writer = start($"{run}-{kill}");
            try
            {
                // The first person can take long, while the process starts.
                bool first = true;
                while (await writer.StandardOutput.ReadLineAsync(stop).ConfigureAwait(false) is string name)
                {
                    acknowledged.Add(name);
                    if (first)
                    {
                        first = false;
                        _ = KillAsync(writer, Random.Shared.Next(1, 2000));
                    }
                }
            }
            finally
            {
                writer.Kill();
            }

            await writer.WaitForExitAsync(stop).ConfigureAwait(false);
            if (acknowledged.Count == 0)
            {
                throw new UniFaceException($"the writer ended with code {writer.ExitCode} before it enrolled anybody");
            }

            killed();
        }

        PostgresGallery gallery = await PostgresGallery.OpenAsync(address, stop).ConfigureAwait(false);
        await using (gallery.ConfigureAwait(false))
        {
            Dictionary<string, int> templates = await GallerySql.CountTemplatesAsync(gallery, run, stop).ConfigureAwait(false);
            GalleryKillResult result = new(
                kills,
                acknowledged.Count,
                acknowledged.Count(name => templates.GetValueOrDefault(name) != faces.PerPerson),
                templates.Values.Count(count => count != faces.PerPerson),
                templates.Count(t => t.Value == faces.PerPerson && !acknowledged.Contains(t.Key)));
            await GallerySql.RemoveWritersAsync(gallery, stop).ConfigureAwait(false);
            return result;
        }
    }

    private static async Task KillAsync(Process process, int milliseconds)
    {
        await Task.Delay(milliseconds).ConfigureAwait(false);
        process.Kill();
    }
}
