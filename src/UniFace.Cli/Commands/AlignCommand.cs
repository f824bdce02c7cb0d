using System.CommandLine;
using Spectre.Console;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Vision.Detection;
using UniFace.Vision.Photos;

namespace UniFace.Cli.Commands;

/// <summary>uniface align: from photos to aligned faces, the folders kept.</summary>
internal static class AlignCommand
{
    public static Command Create()
    {
        Argument<string> photos = new("PHOTOS") { Description = "A photo, a folder of photos (its folders are kept, at any depth), or a tar of either." };
        Argument<string> output = new("OUT")
        {
            Description = "Folder for the faces, contact-sheet.jpg and align-report.json; not that of the photos, nor in or around it.",
        };
        VisionOptions vision = new();
        Option<FaceChoice> faces = new("--faces") { Description = "largest: one face per photo, the main one (large, central, clearly a face). all: every face (photo.jpg, photo.face2.jpg ...).", HelpName = "largest|all" };
        Option<int> size = new("--size") { Description = "Side of a face in pixels; a multiple of 112 or 128.", DefaultValueFactory = _ => 112, HelpName = "PIXELS" };
        Option<CropFormat> format = new("--format") { Description = "jpg: quality 97 with full colour resolution. png: lossless.", HelpName = "jpg|png" };
        Option<float?> minScore = new("--min-score") { Description = "Leave out faces that the detector is less sure of, 0 to 1; without it, the detector's own limit.", HelpName = "SCORE" };
        Option<float> minFace = new("--min-face") { Description = "Leave out faces whose longer side in the photo is below this.", HelpName = "PIXELS" };
        Option<bool> overwrite = new("--overwrite") { Description = "Make faces again that are in OUT already; without it, a stopped run goes on where it was." };
        Command command = new("align", "Find the face in each photo and bring it upright to 112x112, as training and models expect it.\nExample: uniface align photos faces --min-face 40")
        {
            photos, output, faces, size, format, minScore, minFace, overwrite, vision.Strict,
        };
        vision.AddDetection(command, orAligned: false);
        command.SetAction((parsed, stop) =>
        {
            float? score = parsed.GetValue(minScore);
            if (score is < 0 or > 1 or float.NaN)
            {
                throw new UniFaceException(FormattableString.Invariant($"--min-score {score}: expected 0 to 1."));
            }

            float smallest = parsed.GetValue(minFace);
            if (!(smallest >= 0 && float.IsFinite(smallest)))
            {
                throw new UniFaceException(FormattableString.Invariant($"--min-face {smallest}: expected 0 pixels or more."));
            }

            using PhotoSet set = PhotoSet.Open(parsed.GetRequiredValue(photos));
            AlignOptions options = new()
            {
                Photos = vision.Photos(parsed) with { Detection = new DetectorOptions { MinScore = score }, MinFaceSize = smallest },
                Size = parsed.GetValue(size),
                Faces = parsed.GetValue(faces),
                Format = parsed.GetValue(format),
                Overwrite = parsed.GetValue(overwrite),
                Threads = vision.ThreadCount(parsed),
            };
            AlignReport report;
            using (Progress progress = new("aligning", set.Names.Count))
            {
                report = PhotoAligner.Align(set, parsed.GetRequiredValue(output), options, () => progress.Add(), stop);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(report.Summary);
            }
            else
            {
                Print(report);
            }

            stop.ThrowIfCancellationRequested();
            return report.Summary.Aligned + report.Summary.Existing > 0
                ? Task.FromResult(ExitCode.Success)
                : throw new UniFaceException($"{set.Source}: no photo of {set.Names.Count} shows a face that can be used; {report.Summary.Report} says why.");
        });
        return command;
    }

    private static void Print(AlignReport report)
    {
        AlignSummary summary = report.Summary;
        Table table = new Table().Border(TableBorder.Simple).HideHeaders().AddColumn("what").AddColumn(new TableColumn("count").RightAligned()).AddColumn("note");
        table.AddRow("photos", $"{summary.Photos}", "");
        table.AddRow("aligned", $"{summary.Aligned}", FormattableString.Invariant($"{Plural.Of(summary.Faces, "face")}; {summary.ImagesPerSecond:F1} images/s, {summary.Seconds:F1} s"));
        Row("there already", summary.Existing, "--overwrite makes them again");
        Row("several faces", summary.SeveralFaces, summary.Settings.Faces == FaceChoice.All ? "all taken" : "the main one was taken");
        Row("ambiguous", summary.Ambiguous, Names(AlignOutcome.Ambiguous));
        Row("no face", summary.NoFace, Names(AlignOutcome.NoFace));
        Row("too small", summary.TooSmall, Names(AlignOutcome.TooSmall));
        Row("unreadable", summary.Unreadable, Names(AlignOutcome.Unreadable));
        Row("left out", summary.LeftOut, LeftOutFile.First(report.LeftOut));
        AnsiConsole.Write(table);
        Console.WriteLine($"{summary.Report} says which and why; {summary.ContactSheet ?? "no face, no contact sheet"}");

        void Row(string what, int count, string note)
        {
            if (count > 0)
            {
                table.AddRow(what, $"{count}", Output.Cell(note));
            }
        }

        string Names(AlignOutcome outcome)
        {
            List<AlignEntry> some = [.. report.Skipped.Where(entry => entry.Reason == outcome).Take(3)];
            return string.Join(", ", some.Select(entry => entry.Photo)) + (report.Skipped.Count(entry => entry.Reason == outcome) > some.Count ? " ..." : "");
        }
    }
}
