namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery identify`: identifies the person in a photo.</summary>
internal static class GalleryIdentifyCommand
{
    private const string Description = """
        Identify the main face of a photo, or report that the person is not enrolled.
        Exit code 0: identified, 1: unknown or no face, 2: bad input.
        Example: uniface gallery identify people.gallery photo.jpg --fpir 0.01
        """;

    public static Command Create()
    {
        Argument<string> image = new("IMAGE") { Description = "A photo; - for standard input." };
        DecisionOptions decide = new();
        decide.FalseMatchRate.Description = "False match rate of each comparison, according to the package's calibration, instead of --fpir.";
        CliOption<int> candidates = new("--candidates", "Number of most similar people to report, match or not.") { Default = 5, Range = (1, 10_000) };
        GalleryOptions options = new();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters =
        [
            options.Gallery, image, decide.FalsePositiveIdentificationRate, decide.FalseMatchRate, decide.Threshold, candidates, vision.Strict,
            vision.Liveness, options.Package, .. options.Keys, .. vision.Detection, .. vision.Model,
        ];
        return CliCommand.Create("identify", Description, parameters, async (parsed, stop) =>
        {
            string path = parsed.GetRequiredValue(image);
            byte[] bytes = PhotoInput.Read(path);
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            using FaceRecognizer recognizer = options.OpenModel(parsed, vision, gallery);
            Calibration? calibration = recognizer.Calibration;
            GalleryCounts counts = await gallery.CountAsync(stop);
            Decision decision = DecisionOptions.Decide(recognizer.Package, () => decide.Rule(parsed).ForIdentification(calibration, counts.Templates));
            AlignedFace? main = recognizer.Photos.Align(bytes, path);
            float[] probe = main is null ? [] : recognizer.Embedder.Embed([main.Image]); // [D]
            Identification? answer = main is null
                ? null
                : await gallery.IdentifyAsync(probe, recognizer.ContractId, decision.Threshold, parsed.GetValue(candidates), stop);
            double? score = answer is { Candidates: [GalleryCandidate best, ..] } ? best.Score : null;
            object json = new
            {
                decision = answer is null ? "no-face" : answer.IsMatch ? "match" : "unknown",
                answer?.Person,
                score,
                falseMatchRate = score is double s ? calibration?.FalseMatchRateAt(s) : null,
                decision.Threshold,
                thresholdFalseMatchRate = decision.FalseMatchRate,
                decision.FalsePositiveIdentificationRate,
                decisionNote = decision.Note,
                recognizer.Manifest.Suitability,
                candidates = (answer?.Candidates ?? [])
                    .Select(c => new { c.Person, c.Score, falseMatchRate = calibration?.FalseMatchRateAt(c.Score) }),
                calibrationWarning = calibration?.Warning,
                faces = main?.FacesInPhoto ?? 0,
                ambiguous = main is { Ambiguous: true },
                main?.Liveness,
                recognizer.ContractId,
                detector = recognizer.Photos.DetectorName,
            };
            parsed.Print(json, () =>
            {
                if (main is { Ambiguous: true })
                {
                    Console.WriteLine($"{Output.Name(path)}: {FacePipeline.DescribeAmbiguity(main)}");
                }

                Show(path, answer, score, decision, calibration, counts);
                VisionOptions.NoteSuitability(recognizer.Manifest);
            });
            GalleryOptions.WarnOfDamage(gallery);
            return answer is { IsMatch: true };
        });
    }

    private static void Show(string path, Identification? answer, double? score, Decision decision, Calibration? calibration, GalleryCounts counts)
    {
        if (answer is null)
        {
            Console.WriteLine($"{path}: no face found");
            return;
        }

        string who = answer.IsMatch ? $"{Output.Name(answer.Person!)}: score {score:F4}, " : "unknown: ";
        Console.WriteLine($"{who}threshold {decision.Threshold:F4}{DecisionOptions.RateText(decision, calibration)}");
        string[] columns = calibration is null ? ["person", "score", "decision"] : ["person", "score", "decision", "a stranger reaches this score in"];
        Output.Table(columns, answer.Candidates.Select(candidate => (object[])
        [
            candidate.Person,
            candidate.Score.ToString("F4", CultureInfo.InvariantCulture),
            decision.IsMatch(candidate.Score) ? "match" : "no match",
            .. calibration is null ? Array.Empty<object>() : [$"{calibration.DescribeRateAt(candidate.Score)} comparisons"],
        ]));

        Output.Warn(calibration?.Warning);
        Output.Warn(decision.Note);
        if (decision.FalsePositiveIdentificationRate is double rate)
        {
            Console.WriteLine(
                $"with {Plural.Format(counts.Templates, "enrolled face")} of {Plural.Format(counts.People, "person")}, a person who is not enrolled " +
                $"matches somebody in about {rate:P1} of searches");
        }
    }
}
