using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Vision.Quality;

namespace UniFace.Cli.Commands;

/// <summary>uniface quality: which photos are good enough to enrol, and what is wrong with the others.</summary>
internal static class QualityCommand
{
    private sealed record Judged(string Photo, FaceQuality? Quality, IReadOnlyList<QualityFault> Faults, string? Unreadable);

    public static Command Create()
    {
        Argument<string> images = new("IMAGES") { Description = "A photo (- for standard input), a folder of photos at any depth, or a tar of them." };
        Option<double?> eyes = Limit("--min-eyes", "Pixels between the eyes, at least; 20 by default.", "PIXELS");
        Option<double?> sharpness = Limit("--min-sharpness", "Sharpness, at least; 0.14 by default.", "X");
        Option<double?> yaw = Limit("--max-yaw", "Degrees to a side, at most; 35 by default.", "DEGREES");
        Option<double?> pitch = Limit("--max-pitch", "Degrees up or down, at most; 25 by default.", "DEGREES");
        VisionOptions vision = new();
        Command command = new("quality", "Say of each photo whether its main face is good enough to be enrolled, and if not, why. Exit code 1 where one is not.\nExample: uniface quality photos")
        {
            images, eyes, sharpness, yaw, pitch, vision.Strict,
        };
        vision.AddDetection(command);
        command.SetAction((parsed, stop) =>
        {
            QualityOptions defaults = new();
            EnrollmentGate gate = new(defaults with
            {
                MinEyeDistance = parsed.GetValue(eyes) ?? defaults.MinEyeDistance,
                MinSharpness = parsed.GetValue(sharpness) ?? defaults.MinSharpness,
                MaxYaw = parsed.GetValue(yaw) ?? defaults.MaxYaw,
                MaxPitch = parsed.GetValue(pitch) ?? defaults.MaxPitch,
            });
            using FacePipeline pipeline = vision.OpenPipeline(parsed, (AlignmentTemplate.ArcFace112.Width, AlignmentTemplate.ArcFace112.Height));
            using PhotoSet photos = PhotoSet.Open(parsed.GetRequiredValue(images));
            Judged[] judged = new Judged[photos.Names.Count];
            using (Progress progress = new("looking", judged.Length))
            {
                Parallel.For(0, judged.Length, new ParallelOptions { MaxDegreeOfParallelism = vision.ThreadCount(parsed), CancellationToken = stop }, i =>
                {
                    judged[i] = Judge(photos, i, pipeline, gate);
                    progress.Add();
                });
            }

            Show(parsed.GetValue(CommonOptions.Json), photos, judged, pipeline.DetectorName);
            return Task.FromResult(judged.All(Good) ? ExitCode.Success : ExitCode.Negative);
        });
        return command;
    }

    private static Option<double?> Limit(string name, string description, string help) => new(name) { Description = description, HelpName = help };

    private static Judged Judge(PhotoSet photos, int index, FacePipeline pipeline, EnrollmentGate gate)
    {
        string name = photos.Names[index];
        try
        {
            if (pipeline.Align(photos.Read(index), name) is not AlignedFace face)
            {
                return new Judged(name, null, [], "no face found");
            }

            FaceQuality quality = FaceQuality.Measure(face);
            return new Judged(name, quality, gate.Check(quality), null);
        }
        catch (UniFaceException e)
        {
            return new Judged(name, null, [], e.Message);
        }
    }

    /// <summary>An enumeration's name as words: TurnedAway is "turned away".</summary>
    private static string Words(string name) => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(name).Replace('-', ' ');

    private static bool Good(Judged judged) => judged.Unreadable is null && judged.Faults.Count == 0;

    private static void Show(bool json, PhotoSet photos, Judged[] judged, string detector)
    {
        int good = judged.Count(Good), faceless = judged.Count(j => j.Unreadable is not null);
        Dictionary<string, int> reasons = judged.SelectMany(j => j.Faults.Select(f => f.Kind)).GroupBy(k => k)
            .OrderByDescending(g => g.Count()).ToDictionary(g => g.Key.ToString(), g => g.Count());
        if (json)
        {
            Output.Json(new
            {
                photos = judged.Length,
                good,
                faceless,
                reasons,
                detector,
                judged = judged.Select(j => new { j.Photo, good = Good(j), j.Quality, faults = j.Faults.Select(f => new { f.Kind, f.Message }), j.Unreadable }),
                leftOut = photos.LeftOut,
                ignoredFiles = photos.IgnoredFiles,
            });
            return;
        }

        foreach (Judged photo in judged.Where(j => !Good(j)))
        {
            Console.WriteLine($"{Output.Name(photo.Photo)}: {photo.Unreadable ?? string.Join("; ", photo.Faults.Select(f => f.Message))}");
        }

        if (reasons.Count > 0 && judged.Length > 1)
        {
            Table table = new Table().Border(TableBorder.Simple).AddColumn("reason").AddColumn(new TableColumn("photos").RightAligned());
            foreach ((string reason, int count) in reasons)
            {
                table.AddRow(Words(reason), count.ToString(CultureInfo.InvariantCulture));
            }

            AnsiConsole.Write(table);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{good} of {Plural.Of(judged.Length, "photo is", "photos are")} good enough to enrol, {faceless} without a face that can be read ({detector})"));
        Output.LeftOut(photos);
    }
}
