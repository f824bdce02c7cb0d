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

    /// <summary>A face: the indices of its photo and of the face in it.</summary>
    private sealed record Seen(int Photo, int Face);

    /// <summary>The faces of all photos, in order, with one embedding each, and the photos without a face.</summary>
    private sealed record Embedded(List<Seen> Faces, float[] Values, List<string> Faceless);

    /// <summary>The groups, and how they were made.</summary>
    private sealed record Clusters(int[] Groups, double Threshold, double? FalseMatchRate, string? Warning, ClusteringScore? Score)
    {
        /// <summary>The size of each group.</summary>
        public int[] Sizes { get; } = [.. Groups.CountBy(g => g).OrderBy(g => g.Key).Select(g => g.Value)];

        public string Folder(int group) => Sizes[group] == 1 ? Singles : $"person-{group + 1:D4}";
    }

    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "A model package (folder, or name from 'uniface models list') or an .onnx file." };
        Argument<string> photos = new("PHOTOS") { Description = "A folder of photos at any depth, or a tar of photos." };
        Argument<string> output = new("OUT")
        {
            Description = "A new folder: person-0001 and so on, the largest first, with copies of the photos; 'alone' for faces that resemble no other; " +
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
            package, photos, output, decide.Threshold, decide.FalseMatchRate, main, labelled, personLevel, .. vision.Detection, .. vision.Model,
        ];
        return CliCommand.Create("cluster", Description, parameters, (parsed, stop) =>
        {
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            (ModelPackage opened, OnnxEmbedder embedder) = (recognizer.Package, recognizer.Embedder);
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
            Embedded embedded = Embed(set, recognizer.Photos, embedder, choice, vision.ThreadCount(parsed), stop);
            Decision decision = Decide(embedded.Faces.Count);
            double? rate = parsed.GetValue(decide.Threshold) is null ? decision.FalseMatchRate : null;
            ClusteringOptions options = new() { Threshold = decision.Threshold };
            int[] groups = FaceClustering.Group(embedded.Values, embedder.EmbeddingSize, options, stop);
            ClusteringScore? score = people is null ? null : ClusteringScore.Measure(groups, Labels(people, embedded.Faces));
            Clusters clusters = new(groups, decision.Threshold, rate, rate is null ? null : calibration?.Warning, score);
            Write(target, set, embedded.Faces, clusters, stop);
            Report(parsed, target, set, embedded, clusters);
            return ExitCode.Success;

            Decision Decide(int faces) => DecisionOptions.Decide(opened, () => decide.Rule(parsed).ForClustering(calibration, faces));
        });
    }

    private static Embedded Embed(
        PhotoSet set, FacePipeline pipeline, OnnxEmbedder embedder, FaceChoice choice, int threads, CancellationToken stop)
    {
        const int Chunk = 64;
        List<Seen> faces = [];
        List<float> values = [];
        List<string> faceless = [];
        SkiaImageDecoder decoder = new();
        using ProgressMeter progress = new("embedding", set.Names.Count);
        for (int first = 0; first < set.Names.Count; first += Chunk)
        {
            IReadOnlyList<AlignedFace>[] found = new IReadOnlyList<AlignedFace>[Math.Min(Chunk, set.Names.Count - first)];
            Parallel.For(0, found.Length, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, i =>
            {
                try
                {
                    // Align checks the size of images that are already aligned.
                    byte[] encoded = set.Read(first + i);
                    found[i] = choice == FaceChoice.All
                        ? pipeline.Search(decoder.OpenPhoto(encoded, set.Names[first + i]), choice).Faces
                        : pipeline.Align(encoded, set.Names[first + i]) is AlignedFace face ? [face] : [];
                }
                catch (UniFaceException)
                {
                    found[i] = [];
                }
            });
            faceless.AddRange(Enumerable.Range(0, found.Length).Where(i => found[i].Count == 0).Select(i => set.Names[first + i]));
            faces.AddRange(Enumerable.Range(0, found.Length).SelectMany(i => Enumerable.Range(0, found[i].Count).Select(f => new Seen(first + i, f))));
            values.AddRange(embedder.Embed([.. found.SelectMany(f => f).Select(f => f.Image)]));
            progress.Add(found.Length);
        }

        return faces.Count > 0
            ? new Embedded(faces, [.. values], faceless)
            : throw new UniFaceException($"{set.Source}: no face in any of {Plural.Format(set.Names.Count, "photo")}; nothing was written.");
    }

    private static int[] Labels(IReadOnlyList<string> people, List<Seen> faces)
    {
        Dictionary<string, int> labels = [];
        return [.. faces.Select(face => labels.TryGetValue(people[face.Photo], out int label) ? label : labels[people[face.Photo]] = labels.Count)];
    }

    private static void Write(string target, PhotoSet set, List<Seen> faces, Clusters clusters, CancellationToken stop)
    {
        using ProgressMeter progress = new("sorting", faces.Count, "faces");
        for (int i = 0; i < faces.Count; i++)
        {
            stop.ThrowIfCancellationRequested();

            // The whole path becomes the name, because 1.jpg of two folders are two files.
            string name = set.Names[faces[i].Photo].Replace('/', '_');
            string path = Path.Combine(target, clusters.Folder(clusters.Groups[i]), name);
            if (!File.Exists(path))
            {
                byte[] bytes = set.Read(faces[i].Photo);
                AtomicFile.Write(path, stream => stream.Write(bytes));
            }

            progress.Add();
        }

        ILookup<int, object> members = faces.Zip(clusters.Groups)
            .ToLookup(f => f.Second, object (f) => new { photo = set.Names[f.First.Photo], f.First.Face });
        int[] sizes = clusters.Sizes;
        AtomicFile.WriteText(Path.Combine(target, "clusters.json"), Output.ToJson(new
        {
            clusters.Threshold,
            calibrationWarning = clusters.Warning,
            people = Enumerable.Range(0, sizes.Length).Where(g => sizes[g] > 1).Select(g => new { folder = clusters.Folder(g), faces = members[g] }),
            alone = Enumerable.Range(0, sizes.Length).Where(g => sizes[g] == 1).SelectMany(g => members[g]),
        }) + "\n");
    }

    private static void Report(ParseResult parsed, string target, PhotoSet set, Embedded embedded, Clusters clusters)
    {
        int people = clusters.Sizes.Count(s => s > 1), alone = clusters.Sizes.Count(s => s == 1);
        ClusteringScore? score = clusters.Score;
        object json = new
        {
            @out = target,
            photos = set.Names.Count,
            faces = embedded.Faces.Count,
            embedded.Faceless,
            set.LeftOut,
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
                $"{Plural.Format(embedded.Faces.Count, "face")} in {Plural.Format(set.Names.Count, "photo")}: " +
                $"{Plural.Format(people, "person")} with two faces or more, {alone} alone, at a mean cosine of {clusters.Threshold:F4}{rate}; " +
                $"{Plural.Format(embedded.Faceless.Count, "photo shows", "photos show")} no face");
            if (score is not null)
            {
                Console.WriteLine(
                    $"pairwise {Text(score.Pairwise)}; BCubed {Text(score.BCubed)}; {score.MergedGroups} of {score.Groups} groups hold more than one of " +
                    Plural.Format(score.People, "person"));
            }

            Output.Warn(clusters.Warning);
            Console.WriteLine($"sorted into {target}");
            Output.LeftOut(set);
        });

        static object Json(PrecisionRecall value) => new { value.Precision, value.Recall, value.F };

        static string Text(PrecisionRecall value) => $"precision {value.Precision:P2}, recall {value.Recall:P2}, F {value.F:P2}";
    }
}
