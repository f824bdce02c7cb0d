using UniFace.Clustering;

namespace UniFace.Cli.Photos;

/// <summary>`uniface cluster`: sorts unlabelled photos into one folder per person.</summary>
internal static class ClusterCommand
{
    private const string Singles = "alone";

    private const string Description = """
        Sort unlabelled photos into one folder per person. The number of people need not be known. When in doubt, people are kept
        separate rather than merged.
        Example: uniface cluster faceplugin-mobilefacenet photos sorted
        """;

    /// <summary>The faces of all photos in order, the photos without a usable face and why, the group of each face, and how the groups were made.</summary>
    private sealed record Clusters(
        List<(int Photo, int Face)> Faces,
        IReadOnlyList<(string Photo, string Reason)> Skipped,
        int[] Groups,
        double Threshold,
        double? FalseMatchRate,
        string? Warning,
        ClusteringScore? Score)
    {
        /// <summary>The size of each group.</summary>
        public int[] Sizes { get; } = [.. Groups.CountBy(g => g).OrderBy(g => g.Key).Select(g => g.Value)];

        public string Folder(int group) => Sizes[group] == 1 ? Singles : $"person-{group + 1:D4}";
    }

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
        ];
        return CliCommand.Create("cluster", Description, parameters, (parsed, stop) =>
        {
            using FaceRecognizer recognizer = vision.Open(parsed);
            Calibration? calibration = recognizer.Calibration;
            _ = Decide(2); // Checks the options before the photos are read.
            string target = parsed.GetRequiredValue(output);
            if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
            {
                throw new UniFaceException($"{target} exists and is not empty; give the name of a new folder.");
            }

            using PhotoSet set = PhotoSet.Open(parsed.GetRequiredValue(photos));
            set.RequireApart(target);
            bool withLabels = parsed.GetValue(labelled);
            IReadOnlyList<string>? people = withLabels ? set.PeopleByFolder(parsed.GetValue(personLevel)) : null;
            FaceChoice choice = withLabels || parsed.GetValue(main) ? FaceChoice.Largest : FaceChoice.All;
            List<(int Photo, int Face)> faces = [];
            List<float> embeddings = []; // [N, D]
            List<(string Photo, string Reason)> skipped = [];
            foreach (PhotoFaces[] chunk in vision.ReadFaces(parsed, "embedding", set, recognizer.Photos, stop, choice))
            {
                skipped.AddRange(chunk.Where(photo => photo.Faces.Count == 0).Select(photo => (photo.Name, photo.Reason!)));
                faces.AddRange(chunk.SelectMany(photo => photo.Faces.Select((_, face) => (photo.Index, face))));
                embeddings.AddRange(recognizer.Embedder.Embed([.. chunk.SelectMany(photo => photo.Faces).Select(face => face.Image)]));
            }

            if (faces.Count == 0)
            {
                throw new UniFaceException($"{set.Source}: no face in any of {Plural.Format(set.Names.Count, "photo")}; nothing was written.");
            }

            Decision decision = Decide(faces.Count);
            double? rate = parsed.GetValue(decide.Threshold) is null ? decision.FalseMatchRate : null;
            ClusteringOptions options = new() { Threshold = decision.Threshold };
            int[] groups = FaceClustering.Group(new EmbeddedFaces([.. embeddings], recognizer.Embedder.EmbeddingSize), options, stop);
            ClusteringScore? score = people is null ? null : ClusteringScore.Measure(groups, [.. faces.Select(face => people[face.Photo])]);
            Clusters clusters = new(faces, skipped, groups, decision.Threshold, rate, rate is null ? null : calibration?.Warning, score);
            Write(target, set, clusters, stop);
            Report(parsed, target, set, clusters);

            Decision Decide(int faces) => DecisionOptions.Decide(recognizer.Package, () => decide.Rule(parsed).ForClustering(calibration, faces));
        });
    }

    private static void Write(string target, PhotoSet set, Clusters clusters, CancellationToken stop)
    {
        (int Photo, int Face, int Group)[] faces = [.. clusters.Faces.Zip(clusters.Groups, (face, group) => (face.Photo, face.Face, group))];
        using ProgressMeter progress = new("sorting", faces.Length, "faces");
        foreach ((int photo, _, int group) in faces)
        {
            stop.ThrowIfCancellationRequested();

            // The whole path becomes the name, because 1.jpg of two folders are two files.
            string name = set.Names[photo].Replace('/', '_');
            string path = Path.Combine(target, clusters.Folder(group), name);
            if (!File.Exists(path))
            {
                byte[] bytes = set.Read(photo);
                AtomicFile.Write(path, stream => stream.Write(bytes));
            }

            progress.Add();
        }

        ILookup<int, object> members = faces.ToLookup(f => f.Group, object (f) => new { photo = set.Names[f.Photo], f.Face });
        int[] sizes = clusters.Sizes;
        AtomicFile.WriteText(Path.Combine(target, "clusters.json"), Output.ToJson(new
        {
            clusters.Threshold,
            calibrationWarning = clusters.Warning,
            people = Enumerable.Range(0, sizes.Length).Where(g => sizes[g] > 1).Select(g => new { folder = clusters.Folder(g), faces = members[g] }),
            alone = Enumerable.Range(0, sizes.Length).Where(g => sizes[g] == 1).SelectMany(g => members[g]),
        }) + "\n");
    }

    private static void Report(ParseResult parsed, string target, PhotoSet set, Clusters clusters)
    {
        int people = clusters.Sizes.Count(s => s > 1), alone = clusters.Sizes.Count(s => s == 1);
        ClusteringScore? score = clusters.Score;
        object json = new
        {
            @out = target,
            photos = set.Names.Count,
            faces = clusters.Faces.Count,
            faceless = clusters.Skipped.Select(s => s.Photo),
            skipped = clusters.Skipped.Select(s => new { s.Photo, s.Reason }),
            leftOut = set.Skipped,
            set.IgnoredFiles,
            clusters.Threshold,
            clusters.FalseMatchRate,
            calibrationWarning = clusters.Warning,
            people,
            alone,
            largest = clusters.Sizes.Max(),
            labelled = score is null
                ? null
                : new { score.People, score.Groups, score.MergedGroups, pairwise = Json(score.Pairwise), bCubed = Json(score.BCubed) },
        };
        parsed.Print(json, () =>
        {
            string rate = clusters.FalseMatchRate is double stated ? $" (false match rate {stated:G2})" : "";
            Console.WriteLine(
                $"{Plural.Format(clusters.Faces.Count, "face")} in {Plural.Format(set.Names.Count, "photo")}: " +
                $"{Plural.Format(people, "person")} with two faces or more, {alone} alone, at a mean cosine of {clusters.Threshold:F4}{rate}; " +
                $"{Plural.Format(clusters.Skipped.Count, "photo", "photos")} skipped");
            if (score is not null)
            {
                Console.WriteLine(
                    $"pairwise {Text(score.Pairwise)}; BCubed {Text(score.BCubed)}; {score.MergedGroups} of {score.Groups} groups hold more than one of " +
                    Plural.Format(score.People, "person"));
            }

            Output.Warn(clusters.Warning);
            Console.WriteLine($"sorted into {target}");
            Output.Skipped(clusters.Skipped);
            Output.ReportSkipped(set);
        });

        static object Json(PrecisionRecall value) => new { value.Precision, value.Recall, value.F };

        static string Text(PrecisionRecall value) => $"precision {value.Precision:P2}, recall {value.Recall:P2}, F {value.F:P2}";
    }
}
