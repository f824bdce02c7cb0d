using System.CommandLine;
using UniFace.CommandLine.Terminal;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench start`: time and memory until a training on many images takes its first batch.</summary>
internal static class BenchStartCommand
{
    private const string Description = """
        Measure the start of a training on a synthetic set with an index: time and memory until the first batch, without the network. The set is written
        into the temporary folder: 24 bytes per image for the index, and files that are mostly holes. Exit code 1: above --most-seconds or --most-memory.
        Example: uniface bench start --size 50000000 --people 1000000 --json
        """;

    public static Command Create()
    {
        CliOption<int> size = new("--size", "Number of images.") { Default = 50_000_000, Range = (1000, 1_000_000_000) };
        CliOption<int> people = new("--people", "Number of people.") { Default = 1_000_000, Range = (20, 16_000_000) };
        CliOption<double> mostSeconds = new("--most-seconds", "Longest time; 0: any.");
        CliOption<double> mostMemory = new("--most-memory", "Largest memory in gigabytes; 0: any.");
        return CliCommand.Create("start", Description, [size, people, mostSeconds, mostMemory], (parsed, _) =>
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("uniface-start-");
            try
            {
                StartSpeed speed = StartBenchmark.Run(folder.FullName, parsed.GetValue(size), Math.Min(parsed.GetValue(people), parsed.GetValue(size) / 2));
                parsed.Print(speed, () =>
                {
                    foreach (StartPart part in speed.Parts)
                    {
                        Console.WriteLine($"{part.Name,-20} {part.Seconds,7:F2} s, {part.Memory / 1e9:F2} GB");
                    }

                    Console.WriteLine(
                        $"{speed.Images} images: {speed.Seconds:F1} s, at most {speed.PeakBytes / 1e9:F2} GB, objects {speed.ManagedBytes / 1e9:F2} GB");
                });
                return !(parsed.GetValue(mostSeconds) is > 0 and double seconds && speed.Seconds > seconds)
                    && !(parsed.GetValue(mostMemory) is > 0 and double memory && speed.PeakBytes > memory * 1e9);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
    }
}
