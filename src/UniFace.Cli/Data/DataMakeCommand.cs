namespace UniFace.Cli.Data;

/// <summary>`uniface data make`: generates synthetic faces.</summary>
internal static class DataMakeCommand
{
    private const string Description = """
        Generate a data set of synthetic faces for tests and first steps. Nothing is downloaded.
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
        CliOption<bool> photos = new("--photos", "Generate photos of 320x400 pixels to be aligned, instead of aligned faces of 112x112.");
        return CliCommand.Create("make", Description, [output, people, images, seed, first, variation, photos], (parsed, stop) =>
        {
            string folder = parsed.GetRequiredValue(output);
            int count = parsed.GetValue(people), each = parsed.GetValue(images);
            Output.RequireNewFolder(folder);
            double vary = parsed.GetValue(variation);
            bool asPhotos = parsed.GetValue(photos);
            Stopwatch clock = Stopwatch.StartNew();
            using (ProgressMeter progress = new("generating", (long)count * each))
            {
                SyntheticFaces faces = new(parsed.GetValue(seed), (float)vary);
                faces.Write(folder, parsed.GetValue(first), count, each, asPhotos, () => progress.Add(), stop);
            }

            double seconds = clock.Elapsed.TotalSeconds;
            object json = new
            {
                folder,
                people = count,
                images = count * each,
                seed = parsed.GetValue(seed),
                photos = asPhotos,
                variation = vary,
                seconds,
                imagesPerSecond = count * each / seconds,
            };
            parsed.Print(json, $"{count} synthetic people, {count * each} {(asPhotos ? "photos" : "aligned faces")} in {folder} ({seconds:F1} s)");
        });
    }
}
