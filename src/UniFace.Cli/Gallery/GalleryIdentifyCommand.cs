using System.CommandLine;
using UniFace.Cli.Photos;
using UniFace.Cli.Terminal;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Packages;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery identify`: identifies the person in a photo.</summary>
internal static class GalleryIdentifyCommand
{
    private const string Match = "match", Unknown = "unknown", NoFace = "no-face";

    private const string Description = """
        Identify the main face of a photo, or report that the person is not enrolled.
        Exit code 0: identified, 1: unknown or no face, 2: bad input.
        Example: uniface gallery identify people.gallery photo.jpg --fmr 1e-4
        """;

    public static Command Create()
    {
        Argument<string> image = new("IMAGE") { Description = "A photo; - for standard input." };
        CliOption<double?> threshold = new(
            "--threshold", "Cosine at or above which the photo shows the person. Default: the threshold from the package's calibration.", "COSINE");
        CliOption<double?> fmr = new(
            "--fmr",
            "False match rate of the threshold, according to the package's calibration. Default: 1e-3. " +
            "A stranger is compared with everybody: with N people enrolled, a false match is about N times as likely.",
            "RATE");
        CliOption<int> candidates = new("--candidates", "Number of most similar people to report, match or not.") { Default = 5, Range = (1, 10_000) };
        GalleryOptions options = new();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters =
        [
            options.Gallery, image, threshold, fmr, candidates, vision.Strict, options.Package, .. options.Keys, .. vision.Detection, .. vision.Model,
        ];
        return CliCommand.Create("identify", Description, parameters, async (parsed, stop) =>
        {
            string path = parsed.GetRequiredValue(image);
            byte[] bytes = PhotoSet.ReadPhoto(path);
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop);
            (ModelPackage package, OnnxEmbedder embedder) = options.OpenModel(parsed, vision, gallery);
            using OnnxEmbedder owned = embedder;
            Calibration? calibration = package.LoadCalibration(embedder.Manifest);
            Decision decision = Decision.Of(package, calibration, parsed.GetValue(threshold), parsed.GetValue(fmr));
            using FacePipeline pipeline = vision.OpenPipeline(parsed, embedder.InputSize);
            AlignedFace? main = pipeline.Align(bytes, path);
            Identification? answer = main is AlignedFace face
                ? await gallery.IdentifyAsync(embedder.Embed([face.Image]), embedder.Manifest.ContractId, decision.Threshold, parsed.GetValue(candidates), stop)
                : null;
            string decided = answer is null ? NoFace : answer.IsMatch ? Match : Unknown;
            double? score = answer is { Candidates: [GalleryCandidate best, ..] } ? best.Score : null;
            object json = new
            {
                decision = decided,
                answer?.Person,
                score,
                falseMatchRate = score is double s ? calibration?.FalseMatchRateAt(s) : null,
                decision.Threshold,
                thresholdFalseMatchRate = decision.FalseMatchRate,
                candidates = (answer?.Candidates ?? [])
                    .Select(c => new { c.Person, c.Score, falseMatchRate = calibration?.FalseMatchRateAt(c.Score) }),
                calibrationWarning = calibration?.Warning,
                faces = main?.FacesInPhoto ?? 0,
                ambiguous = main is { Ambiguous: true },
                embedder.Manifest.ContractId,
                detector = pipeline.DetectorName,
            };
            long people = (await gallery.CountAsync(stop)).People;
            parsed.Print(json, () =>
            {
                if (main is { Ambiguous: true })
                {
                    Console.WriteLine($"{Output.Name(path)}: {FacePipeline.AmbiguityOf(main)}");
                }

                Show(path, answer, score, decision, calibration, people);
            });
            GalleryOptions.WarnOfDamage(gallery);
            return decided == Match ? ExitCode.Success : ExitCode.Negative;
        });
    }

    private static void Show(string path, Identification? answer, double? score, Decision decision, Calibration? calibration, long people)
    {
        if (answer is null)
        {
            Console.WriteLine($"{path}: no face found");
            return;
        }

        string who = answer.IsMatch ? $"{Output.Name(answer.Person!)}: score {score:F4}, " : "unknown: ";
        Console.WriteLine($"{who}threshold {decision.Threshold:F4}{decision.RateText(calibration)}");
        foreach (GalleryCandidate candidate in answer.Candidates)
        {
            string chance = calibration is null
                ? ""
                : $"  (two different people reach this score in {Decision.AtScore(calibration, candidate.Score)} comparisons)";
            Console.WriteLine($"  {candidate.Score:F4}  {Output.Name(candidate.Person)}{chance}");
        }

        Output.Warn(calibration?.Warning);
        if (decision.FalseMatchRate is double each)
        {
            // Comparisons with different people are not independent; the sum of their rates is an upper bound in any case.
            Console.WriteLine(
                $"among {Plural.Of(people, "person")}, a stranger is taken for somebody in at most {Math.Min(1, people * each):P1} of searches " +
                "at this threshold");
        }
    }
}
