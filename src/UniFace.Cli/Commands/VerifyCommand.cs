using System.CommandLine;
using System.Globalization;
using UniFace.Data;
using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface verify: are two photos of one person?</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        Argument<string[]> inputs = new("[PACKAGE] A B")
        {
            Description = "A model package (folder, name of 'uniface models list', or a bare .onnx file), then two photos, " +
                "one of which may be - for standard input. Without the package, the installed default.",
            Arity = new ArgumentArity(2, 3),
        };
        Option<double?> threshold = new("--threshold") { Description = "Cosine at or above which two faces are one person; without it, the package's calibration says it.", HelpName = "COSINE" };
        Option<double?> fmr = new("--fmr") { Description = "False match rate to decide at, by the package's calibration; 1e-3 by default.", HelpName = "RATE" };
        VisionOptions vision = new();
        Command command = new("verify", "Say whether the main faces of two photos are one person. Exit code 0: the same, 1: not, 2: no answer (no face, bad input).\nExample: uniface verify a.jpg b.jpg\nExample: uniface verify model a.jpg b.jpg --fmr 1e-3")
        {
            inputs, threshold, fmr, vision.Strict,
        };
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction((parsed, stop) =>
        {
            string[] given = parsed.GetRequiredValue(inputs);
            using FaceRecognizer recognizer = vision.Open(parsed, given.Length == 3 ? given[0] : null);
            (ModelPackage opened, OnnxEmbedder embedder) = (recognizer.Package, recognizer.Embedder);
            Calibration? calibration = recognizer.Calibration;
            Decision decision = Decision.Of(opened, calibration, parsed.GetValue(threshold), parsed.GetValue(fmr));
            string a = given[^2], b = given[^1];
            if (a == PhotoSet.StandardInput && b == a)
            {
                throw new UniFaceException("- was given twice: standard input is one photo; name a file for the other.");
            }

            FacePipeline pipeline = recognizer.Photos;
            AlignedFace faceA = Face(pipeline, a), faceB = Face(pipeline, b);
            stop.ThrowIfCancellationRequested();
            float[] embeddings = embedder.Embed([faceA.Image, faceB.Image]); // [2, D]
            double score = UnitCosine.Of(embeddings.AsSpan(0, embedder.EmbeddingSize), embeddings.AsSpan(embedder.EmbeddingSize));
            bool same = score >= decision.Threshold;
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    same,
                    model = opened.Source,
                    score,
                    threshold = decision.Threshold,
                    falseMatchRate = decision.FalseMatchRate,
                    falseMatchRateAtScore = calibration?.FalseMatchRateAt(score),
                    calibrationWarning = calibration?.Warning,
                    calibratedOn = decision.FalseMatchRate is null ? null : calibration?.Data.Name,
                    contractId = embedder.Manifest.ContractId,
                    detector = pipeline.DetectorName,
                    a = Seen(a, faceA),
                    b = Seen(b, faceB),
                });
            }
            else
            {
                string rate = decision.FalseMatchRate is double stated && calibration is not null
                    ? string.Create(CultureInfo.InvariantCulture, $" at a false match rate of {stated:G3} ({calibration.Data.Name})")
                    : "";
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(same ? "the same person" : "not the same person")}: score {score:F4}, threshold {decision.Threshold:F4}{rate}"));
                Note(a, faceA);
                Note(b, faceB);
                if (calibration is not null)
                {
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"two different people score this much or more in {Decision.AtScore(calibration, score)} comparisons"));
                    Output.Warn(calibration.Warning);
                }
            }

            return Task.FromResult(same ? ExitCode.Success : ExitCode.Negative);
        });
        return command;
    }

    private static AlignedFace Face(FacePipeline pipeline, string path)
    {
        return pipeline.Align(PhotoSet.ReadPhoto(path), path)
            ?? throw new UniFaceException($"{path}: no face found ({pipeline.DetectorName}); give a photo on which a face is to be seen.");
    }

    private static void Note(string path, AlignedFace face)
    {
        if (face.FacesInPhoto > 1)
        {
            Console.WriteLine($"{Output.Name(path)}: {(face.Ambiguous ? FacePipeline.AmbiguityOf(face) : $"{face.FacesInPhoto} faces; the main one was compared")}");
        }
    }

    private static object Seen(string path, AlignedFace face) => new
    {
        photo = path,
        box = face.Face is DetectedFace f ? new[] { f.X, f.Y, f.Width, f.Height } : null,
        score = face.Face?.Score,
        faces = face.FacesInPhoto,
        ambiguous = face.Ambiguous,
        turnedBy = face.Face?.TurnedBy,
    };
}
