using System.CommandLine;
using System.Globalization;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery identify: who is on a photo?</summary>
internal static class GalleryIdentifyCommand
{
    private const string Match = "match", Unknown = "unknown", NoFace = "no-face";

    public static Command Create()
    {
        Argument<string> image = new("IMAGE") { Description = "A photo; - for standard input." };
        Option<double?> threshold = new("--threshold") { Description = "Cosine at or above which it is the person; without it, the package's calibration says it.", HelpName = "COSINE" };
        Option<double?> fmr = new("--fmr") { Description = "False match rate to decide at, by the package's calibration; 1e-3 by default. A stranger is compared with everybody: among N people, about N times as often taken for somebody.", HelpName = "RATE" };
        Option<int> candidates = new("--candidates") { Description = "How many of the most alike people to name, match or not.", DefaultValueFactory = _ => 5, HelpName = "N" };
        GalleryOptions options = new();
        VisionOptions vision = new();
        Command command = new(
            "identify",
            "Say who the main face of a photo is, or that it is nobody who is enrolled. Exit code 0: somebody, 1: unknown or no face, 2: bad input." +
            "\nExample: uniface gallery identify people.gallery photo.jpg --fmr 1e-4");
        command.Add(options.Gallery);
        command.Add(image);
        command.Add(threshold);
        command.Add(fmr);
        command.Add(candidates);
        command.Add(vision.Strict);
        command.Add(options.Package);
        options.AddKeyTo(command);
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction(async (parsed, stop) =>
        {
            int named = parsed.GetValue(candidates) is int n and >= 1 and <= 10_000 ? n : throw new UniFaceException($"--candidates {parsed.GetValue(candidates)}: expected 1 to 10,000.");
            string path = parsed.GetRequiredValue(image);
            byte[] bytes = PhotoSet.ReadPhoto(path);
            await using IStoredGallery gallery = await options.OpenAsync(parsed, stop).ConfigureAwait(false);
            using FaceRecognizer recognizer = options.OpenModel(parsed, vision, gallery);
            OnnxEmbedder embedder = recognizer.Embedder;
            Calibration? calibration = recognizer.Calibration;
            Decision decision = Decision.Of(recognizer.Package, calibration, parsed.GetValue(threshold), parsed.GetValue(fmr));
            FacePipeline pipeline = recognizer.Photos;
            AlignedFace? main = pipeline.Align(bytes, path);
            Identification? answer = main is AlignedFace face
                ? await gallery.IdentifyAsync(embedder.Embed([face.Image]), embedder.Manifest.ContractId, decision.Threshold, named, stop).ConfigureAwait(false)
                : null;
            string decided = answer is null ? NoFace : answer.IsMatch ? Match : Unknown;
            double? score = answer is { Candidates: [GalleryCandidate best, ..] } ? best.Score : null;
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    decision = decided,
                    person = answer?.Person,
                    score,
                    falseMatchRate = score is double s ? calibration?.FalseMatchRateAt(s) : null,
                    threshold = decision.Threshold,
                    thresholdFalseMatchRate = decision.FalseMatchRate,
                    candidates = (answer?.Candidates ?? []).Select(c => new { person = c.Person, score = c.Score, falseMatchRate = calibration?.FalseMatchRateAt(c.Score) }),
                    calibrationWarning = calibration?.Warning,
                    faces = main?.FacesInPhoto ?? 0,
                    ambiguous = main is { Ambiguous: true },
                    contractId = embedder.Manifest.ContractId,
                    detector = pipeline.DetectorName,
                });
            }
            else
            {
                if (main is { Ambiguous: true })
                {
                    Console.WriteLine($"{Output.Name(path)}: {FacePipeline.AmbiguityOf(main)}");
                }

                Show(path, decided, answer, score, decision, calibration, (await gallery.CountAsync(stop).ConfigureAwait(false)).People);
            }

            GalleryOptions.WarnOfDamage(gallery);
            return decided == Match ? ExitCode.Success : ExitCode.Negative;
        });
        return command;
    }

    private static void Show(string path, string decided, Identification? answer, double? score, Decision decision, Calibration? calibration, long people)
    {
        static string Text(FormattableString text) => FormattableString.Invariant(text);
        if (answer is null)
        {
            Console.WriteLine($"{path}: no face found");
            return;
        }

        string rate = decision.FalseMatchRate is double stated && calibration is not null ? Text($" at a false match rate of {stated:G3} ({calibration.Data.Name})") : "";
        Console.WriteLine(decided == Match ? Text($"{Output.Name(answer.Person!)}: score {score:F4}, threshold {decision.Threshold:F4}{rate}") : Text($"unknown: threshold {decision.Threshold:F4}{rate}"));
        foreach (GalleryCandidate candidate in answer.Candidates)
        {
            Console.WriteLine(Text($"  {candidate.Score:F4}  {Output.Name(candidate.Person)}{(calibration is null ? "" : $"  (two different people score so much in {Decision.AtScore(calibration, candidate.Score)} comparisons)")}"));
        }

        Output.Warn(calibration?.Warning);
        if (decision.FalseMatchRate is double each)
        {
            // Comparisons with different people are not independent; the sum of their rates is a bound whatever they are.
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"among {Plural.Of(people, "person")}, a stranger is taken for somebody in at most {Math.Min(1, people * each):P1} of searches at this threshold"));
        }
    }
}
