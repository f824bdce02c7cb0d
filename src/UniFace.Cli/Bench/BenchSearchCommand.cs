using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Cli.Terminal;
using UniFace.Gallery.Benchmarks;

namespace UniFace.Cli.Bench;

/// <summary>`uniface bench search`: how fast a gallery's index answers, and whether the answers are brute force's.</summary>
internal static class BenchSearchCommand
{
    public static Command Create()
    {
        Option<int> size = new("--size") { Description = "Rows searched, 1 to 100,000,000.", DefaultValueFactory = _ => 1_000_000 };
        Option<int> dim = new("--dim") { Description = "Values in a row, 1 to 65,536.", DefaultValueFactory = _ => 512 };
        Option<string> queries = new("--queries") { Description = "Queries at a time; several numbers are measured one after the other.", DefaultValueFactory = _ => "1,16,256", HelpName = "N,N,..." };
        Option<int> threads = new("--threads") { Description = "Cores to use; 0 for all.", HelpName = "N" };
        Option<long> seed = new("--seed") { Description = "Seed of the random rows.", DefaultValueFactory = _ => 1 };
        Command command = new(
            "search",
            "Time the exact search for the best ten over random rows, and compare the answers to 1,000 queries with brute force, ids, order and scores to the last bit. " +
            "A million rows of 512 take 2.6 GB of memory.\n\nExample: uniface bench search --size 1000000 --dim 512 --queries 1,16,256 --json")
        {
            size, dim, queries, threads, seed,
        };
        command.SetAction((parsed, stop) =>
        {
            int rows = Between("--size", parsed.GetValue(size), 1, 100_000_000), width = Between("--dim", parsed.GetValue(dim), 1, 65_536);
            int[] counts = Counts(parsed.GetRequiredValue(queries));
            IReadOnlyList<SearchSpeed> speeds;
            using (Steps steps = new())
            {
                speeds = SearchBenchmark.Run(rows, width, counts, Between("--threads", parsed.GetValue(threads), 0, 1024), parsed.GetValue(seed), steps.Add, stop);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(speeds);
            }
            else
            {
                Table table = new Table().Border(TableBorder.Rounded).AddColumns("queries", "median ms", "queries/s", "bytes a row", "exact");
                foreach (SearchSpeed speed in speeds)
                {
                    table.AddRow(new[] { speed.Queries, speed.MedianMs, speed.Qps, speed.BytesPerRow, speed.Exact }.Select(v => v.ToString("G6", CultureInfo.InvariantCulture)).ToArray());
                }

                AnsiConsole.Write(table);
            }

            return Task.FromResult(speeds.All(s => s.Exact == 1) ? ExitCode.Success : ExitCode.Negative);
        });
        return command;
    }

    private static int Between(string option, int value, int low, int high) => value >= low && value <= high
        ? value
        : throw new UniFaceException($"{option} {value}: expected {low} to {high}.");

    private static int[] Counts(string text)
    {
        string[] parts = text.Split(',');
        int[] counts = [.. parts.Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0)];
        return counts.All(n => n is >= 1 and <= 100_000) ? counts : throw new UniFaceException($"--queries {text}: expected numbers from 1 to 100,000, e.g. 1,16,256.");
    }

    /// <summary>A progress line for each step that the benchmark names.</summary>
    private sealed class Steps : IDisposable
    {
        private readonly Lock gate = new();
        private string? step;
        private Progress? progress;

        public void Add(string what, int done, long total)
        {
            lock (gate)
            {
                if (what != step)
                {
                    progress?.Dispose();
                    progress = new Progress(what, total, "rows");
                    step = what;
                }

                progress!.Add(done);
            }
        }

        public void Dispose() => progress?.Dispose();
    }
}
