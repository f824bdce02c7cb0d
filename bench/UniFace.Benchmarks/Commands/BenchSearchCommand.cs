using System.CommandLine;
using UniFace.CommandLine.Terminal;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench search`: speed and exactness of a gallery's index.</summary>
internal static class BenchSearchCommand
{
    private const string Description = """
        Time the exact search for the best ten over random rows. Also compares the answers to 1,000 queries with brute force: ids, order and scores to
        the last bit. A million rows of 512 values take 2.6 GB of memory. Exit code 1: an answer differs.
        Example: uniface bench search --size 1000000 --dim 512 --queries 1,16,256 --json
        """;

    public static Command Create()
    {
        CliOption<int> size = new("--size", "Rows to search.") { Default = 1_000_000, Range = (1, 100_000_000) };
        CliOption<int> dim = new("--dim", "Values per row.") { Default = 512, Range = (1, 65_536) };
        CliOption<string> queries = new("--queries", "Queries per search; several numbers are measured in turn.", "N,N,...") { Default = "1,16,256" };
        CliOption<int> threads = new("--threads", "Number of threads; 0 for all cores.") { Range = (0, 1024) };
        CliOption<long> seed = new("--seed", "Seed of the random rows.") { Default = 1 };
        return CliCommand.Create("search", Description, [size, dim, queries, threads, seed], (parsed, stop) =>
        {
            int[] counts = NumberList.Parse(queries.Name, parsed.GetRequiredValue(queries), 1, 100_000, "1,16,256");
            IReadOnlyList<SearchSpeed> speeds;
            using (ActivityMeter progress = new("rows"))
            {
                speeds = SearchBenchmark.Run(
                    parsed.GetValue(size), parsed.GetValue(dim), counts, parsed.GetValue(threads), parsed.GetValue(seed), progress.Add, stop);
            }

            parsed.Print(
                speeds,
                ["queries", "median ms", "queries/s", "bytes per row", "exact"],
                [.. speeds.Select(s => (string[])[$"{s.Queries}", $"{s.MedianMs:G6}", $"{s.Qps:G6}", $"{s.BytesPerRow:G6}", $"{s.Exact:G6}"])]);
            return speeds.All(s => s.Exact == 1);
        });
    }
}
