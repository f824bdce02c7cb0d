using System.CommandLine;
using System.Diagnostics;
using UniFace.Synthetic;

namespace UniFace.Cli.Commands;

/// <summary>uniface data make: writes a set of invented faces, a folder a person.</summary>
internal static class DataMakeCommand
{
    public static Command Create()
    {
        Argument<string> output = new("OUT") { Description = "Folder to write; a folder a person is made in it." };
        Option<int> people = new("--people") { Description = "Number of invented people.", DefaultValueFactory = _ => 40 };
        Option<int> images = new("--images") { Description = "Pictures of each.", DefaultValueFactory = _ => 12 };
        Option<long> seed = new("--seed") { Description = "Same seed, same people, same pixels.", DefaultValueFactory = _ => 1 };
        Option<int> first = new("--first") { Description = "Index of the first person; sets of one seed with other indices are other people.", DefaultValueFactory = _ => 0 };
        Option<double> variation = new("--variation") { Description = "How much the pictures of a person vary, 0 (alike) to 1 (hard).", DefaultValueFactory = _ => 1 };
        Option<bool> photos = new("--photos") { Description = "Whole photos of 320x400 to be aligned, instead of aligned 112x112 faces." };
        Command command = new("make", "Make a set of invented, drawn faces for tests and first steps: no downloads, no licence, nobody's face.\nExample: uniface data make faces --people 40 --images 12 --seed 1")
        {
            output, people, images, seed, first, variation, photos,
        };
        command.SetAction((parsed, stop) =>
        {
            string folder = parsed.GetRequiredValue(output);
            int count = Checked("--people", parsed.GetValue(people), 1, 100_000), each = Checked("--images", parsed.GetValue(images), 1, 10_000), start = Checked("--first", parsed.GetValue(first), 0, 1_000_000);
            double vary = parsed.GetValue(variation);
            if (!(vary is >= 0 and <= 1))
            {
                throw new UniFaceException(FormattableString.Invariant($"--variation {vary}: expected 0 to 1."));
            }

            bool whole = parsed.GetValue(photos);
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            {
                throw new UniFaceException($"{folder}: the folder is not empty; name a new one, so that no other pictures get among the invented ones.");
            }

            Stopwatch clock = Stopwatch.StartNew();
            using (Progress progress = new("drawing", (long)count * each))
            {
                new ProceduralFaces(parsed.GetValue(seed), (float)vary).Write(folder, start, count, each, whole, () => progress.Add(), stop);
            }

            double seconds = clock.Elapsed.TotalSeconds;
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { folder, people = count, images = count * each, seed = parsed.GetValue(seed), photos = whole, variation = vary, seconds, imagesPerSecond = count * each / seconds });
            }
            else
            {
                Console.WriteLine(FormattableString.Invariant($"{count} invented people, {count * each} {(whole ? "photos" : "aligned faces")} in {folder} ({seconds:F1} s)"));
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static int Checked(string option, int value, int low, int high) =>
        value >= low && value <= high ? value : throw new UniFaceException(FormattableString.Invariant($"{option} {value}: expected {low} to {high}."));
}
