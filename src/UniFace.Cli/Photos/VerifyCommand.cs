using UniFace.Cli.Models;

namespace UniFace.Cli.Photos;

/// <summary>`uniface verify`: decides whether two photos show one person.</summary>
internal static class VerifyCommand
{
    private const string Description = """
        Decide whether the main faces of two photos are one person. Exit code 0: the same person, 1: not, 2: no answer (no face, bad input).
        Example: uniface verify a.jpg b.jpg
        Example: uniface verify model a.jpg b.jpg --fmr 1e-3
        """;

    public static Command Create()
    {
        Argument<string[]> inputs = new("[PACKAGE] A B")
        {
            Description = "A model package (folder, name from 'uniface models list', or .onnx file), then two photos, one of which may be - for " +
                "standard input. Default package: the installed default model; if there is none, a terminal asks whether to install dlib-resnet.",
            Arity = new ArgumentArity(2, 3),
        };
        DecisionOptions decide = new();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters =
            [inputs, decide.Threshold, decide.FalseMatchRate, vision.Strict, vision.Liveness, .. vision.Detection, .. vision.Model];
        return CliCommand.Create("verify", Description, parameters, (parsed, stop) =>
        {
            string[] given = parsed.GetRequiredValue(inputs);
            if (given.Length == 2 && Directory.Exists(given[0]))
            {
                throw new UniFaceException($"{given[0]} is a folder, and only {given[1]} follows; give two photos: uniface verify PACKAGE A B.");
            }

            using FaceRecognizer recognizer = vision.Open(parsed, given.Length == 3 ? given[0] : DefaultModel.Require(parsed, stop));
            Calibration? calibration = recognizer.Calibration;
            Decision decision = DecisionOptions.Decide(recognizer.Package, () => decide.Rule(parsed).ForVerification(calibration));
            string a = given[^2], b = given[^1];
            if (a == PhotoInput.StandardInput && b == a)
            {
                throw new UniFaceException("- was given twice, but standard input is one photo; name a file for the other.");
            }

            FacePipeline pipeline = recognizer.Photos;
            AlignedFace faceA = Face(pipeline, a), faceB = Face(pipeline, b);
            stop.ThrowIfCancellationRequested();
            Verification answer = recognizer.Compare(recognizer.EmbedAligned(faceA, a), recognizer.EmbedAligned(faceB, b), decision);
            (bool same, double score) = (answer.IsMatch, answer.Score);
            object json = new
            {
                same,
                model = recognizer.Package.Source,
                score,
                decision.Threshold,
                decision.FalseMatchRate,
                falseMatchRateAtScore = answer.FalseMatchRateAtScore,
                calibrationWarning = calibration?.Warning,
                decisionNote = decision.Note,
                recognizer.Manifest.Suitability,
                calibratedOn = decision.FalseMatchRate is null ? null : calibration?.Data.Name,
                recognizer.ContractId,
                detector = pipeline.DetectorName,
                a = DescribeFace(a, faceA),
                b = DescribeFace(b, faceB),
            };
            parsed.Print(json, () =>
            {
                string words = same ? "the same person" : "not the same person";
                Console.WriteLine($"{words}: score {score:F4}, threshold {decision.Threshold:F4}{DecisionOptions.RateText(decision, calibration)}");
                Note(a, faceA);
                Note(b, faceB);
                if (calibration is not null)
                {
                    Console.WriteLine($"two different people reach this score in {calibration.DescribeRateAt(score)} comparisons");
                    Output.Warn(calibration.Warning);
                }

                Output.Warn(decision.Note);
                VisionOptions.NoteSuitability(recognizer.Manifest);
            });
            return same;
        });
    }

    private static AlignedFace Face(FacePipeline pipeline, string path) => pipeline.Align(PhotoInput.Read(path), path)
        ?? throw new UniFaceException($"{path}: no face found ({pipeline.DetectorName}); give a photo that shows a face.");

    private static void Note(string path, AlignedFace face)
    {
        if (face.FacesInPhoto > 1)
        {
            string note = face.Ambiguous ? FacePipeline.DescribeAmbiguity(face) : $"{face.FacesInPhoto} faces; the main one was compared";
            Console.WriteLine($"{Output.Name(path)}: {note}");
        }
    }

    private static object DescribeFace(string path, AlignedFace face) => new
    {
        photo = path,
        box = face.Face is DetectedFace f ? new[] { f.X, f.Y, f.Width, f.Height } : null,
        face.Face?.Score,
        faces = face.FacesInPhoto,
        face.Ambiguous,
        face.Face?.TurnedBy,
        face.Liveness,
    };
}
