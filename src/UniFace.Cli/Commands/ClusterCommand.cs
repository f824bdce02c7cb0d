using System.CommandLine;
using System.Globalization;
using UniFace.Clustering;
using UniFace.Data;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Imaging;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface cluster: unlabelled photos into a folder a person.</summary>
internal static class ClusterCommand
{
    private const string Singles = "alone";

    /// <summary>A face of a photo: which photo, which of its faces.</summary>
    private sealed record Seen(int Photo, int Face);

    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "A model package (folder, or name of 'uniface models list') or a bare .onnx file." };
        Argument<string> photos = new("PHOTOS") { Description = "Photos, at any depth of a folder, or a tar of them." };
        Argument<string> output = new("OUT") { Description = "A new folder: person-0001 and so on, the largest first, with copies of the photos; 'alone' for faces that resemble no other; clusters.json." };
        Option<double?> threshold = new("--threshold") { Description = "Mean cosine at or above which two groups are one person; without it, the package's calibration says it.", HelpName = "COSINE" };
        Option<double?> fmr = new("--fmr") { Description = "Take the calibration's threshold of this false match rate; by default the one at which a face among so many more often meets no stranger as alike than one, 1e-3 at most. Smaller: people are rather split than merged.", HelpName = "RATE" };
        Option<bool> main = new("--main-face") { Description = "Only the main face of each photo; by default all of them, so that a photo of two people stands in two folders." };
        Option<bool> labelled = new("--labelled") { Description = "The photos lie in a folder a person, and it is measured how well the groups fit: pairwise and BCubed precision, recall, F. Implies --main-face." };
        Option<int?> personLevel = CommonOptions.PersonLevel();
        VisionOptions vision = new();
        Command command = new("cluster", "Sort unlabelled photos into people, without knowing how many there are. Two people are rather kept apart than merged.\nExample: uniface cluster faceplugin-mobilefacenet photos sorted")
        {
            package, photos, output, threshold, fmr, main, labelled, personLevel,
        };
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction((parsed, stop) =>
        {
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            (ModelPackage opened, OnnxEmbedder embedder) = (recognizer.Package, recognizer.Embedder);
            Calibration? calibration = recognizer.Calibration;
            _ = Limit(2); // What is wrong with the options is said before the photos are read.
            string target = parsed.GetRequiredValue(output);
            if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
            {
                throw new UniFaceException($"{target} is there already and not empty; give the name of a new folder.");
            }

            using PhotoSet set = PhotoSet.Open(parsed.GetRequiredValue(photos));
            set.RequireApart(target);
            bool withLabels = parsed.GetValue(labelled);
            IReadOnlyList<string>? people = withLabels ? set.PeopleByFolder(parsed.GetValue(personLevel)) : null;
            FacePipeline pipeline = recognizer.Photos;
            FaceChoice choice = withLabels || parsed.GetValue(main) ? FaceChoice.Largest : FaceChoice.All;
            (List<Seen> faces, float[] embeddings, List<string> faceless) = Embed(set, pipeline, embedder, choice, vision.ThreadCount(parsed), stop);
            (double limit, double? rate) = Limit(faces.Count);
            int[] groups = FaceClustering.Group(embeddings, embedder.EmbeddingSize, new ClusteringOptions { Threshold = limit }, stop);
            ClusteringScore? score = people is not null ? ClusteringScore.Of(groups, Labels(people, faces)) : null;
            string? warning = rate is null ? null : calibration?.Warning;
            Write(target, set, faces, groups, limit, warning, stop);
            Report(parsed.GetValue(CommonOptions.Json), target, set, faces, groups, limit, rate, warning, faceless, score);
            return Task.FromResult(ExitCode.Success);

            (double Threshold, double? Rate) Limit(int faces) => LimitOf(opened, calibration, parsed.GetValue(threshold), parsed.GetValue(fmr), faces);
        });
        return command;
    }

    private static (double Threshold, double? Rate) LimitOf(ModelPackage package, Calibration? calibration, double? threshold, double? fmr, int faces)
    {
        if (threshold is double given)
        {
            return fmr is null
                ? given is > -1 and <= 1 ? (given, null) : throw new UniFaceException(FormattableString.Invariant($"--threshold {given}: expected a cosine above -1, up to 1."))
                : throw new UniFaceException("--threshold and --fmr were both given: each says where to decide; leave one out.");
        }

        if (calibration is null)
        {
            throw new UniFaceException($"{package.Source} has no calibration, so no threshold is known; give --threshold COSINE, or calibrate the package with 'uniface calibrate'.");
        }

        double rate = fmr ?? ClusteringRate.For(faces, calibration);
        return (calibration.ThresholdAt(rate), rate);
    }

    private static (List<Seen> Faces, float[] Embeddings, List<string> Faceless) Embed(PhotoSet set, FacePipeline pipeline, OnnxEmbedder embedder, FaceChoice choice, int threads, CancellationToken stop)
    {
        const int chunk = 64;
        List<Seen> faces = [];
        List<float> embeddings = [];
        List<string> faceless = [];
        SkiaImageDecoder decoder = new();
        using Progress progress = new("embedding", set.Names.Count);
        for (int first = 0; first < set.Names.Count; first += chunk)
        {
            IReadOnlyList<AlignedFace>[] found = new IReadOnlyList<AlignedFace>[Math.Min(chunk, set.Names.Count - first)];
            Parallel.For(0, found.Length, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, i =>
            {
                try
                {
                    // Through the one way that checks the size of aligned pictures, where one face is enough.
                    byte[] encoded = set.Read(first + i);
                    found[i] = choice == FaceChoice.All
                        ? pipeline.AlignFaces(decoder.Decode(encoded, set.Names[first + i]), choice)
                        : pipeline.Align(encoded, set.Names[first + i]) is AlignedFace face ? [face] : [];
                }
                catch (UniFaceException)
                {
                    found[i] = [];
                }
            });
            faceless.AddRange(Enumerable.Range(0, found.Length).Where(i => found[i].Count == 0).Select(i => set.Names[first + i]));
            AlignedFace[] aligned = [.. found.SelectMany(f => f)];
            faces.AddRange(Enumerable.Range(0, found.Length).SelectMany(i => Enumerable.Range(0, found[i].Count).Select(f => new Seen(first + i, f))));
            embeddings.AddRange(embedder.Embed([.. aligned.Select(f => f.Image)]));
            progress.Add(found.Length);
        }

        return faces.Count > 0
            ? (faces, [.. embeddings], faceless)
            : throw new UniFaceException($"{set.Source}: no face in any of {set.Names.Count} pictures; nothing was written.");
    }

    private static int[] Labels(IReadOnlyList<string> people, List<Seen> faces)
    {
        Dictionary<string, int> labels = [];
        return [.. faces.Select(face => labels.TryGetValue(people[face.Photo], out int label) ? label : labels[people[face.Photo]] = labels.Count)];
    }

    private static string FolderOf(int group, int size) => size == 1 ? Singles : string.Create(CultureInfo.InvariantCulture, $"person-{group + 1:D4}");

    private static void Write(string target, PhotoSet set, List<Seen> faces, int[] groups, double limit, string? warning, CancellationToken stop)
    {
        int[] sizes = [.. groups.GroupBy(g => g).OrderBy(g => g.Key).Select(g => g.Count())];
        using Progress progress = new("sorting", faces.Count, "faces");
        for (int i = 0; i < faces.Count; i++)
        {
            stop.ThrowIfCancellationRequested();

            // The whole path is the name, so that 1.jpg of two folders are two files.
            string name = set.Names[faces[i].Photo].Replace('/', '_');
            string path = Path.Combine(target, FolderOf(groups[i], sizes[groups[i]]), name);
            if (!File.Exists(path))
            {
                byte[] bytes = set.Read(faces[i].Photo);
                AtomicFile.Write(path, stream => stream.Write(bytes));
            }

            progress.Add();
        }

        ILookup<int, int> members = Enumerable.Range(0, faces.Count).ToLookup(i => groups[i]);
        AtomicFile.WriteText(Path.Combine(target, "clusters.json"), Output.ToJson(new
        {
            threshold = limit,
            calibrationWarning = warning,
            people = Enumerable.Range(0, sizes.Length).Where(g => sizes[g] > 1).Select(g => new
            {
                folder = FolderOf(g, sizes[g]),
                faces = members[g].Select(i => new { photo = set.Names[faces[i].Photo], face = faces[i].Face }),
            }),
            alone = Enumerable.Range(0, faces.Count).Where(i => sizes[groups[i]] == 1).Select(i => new { photo = set.Names[faces[i].Photo], face = faces[i].Face }),
        }) + "\n");
    }

    private static void Report(bool json, string target, PhotoSet set, List<Seen> faces, int[] groups, double limit, double? rate, string? warning,
        List<string> faceless, ClusteringScore? score)
    {
        int[] sizes = [.. groups.GroupBy(g => g).Select(g => g.Count())];
        int people = sizes.Count(s => s > 1), alone = sizes.Count(s => s == 1);
        if (json)
        {
            Output.Json(new
            {
                @out = target,
                photos = set.Names.Count,
                faces = faces.Count,
                faceless,
                leftOut = set.LeftOut,
                ignoredFiles = set.IgnoredFiles,
                threshold = limit,
                falseMatchRate = rate,
                calibrationWarning = warning,
                people,
                alone,
                largest = sizes.Max(),
                labelled = score is null ? null : new { score.People, score.Groups, score.MergedGroups, pairwise = Of(score.Pairwise), bCubed = Of(score.BCubed) },
            });
            return;
        }

        string at = rate is double stated ? FormattableString.Invariant($" (false match rate {stated:G2})") : "";
        Console.WriteLine(FormattableString.Invariant($"{Plural.Of(faces.Count, "face")} of {Plural.Of(set.Names.Count, "photo")}: {Plural.Of(people, "person")} with two pictures or more, {alone} alone, at a mean cosine of {limit:F4}{at}; {Plural.Of(faceless.Count, "photo shows", "photos show")} no face"));
        if (score is not null)
        {
            Console.WriteLine(FormattableString.Invariant($"pairwise precision {score.Pairwise.Precision:P2}, recall {score.Pairwise.Recall:P2}, F {score.Pairwise.F:P2}; BCubed precision {score.BCubed.Precision:P2}, recall {score.BCubed.Recall:P2}, F {score.BCubed.F:P2}; {score.MergedGroups} of {score.Groups} groups hold more than one of {Plural.Of(score.People, "person")}"));
        }

        Output.Warn(warning);
        Console.WriteLine($"sorted into {target}");
        Output.LeftOut(set);

        static object Of(PrecisionRecall value) => new { value.Precision, value.Recall, value.F };
    }
}
