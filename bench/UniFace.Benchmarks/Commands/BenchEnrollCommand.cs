using System.CommandLine;
using UniFace.CommandLine.Options;
using UniFace.CommandLine.Terminal;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench enroll`: speed of enrollment into a gallery file, and of opening it.</summary>
internal static class BenchEnrollCommand
{
    private const string Description = """
        Time enrollment into a gallery, and opening it with and without a stored index.
        Example: uniface bench enroll --size 100000 --json
        """;

    public static Command Create()
    {
        CliOption<int> size = new("--size", "Random templates to enroll, one person each.") { Default = 100_000, Min = 1 };
        CliOption<int> dim = new("--dim", "Values per embedding.") { Default = 512, Min = 1 };
        CliOption<int> batch = new("--batch", "Templates per transaction; each is on the disk before the next begins.")
        {
            Default = 1000,
            Min = 1,
        };
        CliOption<string?> to = new("--to", "The gallery file, created if missing and kept. Default: a temporary file.", "FILE");
        CliOption<bool> acknowledge = new(
            "--acks", "Print 'ack' and the id of the last template on standard error for each transaction that is on the disk.");
        GalleryOptions gallery = new();
        return CliCommand.Create("enroll", Description, [size, dim, batch, to, acknowledge, .. gallery.Keys], async (parsed, stop) =>
        {
            string? kept = parsed.GetValue(to);
            string? folder = kept is null ? Directory.CreateTempSubdirectory("uniface-").FullName : null;
            try
            {
                int count = parsed.GetValue(size);
                bool acks = parsed.GetValue(acknowledge);
                using ProgressMeter progress = new("enrolling", count, "templates");
                EnrollmentSpeed speed = await EnrollmentBenchmark.RunAsync(
                    kept ?? Path.Combine(folder!, "bench.gallery"), count, parsed.GetValue(dim), parsed.GetValue(batch), gallery.Key(parsed), Done, stop);
                double[] row = [speed.TemplatesPerSecond, speed.Seconds, speed.StoreSeconds, speed.StartSeconds, speed.RebuildStartSeconds];
                parsed.Print(
                    speed,
                    ["templates/s", "enrolled in s", "index stored in s", "opened in s", "opened without index in s"],
                    [[.. row.Select(v => $"{v:G6}")]]);

                void Done(int enrolled, long last)
                {
                    if (acks)
                    {
                        Console.Error.WriteLine($"ack {last}");
                    }
                    else
                    {
                        progress.Add(enrolled);
                    }
                }
            }
            finally
            {
                if (folder is not null)
                {
                    Directory.Delete(folder, recursive: true);
                }
            }
        });
    }
}
