using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Data;
using UniFace.Vision;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Commands;

/// <summary>uniface data info: what a data set holds and what is wrong with it.</summary>
internal static class DataInfoCommand
{
    private static readonly int[] HistogramFrom = [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];

    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = "A folder with one folder a person, a RecordIO set (its folder or train.rec), or a tar of either." };
        Option<string?> package = new("--package") { Description = "A model package or .onnx file to judge the labels by; DATA must hold aligned faces." };
        Option<int?> personLevel = CommonOptions.PersonLevel();
        Option<int> top = new("--top") { Description = "Lines to show of each list; --json has all.", DefaultValueFactory = _ => 10 };
        Command command = new("info", "Look at a data set: people, images, sizes, unreadable files, duplicates, one image under two people, and, with a model, labels that look wrong.\nExample: uniface data info faces.tar --package model")
        {
            data, package, personLevel, top,
        };
        command.SetAction((parsed, stop) =>
        {
            using FaceDataset dataset = FaceDatasets.Open(parsed.GetRequiredValue(data), parsed.GetValue(personLevel));
            using FaceRecognizer? recognizer = parsed.GetValue(package) is string path ? FaceRecognizer.Open(path) : null;
            DatasetSurvey survey;
            using (Progress progress = new("reading", dataset.Samples.Count))
            {
                survey = DatasetSurvey.Of(dataset, new SkiaImageDecoder(), recognizer?.Embedder, count => progress.Add(count), stop);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(AsJson(dataset, survey));
            }
            else
            {
                Print(dataset, survey, Math.Max(parsed.GetValue(top), 0));
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static object AsJson(FaceDataset dataset, DatasetSurvey survey)
    {
        int[] sorted = [.. survey.ImagesPerPerson.Order()];
        return new
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
                histogram = Histogram(survey).Select(bin => new { from = bin.From, to = bin.To, people = bin.People }),
            },
            sizes = survey.Sizes,
            unreadable = survey.Unreadable,
            duplicates = survey.Duplicates.Where(group => group.People.Count == 1),
            underTwoPeople = survey.Duplicates.Where(group => group.People.Count > 1),
            labelNoise = survey.LabelNoise,
            warnings = dataset.Warnings,
            leftOut = dataset.LeftOut,
            ignoredFiles = dataset.IgnoredFiles,
        };
    }

    private static void Print(FaceDataset dataset, DatasetSurvey survey, int top)
    {
        int[] sorted = [.. survey.ImagesPerPerson.Order()];
        Line($"{dataset.Source}: {Plural.Of(dataset.People.Count, "person")}, {Plural.Of(dataset.Samples.Count, "image")}; a person has {sorted[0]} to {sorted[^1]}, median {sorted[sorted.Length / 2]}");
        Line($"SHA-256 over names, labels and contents: {survey.Hash ?? "none, for some files cannot be read"}");
        foreach (string warning in dataset.Warnings)
        {
            Line($"note: {warning}");
        }

        Console.WriteLine();
        Table histogram = new Table().Border(TableBorder.None).AddColumn(new TableColumn("images a person").RightAligned()).AddColumn(new TableColumn("people").RightAligned()).AddColumn("");
        (int From, int? To, int People)[] bins = Histogram(survey);
        int largest = bins.Max(bin => bin.People);
        foreach ((int from, int? to, int people) in bins)
        {
            string range = to is null ? $"{from}+" : to == from ? $"{from}" : $"{from}-{to}";
            histogram.AddRow(range, people.ToString(CultureInfo.InvariantCulture), new string('█', (int)Math.Ceiling(40.0 * people / largest)));
        }

        AnsiConsole.Write(histogram);
        Console.WriteLine();
        Line($"sizes: {string.Join(", ", survey.Sizes.Take(5).Select(size => $"{size.Width}x{size.Height} ({size.Images})"))}{(survey.Sizes.Count > 5 ? $", {survey.Sizes.Count - 5} others" : "")}");
        List($"{survey.Unreadable.Count} unreadable", survey.Unreadable, top, picture => $"{picture.Name}: {picture.Reason}");
        DuplicatePictures[] across = [.. survey.Duplicates.Where(group => group.People.Count > 1)];
        List($"{Plural.Of(survey.Duplicates.Count - across.Length, "image")} stored several times under one person", [.. survey.Duplicates.Where(group => group.People.Count == 1)], top, group => string.Join(" = ", group.Names));
        List($"{Plural.Of(across.Length, "image")} under two people or more (one of the labels is wrong)", across, top, group => string.Join(" = ", group.Names));
        if (survey.LabelNoise is LabelNoise noise)
        {
            PrintNoise(noise, top);
        }
        else
        {
            Line($"labels were not judged; give a model with --package");
        }
    }

    private static void PrintNoise(LabelNoise noise, int top)
    {
        if (noise.Judged == 0)
        {
            Line($"labels were not judged: nobody has two pictures to compare");
            return;
        }

        Line($"{noise.Suspects.Count} of {noise.Judged} labels look wrong ({noise.Suspects.Count(s => s.LooksLikeAnother)} nearer to another person, {noise.Suspects.Count(s => s.IsOutlier)} unlike their own: under {noise.OutlierThreshold:F3}, median {noise.MedianSimilarity:F3}); look before you delete");
        if (noise.Suspects.Count == 0 || top == 0)
        {
            return;
        }

        Table table = new Table().Border(TableBorder.Simple).AddColumn("image").AddColumn(new TableColumn("own person").RightAligned()).AddColumn(new TableColumn("nearest other").RightAligned()).AddColumn("who");
        foreach (SuspectLabel suspect in noise.Suspects.Take(top))
        {
            table.AddRow(Output.Cell(suspect.Name), suspect.OwnSimilarity.ToString("F3", CultureInfo.InvariantCulture), suspect.NearestSimilarity.ToString("F3", CultureInfo.InvariantCulture), Output.Cell(suspect.NearestPerson));
        }

        AnsiConsole.Write(table);
        More(noise.Suspects.Count, top);
    }

    private static void List<T>(string title, IReadOnlyList<T> items, int top, Func<T, string> text)
    {
        Line($"{title}");
        foreach (T item in items.Take(top))
        {
            Line($"  {text(item)}");
        }

        More(items.Count, top);
    }

    private static void More(int count, int top)
    {
        if (count > top && top > 0)
        {
            Line($"  ... and {count - top} more (--top, --json)");
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

    private static void Line(FormattableString text) => Console.WriteLine(FormattableString.Invariant(text));
}
