using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Cli.Gallery;
using UniFace.Cli.Terminal;
using UniFace.Gallery.Benchmarks;

namespace UniFace.Cli.Bench;

/// <summary>`uniface bench enroll`: how fast templates go into a gallery's file, and how fast it starts.</summary>
internal static class BenchEnrollCommand
{
    public static Command Create()
    {
        Option<int> size = new("--size") { Description = "Templates to enrol, random ones, a person each.", DefaultValueFactory = _ => 100_000 };
        Option<int> dim = new("--dim") { Description = "Values in an embedding.", DefaultValueFactory = _ => 512 };
        Option<int> batch = new("--batch") { Description = "Templates a transaction; each is on the disk before the next begins.", DefaultValueFactory = _ => 1000 };
        Option<string?> to = new("--to") { Description = "The gallery's file, kept; made if it is not there. Without it, a temporary one.", HelpName = "FILE" };
        Option<bool> acknowledge = new("--acks") { Description = "Print on standard error, for each transaction that is on the disk, 'ack' and the id of its last template." };
        GalleryOptions gallery = new();
        Command command = new(
            "enroll",
            "Time enrolment into a gallery, and its start with and without a stored index.\n\nExample: uniface bench enroll --size 100000 --json")
        {
            size, dim, batch, to, acknowledge,
        };
        gallery.AddKeyTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            string? kept = parsed.GetValue(to);
            string? folder = kept is null ? Directory.CreateTempSubdirectory("uniface-").FullName : null;
            try
            {
                int count = Positive("--size", parsed.GetValue(size));
                bool acks = parsed.GetValue(acknowledge);
                using Progress progress = new("enrolling", count, "templates");
                EnrolmentSpeed speed = await EnrolmentBenchmark.RunAsync(
                    kept ?? Path.Combine(folder!, "bench.gallery"),
                    count,
                    Positive("--dim", parsed.GetValue(dim)),
                    Positive("--batch", parsed.GetValue(batch)),
                    gallery.Key(parsed),
                    (some, last) =>
                    {
                        if (acks)
                        {
                            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ack {last}"));
                        }
                        else
                        {
                            progress.Add(some);
                        }
                    },
                    stop).ConfigureAwait(false);
                if (parsed.GetValue(CommonOptions.Json))
                {
                    Output.Json(speed);
                }
                else
                {
                    Table table = new Table().Border(TableBorder.Rounded).AddColumns("templates/s", "enrolled in s", "index stored in s", "start in s", "start without index in s");
                    table.AddRow(new[] { speed.TemplatesPerSecond, speed.Seconds, speed.StoreSeconds, speed.StartSeconds, speed.RebuildStartSeconds }.Select(v => v.ToString("G6", CultureInfo.InvariantCulture)).ToArray());
                    AnsiConsole.Write(table);
                }

                return ExitCode.Success;
            }
            finally
            {
                if (folder is not null)
                {
                    Directory.Delete(folder, recursive: true);
                }
            }
        });
        return command;
    }

    private static int Positive(string option, int value) => value >= 1 ? value : throw new UniFaceException($"{option} {value}: expected 1 or more.");
}
