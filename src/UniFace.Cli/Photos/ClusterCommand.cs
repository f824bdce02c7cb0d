using UniFace.Clustering;

namespace UniFace.Cli.Photos;

/// <summary>`uniface cluster`: sorts unlabelled photos into one folder per person.</summary>
internal static class ClusterCommand
{
    private const string Description = """
        Sort unlabelled photos into one folder per person. The number of people need not be known. When in doubt, people are kept
        separate rather than merged.
        Example: uniface cluster dlib-resnet photos sorted
        """;

    public static Command Create()
    {
        Argument<string> photos = new("PHOTOS") { Description = "A folder of photos at any depth, or a tar of photos." };
        Argument<string> output = new("OUT")
        {
            Description = "A new folder: person-0001 and so on, the largest first, with copies of the photos; 'alone' for unmatched faces; " +
                "and clusters.json.",
        };
        DecisionOptions decide = new();
        decide.Threshold.Description = "Mean cosine at or above which two groups are one person. Default: the threshold from the package's calibration.";
        decide.FalseMatchRate.Description =
            "False match rate of the threshold. A smaller rate splits people rather than merging them. " +
            "Default: the rate at which a face has 0.5 false matches on average, at most 1e-3.";
        CliOption<bool> main = new("--main-face", "Use only the main face of each photo. Default: all faces, so a photo of two people is in two folders.");
        CliOption<bool> labelled = new(
            "--labelled",
            "The photos are in one folder per person: also measure how well the groups fit (pairwise and BCubed precision, recall, F). Implies --main-face.");
        CliOption<int?> personLevel = CommonOptions.PersonLevel();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters =
        [
            vision.Package, photos, output, decide.Threshold, decide.FalseMatchRate, main, labelled, personLevel, .. vision.Detection, .. vision.Model,
            CommonOptions.Config,
        ];
        return CliCommand.Create("cluster", Description, parameters, (parsed, stop) =>
        {
            using FaceRecognizer recognizer = vision.Open(parsed);
            Calibration? calibration = recognizer.Calibration;
            _ = Decide(2); // Checks the options before the photos are read.
            string target = parsed.GetRequiredValue(output);
            Output.RequireNewFolder(target);
            using PhotoSet set = PhotoInput.Open(parsed.GetRequiredValue(photos));
            set.RequireApart(target);
            bool withLabels = parsed.GetValue(labelled);
            IReadOnlyList<string>? labels = withLabels ? set.PeopleByFolder(parsed.GetValue(personLevel)) : null;
            FaceChoice choice = withLabels || parsed.GetValue(main) ? FaceChoice.Largest : FaceChoice.All;
            IEnumerable<PhotoFaces[]> chunks = vision.ReadFaces(parsed, "embedding", set, recognizer.Photos, stop, choice);
            PhotoClusters clusters = PhotoClusters.Create(set, chunks, recognizer.Embedder, faces => Decide(faces).Threshold, stop);
            Decision decision = Decide(clusters.Faces.Count);
            double? rate = parsed.GetValue(decide.Threshold) is null ? decision.FalseMatchRate : null;
            string? warning = rate is null ? null : calibration?.Warning;
            ClusteringScore? score = labels is null ? null : ClusteringScore.Measure(clusters.Groups, [.. clusters.Faces.Select(face => labels[face.Photo])]);
            clusters.WriteTo(target, decision.Threshold, warning, stop);
            int people = clusters.Sizes.Count(size => size > 1), alone = clusters.Sizes.Count(size => size == 1);
            object json = new
            {
                @out = target,
                photos = set.Names.Count,
                faces = clusters.Faces.Count,
                faceless = clusters.Skipped.Select(s => s.Photo),
                clusters.Skipped,
                leftOut = set.Skipped,
                set.IgnoredFiles,
                decision.Threshold,
                falseMatchRate = rate,
                calibrationWarning = warning,
                people,
                alone,
                largest = clusters.Sizes.Max(),
                labelled = score is null
                    ? null
                    : new { score.People, score.Groups, score.MergedGroups, pairwise = Json(score.Pairwise), bCubed = Json(score.BCubed) },
            };
            parsed.Print(json, () =>
            {
                string stated = rate is null ? "" : $" (false match rate {rate:G2})";
                Console.WriteLine(
                    $"{Plural.Format(clusters.Faces.Count, "face")} in {Plural.Format(set.Names.Count, "photo")}: " +
                    $"{Plural.Format(people, "person")} with two faces or more, {alone} alone, at a mean cosine of {decision.Threshold:F4}{stated}; " +
                    $"{Plural.Format(clusters.Skipped.Count, "photo")} skipped");
                if (score is not null)
                {
                    Console.WriteLine(
                        $"pairwise {Text(score.Pairwise)}; BCubed {Text(score.BCubed)}; {score.MergedGroups} of {score.Groups} groups hold more than one of " +
                        Plural.Format(score.People, "person"));
                }

                Output.Warn(warning);
                Console.WriteLine($"sorted into {target}");
                Output.SkippedPhotos(clusters.Skipped);
                Output.SkippedFiles(set);
            });

            Decision Decide(int faces) => DecisionOptions.Decide(recognizer.Package, () => decide.Rule(parsed).ForClustering(calibration, faces));
        });
    }

    private static object Json(PrecisionRecall value) => new { value.Precision, value.Recall, value.F };

    private static string Text(PrecisionRecall value) => $"precision {value.Precision:P2}, recall {value.Recall:P2}, F {value.F:P2}";
}
