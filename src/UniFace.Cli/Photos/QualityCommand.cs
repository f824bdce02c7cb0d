using UniFace.Vision.Quality;

namespace UniFace.Cli.Photos;

/// <summary>`uniface quality`: checks whether photos are good enough to enroll.</summary>
internal static class QualityCommand
{
    private const string Description = """
        Check whether the main face of each photo is good enough to enroll. Reports what is wrong with the others.
        Exit code 1: at least one photo is not good enough.
        Example: uniface quality photos
        """;

    /// <summary>A photo's quality, or why there is none.</summary>
    private sealed record Result(string Photo, FaceQuality? Quality, IReadOnlyList<QualityFault> Faults, string? Unreadable)
    {
        public bool Good => Unreadable is null && Faults.Count == 0;
    }

    public static Command Create()
    {
        QualityOptions defaults = new();
        Argument<string> images = new("IMAGES") { Description = CommonOptions.Photos };
        CliOption<double> eyes = new("--min-eyes", "Smallest distance between the eyes, in pixels.", "PIXELS") { Default = defaults.MinEyeDistance };
        CliOption<double> sharpness = new("--min-sharpness", "Smallest sharpness.") { Default = defaults.MinSharpness };
        CliOption<double> yaw = new("--max-yaw", "Largest turn to the side, in degrees.", "DEGREES") { Default = defaults.MaxYaw };
        CliOption<double> pitch = new("--max-pitch", "Largest tilt up or down, in degrees.", "DEGREES") { Default = defaults.MaxPitch };
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters = [images, eyes, sharpness, yaw, pitch, vision.Strict, .. vision.Detection];
        return CliCommand.Create("quality", Description, parameters, (parsed, stop) =>
        {
            EnrollmentGate gate = new(defaults with
            {
                MinEyeDistance = parsed.GetValue(eyes),
                MinSharpness = parsed.GetValue(sharpness),
                MaxYaw = parsed.GetValue(yaw),
                MaxPitch = parsed.GetValue(pitch),
            });
            using FacePipeline pipeline = vision.OpenPipeline(parsed, AlignmentTemplate.ArcFace112);
            using PhotoSet photos = PhotoInput.Open(parsed.GetRequiredValue(images));
            List<Result> results = [];
            foreach (PhotoFaces[] chunk in vision.ReadFaces(parsed, "checking", photos, pipeline, stop))
            {
                Result[] checkedPhotos = new Result[chunk.Length];
                ParallelLoop.Run(chunk.Length, i => checkedPhotos[i] = Check(chunk[i], gate), vision.ThreadCount(parsed), stop);
                results.AddRange(checkedPhotos);
            }

            Show(parsed, photos, results, pipeline.DetectorName);
            return results.TrueForAll(r => r.Good);
        });
    }

    private static Result Check(PhotoFaces photo, EnrollmentGate gate)
    {
        if (photo.Faces is not [AlignedFace face])
        {
            return new Result(photo.Name, null, [], photo.Reason);
        }

        FaceQuality quality = FaceQuality.Measure(face);
        return new Result(photo.Name, quality, gate.Check(quality), null);
    }

    private static void Show(ParseResult parsed, PhotoSet photos, List<Result> results, string detector)
    {
        int good = results.Count(r => r.Good), faceless = results.Count(r => r.Unreadable is not null);
        Dictionary<string, int> reasons = results.SelectMany(r => r.Faults).CountBy(f => f.Kind)
            .OrderByDescending(g => g.Value).ToDictionary(g => g.Key.ToString(), g => g.Value);
        object json = new
        {
            photos = results.Count,
            good,
            faceless,
            reasons,
            detector,
            judged = results,
            leftOut = photos.Skipped,
            photos.IgnoredFiles,
        };
        parsed.Print(json, () =>
        {
            foreach (Result photo in results.Where(r => !r.Good))
            {
                Console.WriteLine($"{Output.Name(photo.Photo)}: {photo.Unreadable ?? string.Join("; ", photo.Faults.Select(f => f.Message))}");
            }

            if (reasons.Count > 0 && results.Count > 1)
            {
                Output.Table(["reason", "photos"], reasons.Select(reason => (object[])[Spell(reason.Key), reason.Value]));
            }

            Console.WriteLine(
                $"{good} of {Plural.Format(results.Count, "photo is", "photos are")} good enough to enroll, {faceless} without a readable face ({detector})");
            Output.SkippedFiles(photos);
        });
    }

    /// <summary>Converts TurnedAway to "turned away".</summary>
    private static string Spell(string name) => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(name).Replace('-', ' ');
}
