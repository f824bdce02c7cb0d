using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using UniFace.Benchmarks.Galleries;
using UniFace.CommandLine.Options;
using UniFace.CommandLine.Terminal;
using UniFace.Gallery.Postgres;
using UniFace.IO;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench gallery`: loading and searching a large gallery on PostgreSQL.</summary>
internal static class BenchGalleryCommand
{
    private const string Description = """
        Fill a gallery on PostgreSQL, build its HNSW graph, and compare the graph with the exact search: recall, and times of one reader and of many
        readers and writers at once. Then kill processes that enroll and check that nothing acknowledged is lost. The gallery is kept: a stopped run
        continues, and another run measures again. Exit code 1: something was lost.
        Example: uniface bench gallery 'postgres:///bench?host=/var/run/postgresql&gallery=faces' --people 1000000 --dim 128 --json
        """;

    public static Command Create()
    {
        Argument<string> address = new("ADDRESS") { Description = "The gallery, e.g. 'postgres://user@host/database?gallery=bench'; created if missing." };
        GraphOptions graph = new();
        CliOption<FaceDistribution> data = new("--data", "Templates that cluster around people, or directions without any structure.");
        CliOption<int> people = new("--people", "Number of people.") { Default = 20_000, Range = (1, 100_000_000) };
        CliOption<int> perPerson = new("--templates", "Templates per person; random data has one.") { Default = 5, Range = (1, 100) };
        CliOption<int> dim = new("--dim", "Values per template.") { Default = 512, Range = (2, 4000) };
        CliOption<string> beams = new("--ef-search", "Widths of the beam in the graph, measured in turn.", "N,N,...") { Default = "40,100,400" };
        CliOption<int> probes = new("--probes", "Probes for the recall.") { Default = 500, Range = (1, 100_000) };
        CliOption<int> workers = new("--workers", "Readers, and as many writers.") { Default = 8, Range = (1, 500) };
        CliOption<int> seconds = new("--seconds", "How long readers and writers work at once, for each way to search.") { Default = 20, Range = (1, 86_400) };
        CliOption<int> kills = new("--kills", "Writer processes to kill.") { Default = 3, Range = (0, 1000) };
        CliOption<long> seed = new("--seed", "Seed of the templates.") { Default = 1 };
        CliOption<bool> loadOnly = new("--load-only", "Only fill the gallery and build the graph.");
        CliOption<string?> writer = new("--writer", "Only enroll people with this prefix until killed, and print their names.", "PREFIX") { Listed = false };
        IEnumerable<Symbol> parameters =
            [address, data, people, perPerson, dim, graph.Neighbors, graph.Candidates, beams, probes, workers, seconds, kills, seed, loadOnly, writer];
        return CliCommand.Create("gallery", Description, parameters, async (parsed, stop) =>
        {
            string location = parsed.GetRequiredValue(address);
            PostgresAddress gallery = PostgresAddress.Parse(location);
            GalleryFaces faces = new(parsed.GetValue(data), parsed.GetValue(seed), parsed.GetValue(dim), parsed.GetValue(perPerson));
            if (parsed.GetValue(writer) is string prefix)
            {
                await GalleryKills.WriteAsync(gallery, faces, prefix, Console.Out, stop);
                return true;
            }

            int[] widths = NumberList.Parse(beams.Name, parsed.GetRequiredValue(beams), 1, PostgresAddress.MaxEfSearch, "40,100,400");
            int count = parsed.GetValue(people);
            HnswOptions options = graph.Read(parsed);
            _ = options.ToSql();
            using ActivityMeter progress = new("people");
            await GalleryLoad.CreateAsync(gallery, faces, stop);
            GalleryLoadResult load = await GalleryLoad.RunAsync(gallery, faces, count, options, progress.Add, stop);
            List<SearchMeasurement> searches = [];
            GalleryKillResult? loss = null;
            if (!parsed.GetValue(loadOnly))
            {
                GalleryMeasurement measurement = new(gallery, faces, count, stop);
                measurement.Prepare(parsed.GetValue(probes), (done, total) => progress.Add("comparing with every template", done, total));
                foreach (int? width in (int?[])[.. widths.Select(w => (int?)w), null])
                {
                    progress.Add($"searching {(width is null ? "exactly" : $"with ef_search {Text(width.Value)}")}", 0, 1);
                    searches.Add(await measurement.RunAsync(
                        width, parsed.GetValue(probes), parsed.GetValue(workers), TimeSpan.FromSeconds(parsed.GetValue(seconds))));
                }

                int kill = parsed.GetValue(kills);
                loss = await GalleryKills.RunAsync(gallery, faces, kill, StartWriter, () => progress.Add("killing writers", 1, kill), stop);
            }

            object json = new { gallery = gallery.ToString(), data = parsed.GetValue(data), people = count, load, searches, loss };
            parsed.Print(json, () => Print(load, searches, loss));
            return loss is null or { Lost: 0, Partial: 0 };

            Process StartWriter(string prefix) => StartTool(
                "bench", "gallery", location, "--writer", prefix, "--data", $"{parsed.GetValue(data)}", "--dim", Text(faces.Dimension), "--templates",
                Text(faces.PerPerson), "--seed", Text(parsed.GetValue(seed)));
        });
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static Process StartTool(params string[] arguments)
    {
        ProcessStartInfo start = ThisProgram.CreateStart(arguments);
        start.RedirectStandardOutput = true;
        return Process.Start(start)!;
    }

    private static void Print(GalleryLoadResult load, List<SearchMeasurement> searches, GalleryKillResult? loss)
    {
        string[] size =
        [
            $"{load.Templates}", $"{load.TemplatesPerSecond:G6}", $"{load.BuildSeconds:G6}", $"{load.TableBytesPerTemplate:G5}",
            $"{load.KeyBytesPerTemplate:G5}", $"{load.GraphBytesPerTemplate:G5}",
        ];
        Output.Table(["templates", "templates/s", "graph in s", "bytes per template: table", "keys", "graph"], [size]);
        if (searches.Count > 0)
        {
            Console.WriteLine();
            Output.Table(
                ["search", "recall@1", "own person", "alone p50", "p95", "p99 ms", "busy p50", "p95", "p99 ms", "write p50", "p95", "p99 ms"],
                [.. searches.Select(s => (string[])[
                    s.EfSearch is int width ? $"hnsw {width}" : s.Search, $"{s.RecallAt1:F4}", s.Rank1 is double own ? $"{own:F4}" : "-",
                    .. Times(s.Alone), .. Times(s.Busy), .. Times(s.Writes),
                ])]);
        }

        if (loss is not null)
        {
            Console.WriteLine();
            Console.WriteLine(
                $"{loss.Kills} writers killed: {loss.Acknowledged} people acknowledged, {loss.Lost} lost, {loss.Partial} partial, " +
                $"{loss.Unacknowledged} complete but not acknowledged");
        }
    }

    private static string[] Times(OperationTimes times) => [$"{times.P50Ms:G5}", $"{times.P95Ms:G5}", $"{times.P99Ms:G5}"];
}
