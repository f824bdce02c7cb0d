using UniFace.Vision.Detection;

namespace UniFace.Cli.Photos;

/// <summary>`uniface align`: turns photos into aligned faces.</summary>
internal static class AlignCommand
{
    private const string Description = """
        Find the face in each photo and align it to 112x112 pixels, as training and most models expect, or as one model does. The folders are kept.
        Example: uniface align photos faces --min-face 40
        Example: uniface align photos faces --for dlib-resnet
        """;

    public static Command Create()
    {
        Argument<string> photos = new("PHOTOS") { Description = "A photo, a folder of photos (at any depth; its folders are kept), or a tar of either." };
        Argument<string> output = new("OUT")
        {
            Description = "Folder for the faces, contact-sheet.jpg and align-report.json. It must be outside the folder of the photos, and not contain it.",
        };
        VisionOptions vision = new();
        CliOption<FaceChoice> faces = new(
            "--faces",
            "largest: one face per photo, the main one (large, central, clearly a face). all: every face (photo.jpg, photo.face2.jpg ...).",
            "largest|all");
        CliOption<int> size = new("--size", "Side of a face in pixels; a multiple of 112 or 128.", "PIXELS") { Default = 112 };
        CliOption<string?> model = new(
            "--for", "Align for this model: with the template and the size in its package (folder, or name from 'uniface models list').", "PACKAGE");
        CliOption<CropFormat> format = new("--format", "jpg: quality 97 at full color resolution. png: lossless.", "jpg|png");
        CliOption<float?> minScore = new("--min-score", "Skip faces with a lower detection score. Default: the detector's own limit.", "SCORE")
        {
            Range = (0, 1),
        };
        CliOption<float> minFace = new("--min-face", "Skip faces whose longer side in the photo is shorter than this.", "PIXELS")
        {
            Min = 0,
        };
        CliOption<bool> overwrite = new("--overwrite", "Align photos again whose faces are already in OUT. Without it, an interrupted run continues.");
        IEnumerable<Symbol> parameters =
            [photos, output, faces, size, model, format, minScore, minFace, overwrite, vision.Strict, vision.Detector, vision.Threads, CommonOptions.Config];
        return CliCommand.Create("align", Description, parameters, (parsed, stop) =>
        {
            parsed.Exclude(model, size, "the package says the size");
            AlignmentTemplate? template = parsed.GetValue(model) is string package ? Template(package) : null;
            using PhotoSet set = PhotoInput.Open(parsed.GetRequiredValue(photos));
            AlignOptions options = new()
            {
                Photos = vision.Photos(parsed) with
                {
                    Detection = new DetectorOptions { MinScore = parsed.GetValue(minScore) },
                    MinFaceSize = parsed.GetValue(minFace),
                },
                Size = parsed.GetValue(size),
                Template = template,
                Faces = parsed.GetValue(faces),
                Format = parsed.GetValue(format),
                Overwrite = parsed.GetValue(overwrite),
                Threads = vision.ThreadCount(parsed),
            };
            AlignReport report;
            using (ProgressMeter progress = new("aligning", set.Names.Count))
            {
                report = PhotoAligner.Align(set, parsed.GetRequiredValue(output), options, () => progress.Add(), stop);
            }

            AlignSummary summary = report.Summary;
            parsed.Print(summary, () => Show(report));
            stop.ThrowIfCancellationRequested();
            if (summary.Aligned + summary.Existing == 0)
            {
                throw new UniFaceException($"{set.Source}: {Plural.Format(set.Names.Count, "photo")}, but no usable face; {summary.Report} says why.");
            }
        });
    }

    private static AlignmentTemplate Template(string package) => ModelPackage.Open(package).Manifest?.CreateTemplate()
        ?? throw new UniFaceException($"{package} is a bare .onnx file, which does not say how faces are aligned; give a package, or --size.");

    private static void Show(AlignReport report)
    {
        AlignSummary summary = report.Summary;
        (string What, int Count, string Note)[] rows =
        [
            ("photos", summary.Photos, ""),
            ("aligned", summary.Aligned, $"{Plural.Format(summary.Faces, "face")}; {summary.ImagesPerSecond:F1} images/s, {summary.Seconds:F1} s"),
            ("already aligned", summary.Existing, "use --overwrite to align them again"),
            ("several faces", summary.SeveralFaces, summary.Settings.Faces == FaceChoice.All ? "all were used" : "the main one was used"),
            ("ambiguous", summary.Ambiguous, Names(AlignOutcome.Ambiguous)),
            ("no face", summary.NoFace, Names(AlignOutcome.NoFace)),
            ("too small", summary.TooSmall, Names(AlignOutcome.TooSmall)),
            ("unreadable", summary.Unreadable, Names(AlignOutcome.Unreadable)),
            ("left out", summary.LeftOut, SkippedFile.First(report.LeftOut)),
        ];
        Output.Table(["", "", ""], rows.Where((row, i) => i < 2 || row.Count > 0).Select(row => (object[])[row.What, row.Count, row.Note]));
        Console.WriteLine($"details: {summary.Report}; {summary.ContactSheet ?? "no contact sheet, because no face was found"}");

        string Names(AlignOutcome outcome)
        {
            string[] photos = [.. report.Skipped.Where(entry => entry.Reason == outcome).Select(entry => entry.Photo)];
            return string.Join(", ", photos.Take(3)) + (photos.Length > 3 ? " ..." : "");
        }
    }
}
