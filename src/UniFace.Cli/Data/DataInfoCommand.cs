using UniFace.Data.Survey;

namespace UniFace.Cli.Data;

/// <summary>`uniface data info`: reports what a data set holds and what is wrong with it.</summary>
internal static class DataInfoCommand
{
    private const string Description = """
        Inspect a data set: people, images, sizes, unreadable files, duplicates, images that two people share, and, with a model, labels that
        look wrong.
        Example: uniface data info faces.tar --package model
        """;

    private static readonly int[] HistogramFrom = [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];

    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = "One folder per person, a RecordIO set (its folder or train.rec), or a tar of either." };
        CliOption<string?> package = new("--package", "A model package or .onnx file to check the labels with; DATA must hold aligned faces.", "PACKAGE");
        CliOption<int?> personLevel = CommonOptions.PersonLevel();
        CliOption<int> top = new("--top", "Number of lines to show of each list; --json shows all.") { Default = 10 };
        return CliCommand.Create("info", Description, [data, package, personLevel, top], (parsed, stop) =>
        {
            using FaceDataset dataset = FaceDatasets.Open(parsed.GetRequiredValue(data), parsed.GetValue(personLevel));
            using FaceRecognizer? recognizer = parsed.GetValue(package) is string path ? FaceRecognizer.Open(path) : null;
            DatasetSurvey survey;
            using (ProgressMeter progress = new("reading", dataset.Samples.Count))
            {
                survey = DatasetSurvey.Run(dataset, new SkiaImageDecoder(), recognizer?.Embedder, count => progress.Add(count), stop);
            }

            int[] sorted = [.. survey.ImagesPerPerson.Order()];
            parsed.Print(ToJson(dataset, survey, sorted), () => Show(dataset, survey, sorted, Math.Max(parsed.GetValue(top), 0)));
        });
    }

    private static object ToJson(FaceDataset dataset, DatasetSurvey survey, int[] sorted) => new
    {
        data = dataset.Source,
        people = dataset.People.Count,
        images = dataset.Samples.Count,
        sha256 = survey.Hash,
        imagesPerPerson = new
        {
            min = sorted[0],
            median = sorted[sorted.Length / 2],
            mean = sorted.Average(),
            max = sorted[^1],
            histogram = Histogram(survey).Select(bin => new { bin.From, bin.To, bin.People }),
        },
        survey.Sizes,
        survey.Unreadable,
        duplicates = survey.Duplicates.Where(group => group.People.Count == 1),
        underTwoPeople = survey.Duplicates.Where(group => group.People.Count > 1),
        survey.LabelNoise,
        dataset.Warnings,
        leftOut = dataset.Skipped,
        dataset.IgnoredFiles,
    };

    private static void Show(FaceDataset dataset, DatasetSurvey survey, int[] sorted, int top)
    {
        Console.WriteLine(
            $"{dataset.Source}: {Plural.Format(dataset.People.Count, "person")}, {Plural.Format(dataset.Samples.Count, "image")}; " +
            $"{sorted[0]} to {sorted[^1]} per person, median {sorted[sorted.Length / 2]}");
        Console.WriteLine($"SHA-256 of names, labels and contents: {survey.Hash ?? "none, because some files are unreadable"}");
        foreach (string warning in dataset.Warnings)
        {
            Console.WriteLine($"note: {warning}");
        }

        Console.WriteLine();
        ShowHistogram(survey);
        Console.WriteLine();
        string others = survey.Sizes.Count > 5 ? $", {survey.Sizes.Count - 5} others" : "";
        Console.WriteLine($"sizes: {string.Join(", ", survey.Sizes.Take(5).Select(size => $"{size.Width}x{size.Height} ({size.Images})"))}{others}");
        List($"{survey.Unreadable.Count} unreadable", [.. survey.Unreadable.Select(image => $"{image.Name}: {image.Reason}")], top);
        ILookup<bool, string> duplicates = survey.Duplicates.ToLookup(group => group.People.Count > 1, group => string.Join(" = ", group.Names));
        List($"{Plural.Format(duplicates[false].Count(), "image")} stored several times under one person", [.. duplicates[false]], top);
        List($"{Plural.Format(duplicates[true].Count(), "image")} stored under several people (one of the labels is wrong)", [.. duplicates[true]], top);
        if (survey.LabelNoise is not LabelNoise noise)
        {
            Console.WriteLine("labels were not checked; give a model with --package");
        }
        else if (noise.Judged == 0)
        {
            Console.WriteLine("labels were not checked: no person has two images to compare");
        }
        else
        {
            string title = $"{noise.Suspects.Count} of {noise.Judged} labels look wrong ({noise.Suspects.Count(s => s.LooksLikeAnother)} closer to another " +
                $"person, {noise.Suspects.Count(s => s.IsOutlier)} unlike their own person: below {noise.OutlierThreshold:F3}, median " +
                $"{noise.MedianSimilarity:F3}); review them before you delete any";
            IEnumerable<string> suspects = noise.Suspects.Select(s =>
                $"{s.Name}: {s.OwnSimilarity:F3} to the own person, {s.NearestSimilarity:F3} to the nearest other, {s.NearestPerson}");
            List(title, [.. suspects], top);
        }
    }

    private static void ShowHistogram(DatasetSurvey survey)
    {
        (int From, int? To, int People)[] bins = Histogram(survey);
        int largest = bins.Max(bin => bin.People);
        Output.Table(["images per person", "people", ""], bins.Select(bin => (object[])
        [
            bin.To is null ? $"{bin.From}+" : bin.To == bin.From ? $"{bin.From}" : $"{bin.From}-{bin.To}",
            bin.People,
            new string('█', (int)Math.Ceiling(40.0 * bin.People / largest)),
        ]));
    }

    private static void List(string title, string[] items, int top)
    {
        Console.WriteLine(title);
        foreach (string item in items.Take(top))
        {
            Console.WriteLine($"  {Output.Name(item)}");
        }

        if (items.Length > top && top > 0)
        {
            Console.WriteLine($"  ... and {items.Length - top} more (--top, --json)");
        }
    }

    private static (int From, int? To, int People)[] Histogram(DatasetSurvey survey)
    {
        (int From, int? To, int People)[] bins = [.. HistogramFrom.Select((from, i) =>
        {
            int? to = i + 1 < HistogramFrom.Length ? HistogramFrom[i + 1] - 1 : null;
            return (from, to, survey.ImagesPerPerson.Count(images => images >= from && images <= (to ?? int.MaxValue)));
        })];
        int first = Array.FindIndex(bins, bin => bin.People > 0);
        int last = Array.FindLastIndex(bins, bin => bin.People > 0);
        return bins[first..(last + 1)];
    }
}
