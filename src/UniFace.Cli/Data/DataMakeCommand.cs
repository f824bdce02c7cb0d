namespace UniFace.Cli.Data;

/// <summary>`uniface data make`: draws a set of invented faces.</summary>
internal static class DataMakeCommand
{
    private const string Description = """
        Draw a set of invented faces for tests and first steps. Nothing is downloaded, and the faces are nobody's.
        Example: uniface data make faces --people 40 --images 12 --seed 1
        """;

    public static Command Create()
    {
        Argument<string> output = new("OUT") { Description = "Folder to write, with one folder per person." };
        CliOption<int> people = new("--people", "Number of people.") { Default = 40, Range = (1, 100_000) };
        CliOption<int> images = new("--images", "Images per person.") { Default = 12, Range = (1, 10_000) };
        CliOption<long> seed = new("--seed", "The same seed gives the same people and the same pixels.") { Default = 1 };
        CliOption<int> first = new("--first", "Index of the first person. Different indices of one seed are different people.")
        {
            Range = (0, 1_000_000),
        };
        CliOption<double> variation = new("--variation", "How much the images of a person differ, from 0 (similar) to 1 (hard).")
        {
            Default = 1,
            Range = (0, 1),
        };
        CliOption<bool> photos = new("--photos", "Draw photos of 320x400 pixels to be aligned, instead of aligned faces of 112x112.");
        return CliCommand.Create("make", Description, [output, people, images, seed, first, variation, photos], (parsed, stop) =>
        {
            string folder = parsed.GetRequiredValue(output);
            int count = parsed.GetValue(people), each = parsed.GetValue(images);
            if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            {
                throw new UniFaceException($"{folder}: the folder is not empty; give a new one, so that invented faces do not mix with other images.");
            }

            double vary = parsed.GetValue(variation);
            bool whole = parsed.GetValue(photos);
            Stopwatch clock = Stopwatch.StartNew();
            using (ProgressMeter progress = new("drawing", (long)count * each))
            {
                ProceduralFaces faces = new(parsed.GetValue(seed), (float)vary);
                faces.Write(folder, parsed.GetValue(first), count, each, whole, () => progress.Add(), stop);
            }

            double seconds = clock.Elapsed.TotalSeconds;
            object json = new
            {
                folder,
                people = count,
                images = count * each,
                seed = parsed.GetValue(seed),
                photos = whole,
                variation = vary,
                seconds,
                imagesPerSecond = count * each / seconds,
            };
            parsed.Print(json, $"{count} invented people, {count * each} {(whole ? "photos" : "aligned faces")} in {folder} ({seconds:F1} s)");
        });
    }
}
