using System.CommandLine;
using UniFace.Benchmarks.Galleries;
using UniFace.CommandLine.Terminal;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench shards`: a gallery's index in one process against several.</summary>
internal static class BenchShardsCommand
{
    private const string Description = """
        Time searches of a gallery file by one process with all threads, and by several processes that each hold a part of the index ('shards:N:FILE').
        Exit code 1: an answer differs.
        Example: uniface bench shards --size 1000000 --processes 2 --json
        """;

    public static Command Create()
    {
        CliOption<int> size = new("--size", "Random templates, one person each.") { Default = 100_000, Range = (1, 100_000_000) };
        CliOption<int> dim = new("--dim", "Values per template.") { Default = 512, Range = (1, 65_536) };
        CliOption<int> processes = new("--processes", "Number of processes.") { Default = 2, Range = (1, 256) };
        CliOption<string> queries = new("--queries", "Probes per search; several numbers are measured in turn.", "N,N,...") { Default = "1,16" };
        return CliCommand.Create("shards", Description, [size, dim, processes, queries], async (parsed, stop) =>
        {
            string folder = Directory.CreateTempSubdirectory("uniface-").FullName;
            try
            {
                using ActivityMeter progress = new("templates");
                IReadOnlyList<ShardSpeed> speeds = await ShardBenchmark.RunAsync(
                    Path.Combine(folder, "bench.gallery"), parsed.GetValue(size), parsed.GetValue(dim), parsed.GetValue(processes),
                    NumberList.Parse(queries.Name, parsed.GetRequiredValue(queries), 1, 100_000, "1,16"),
                    (done, total) => progress.Add("enrolling", done, total), stop);
                parsed.Print(
                    speeds,
                    ["queries", "processes", "one, ms", "several, ms", "ratio", "same answers"],
                    [.. speeds.Select(s => (string[])[
                        $"{s.Queries}", $"{s.Processes}", $"{s.OneMs:G5}", $"{s.SeveralMs:G5}", $"{s.Ratio:F3}", s.Equal ? "yes" : "no",
                    ])]);
                return speeds.All(s => s.Equal);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
    }
}
