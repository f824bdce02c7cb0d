using System.CommandLine;
using System.Globalization;
using UniFace.CommandLine.Terminal;
using UniFace.IO;
using UniFace.Training.Distributed;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench head`: time and memory of the head as the number of people grows.</summary>
internal static class BenchHeadCommand
{
    private const string Auto = "auto";

    private const string Description = """
        Time a step of the head. Measures loss, gradient of 512-d embeddings and update of the centers on random embeddings, with the peak memory beyond centers
        and momentum, next to the three bare matrix products of the same shapes. Medians of 5 after a warm-up. Under mpiexec, each process has a part of
        the people and of the batch, and the first reports its memory.
        Example: uniface bench head --classes 10000,100000,1000000 --loss uce,cosface --batch 128 --json
        """;

    public static Command Create()
    {
        CliOption<string> classes = new("--classes", "Numbers of people, separated by commas.", "C,...") { Default = "10000,100000,1000000" };
        CliOption<string> losses = new("--loss", "Losses, separated by commas, with or without hyperparameters: arcface(margin=0.4).", "NAME,...")
        {
            Default = "uce,cosface",
        };
        CliOption<int> batch = new("--batch", "Embeddings per batch.") { Default = 128, Range = (1, 65536) };
        CliOption<string> rate = new(
            "--sample-rate", "Share of the people that a step uses. auto: all, or a tenth if float32 centers do not fit into memory.", "r")
        { Default = Auto };
        CliOption<string> type = new("--center-dtype", "How centers and momentum are stored. auto: float32 if it fits into memory.") { Default = Auto };
        type.AcceptOnlyFromAmong(Auto, "float32", "bfloat16");
        CliOption<int> threads = new("--threads", "Threads per step.") { Default = MpiJob.LocalProcessors, Range = (1, 4096) };
        return CliCommand.Create("head", Description, [classes, losses, batch, rate, type, threads], (parsed, stop) =>
        {
            int[] counts = NumberList.Parse(classes.Name, parsed.GetRequiredValue(classes), 3, 100_000_000, "10000,1000000");
            Loss[] specs = [.. LossList.Split(parsed.GetRequiredValue(losses)).Select(Loss.Parse)];
            double? given = parsed.GetRequiredValue(rate) is string text && text != Auto ? Rate(text) : null;
            string stored = parsed.GetRequiredValue(type);
            List<HeadSpeed> speeds = [];
            HostAllocator.RetainFreedMemory();
            using (ProgressMeter progress = new("timing", (long)specs.Length * counts.Length * HeadBenchmark.StepCount, "steps"))
            {
                foreach ((Loss spec, int count) in specs.SelectMany(s => counts.Select(c => (s, c))))
                {
                    (CenterType fits, double share) = HeadBenchmark.Fit(count);
                    CenterType chosen = stored == Auto ? fits : Enum.Parse<CenterType>(stored, ignoreCase: true);
                    double used = given ?? (spec.NegativeRate < 1 ? spec.NegativeRate : share);
                    Loss sampled = spec.With("negative-rate", used.ToString(CultureInfo.InvariantCulture));
                    speeds.Add(HeadBenchmark.Run(sampled, count, parsed.GetValue(batch), chosen, parsed.GetValue(threads), () => progress.Add(), stop));
                }
            }

            object json = speeds.Select(s => new
            {
                loss = s.Loss.Name,
                s.Classes,
                s.Batch,
                s.Dim,
                s.SampleRate,
                centerDtype = CenterMemory.Name(s.CenterType),
                s.StepMs,
                s.GemmMs,
                s.ExtraMb,
                s.CentersMb,
            });
            parsed.Print(
                json,
                ["loss", "people", "used", "centers", "step, ms", "bare products, ms", "ratio", "centers + momentum, MB", "beyond them, MB"],
                [.. speeds.Select(Row)]);
        });
    }

    private static string[] Row(HeadSpeed s) =>
    [
        s.Loss.Name, $"{s.Classes:N0}", $"{s.SampleRate:P0}", CenterMemory.Name(s.CenterType), $"{s.StepMs:F0}", $"{s.GemmMs:F0}",
        $"{s.StepMs / s.GemmMs:F2}", $"{s.CentersMb:N0}", $"{s.ExtraMb:N0}",
    ];

    private static double Rate(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) && rate is > 0 and <= 1
            ? rate
            : throw new UniFaceException($"--sample-rate {text}: expected a share above 0, up to 1, or auto.");
}
