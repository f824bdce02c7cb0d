using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.IO;
using UniFace.Training.Benchmarks;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Cli.Commands;

/// <summary>`uniface bench head`: time and memory of the head as people grow, beside the bare matrix products.</summary>
internal static class BenchHeadCommand
{
    private const string Auto = "auto";

    public static Command Create()
    {
        Option<string> classes = new("--classes") { Description = "Numbers of people, with commas.", DefaultValueFactory = _ => "10000,100000,1000000", HelpName = "C,..." };
        Option<string> losses = new("--loss") { Description = "Losses, with commas; a loss may have hyperparameters: arcface(margin=0.4).", DefaultValueFactory = _ => "uce,cosface", HelpName = "NAME,..." };
        Option<int> batch = new("--batch") { Description = "Embeddings a batch.", DefaultValueFactory = _ => 128 };
        Option<string> rate = new("--sample-rate") { Description = "Share of the people that a step uses, or auto: all, and a tenth where float32 centers would not fit into memory.", DefaultValueFactory = _ => Auto, HelpName = "r" };
        Option<string> type = new("--center-dtype") { Description = "How centers and momentum are stored; auto: float32 where that fits into memory.", DefaultValueFactory = _ => Auto };
        type.AcceptOnlyFromAmong(Auto, "float32", "bfloat16");
        Option<int> threads = new("--threads") { Description = "Threads of a step.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Command command = new(
            "head",
            "Time a head's step (loss, gradient of 512-d embeddings, update of the centers) on random embeddings, and its peak memory above centers and momentum, beside the three bare matrix products of the same shapes. Medians of 5 after a warm-up.\n\n" +
            "Example: uniface bench head --classes 10000,100000,1000000 --loss uce,cosface --batch 128 --json")
        {
            classes, losses, batch, rate, type, threads,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            int[] counts = [.. parsed.GetRequiredValue(classes).Split(',').Select(Count)];
            Loss[] specs = [.. SplitLosses(parsed.GetRequiredValue(losses)).Select(Loss.Parse)];
            int samples = parsed.GetValue(batch);
            if (samples is < 1 or > 65536)
            {
                throw new UniFaceException($"--batch {samples}: expected 1 to 65536.");
            }

            double? given = parsed.GetRequiredValue(rate) is string text && text != Auto ? Rate(text) : null;
            string stored = parsed.GetRequiredValue(type);
            List<HeadSpeed> speeds = [];
            HostAllocator.KeepFreed();
            using (Progress progress = new("timing", (long)specs.Length * counts.Length * HeadBenchmark.StepCount, "steps"))
            {
                foreach ((Loss spec, int count) in specs.SelectMany(s => counts.Select(c => (s, c))))
                {
                    (CenterType fits, double share) = HeadBenchmark.Fit(count);
                    CenterType chosen = stored == Auto ? fits : Enum.Parse<CenterType>(stored, ignoreCase: true);
                    Loss sampled = spec.With("negative-rate", (given ?? (spec.NegativeRate < 1 ? spec.NegativeRate : share)).ToString(CultureInfo.InvariantCulture));
                    speeds.Add(HeadBenchmark.Run(sampled, count, samples, chosen, parsed.GetValue(threads), () => progress.Add(), cancellationToken));
                }
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(speeds.Select(s => new
                {
                    loss = s.Loss.Name,
                    classes = s.Classes,
                    batch = s.Batch,
                    dim = s.Dim,
                    sampleRate = s.SampleRate,
                    centerDtype = HeadBenchmark.Name(s.CenterType),
                    stepMs = s.StepMs,
                    gemmMs = s.GemmMs,
                    extraMb = s.ExtraMb,
                    centersMb = s.CentersMb,
                }));
            }
            else
            {
                Write(speeds);
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Write(IEnumerable<HeadSpeed> speeds)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("loss", "people", "used", "centers", "step, ms", "bare products, ms", "ratio", "centers + momentum, MB", "above them, MB");
        foreach (HeadSpeed s in speeds)
        {
            table.AddRow(
                s.Loss.Name,
                Text($"{s.Classes:N0}"),
                Text($"{s.SampleRate:P0}"),
                HeadBenchmark.Name(s.CenterType),
                Text($"{s.StepMs:F0}"),
                Text($"{s.GemmMs:F0}"),
                Text($"{s.StepMs / s.GemmMs:F2}"),
                Text($"{s.CentersMb:N0}"),
                Text($"{s.ExtraMb:N0}"));
        }

        AnsiConsole.Write(table);
    }

    private static int Count(string text) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 3 and <= 100_000_000
            ? count
            : throw new UniFaceException($"--classes: '{text.Trim()}' is not a number of people; expected whole numbers from 3 to 100000000, as in 10000,1000000.");

    private static double Rate(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) && rate is > 0 and <= 1
            ? rate
            : throw new UniFaceException($"--sample-rate {text}: expected a share above 0, up to 1, or auto.");

    /// <summary>Splits at the commas that are not inside a loss's parentheses.</summary>
    private static IEnumerable<string> SplitLosses(string text)
    {
        int depth = 0;
        int start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                yield return text[start..i];
                start = i + 1;
            }
            else
            {
                depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
            }
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
