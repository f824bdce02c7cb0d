using UniFace.Data.Pairs;

namespace UniFace.Cli.Eval;

/// <summary>Measures a model on the kinds of sets that the command accepts.</summary>
internal sealed class EvalSets(EvalModel model, OverlapGate gate, BootstrapOptions bootstrap, PairOptions pairOptions, int batchSize,
    CancellationToken cancellation)
{
    /// <summary>Measures the pairs of a file (LFW's format or a list of paths) of images in a folder or tar.</summary>
    public EvalResult Pairs(string pairsPath, string imagesPath, FacePipeline pipeline, bool aligned)
    {
        string pairsSha256 = IO.Sha256.HashFile(pairsPath), name = Path.GetFileName(pairsPath);
        if (PathPairs.TryRead(pairsPath) is PathPairs paths)
        {
            using PhotoSet photos = PhotoSet.Open(imagesPath);
            PairSet listed = PairSet.FromPaths(name, paths, photos, absentIsMissing: aligned);
            StringBuilder read = new($"{pairsSha256}  {name}\n");
            TrainingOverlap? known = gate.Check(imagesPath, listed.Images.Select((image, i) =>
            {
                ReadOnlyMemory<byte> encoded = listed.Read(i) ?? ReadOnlyMemory<byte>.Empty;
                read.Append(CultureInfo.InvariantCulture, $"{IO.Sha256.HashBytes(encoded.Span)}  {image}\n");
                return encoded;
            }));
            return Pairs(listed, pipeline, IO.Sha256.HashBytes(Encoding.UTF8.GetBytes(read.ToString())), known, pairsSha256);
        }

        LfwPairs pairs = LfwPairs.Read(pairsPath);
        using FaceDataset images = FaceDatasets.Open(imagesPath);
        PairSet set = PairSet.FromLfw(name, pairs, images, absentIsMissing: aligned);
        HashSet<string> named = [.. set.Images];
        (string sha256, TrainingOverlap? overlap) = gate.Check(images, sample => named.Contains(sample.Name));
        return Pairs(set, pipeline, sha256, overlap, pairsSha256);
    }

    /// <summary>Measures an InsightFace .bin, whose images are aligned.</summary>
    public EvalResult Bin(string path, FacePipeline aligned)
    {
        string name = Path.GetFileName(path);
        PairSet set = PairSet.FromBin(name, PairBin.Read(path));
        TrainingOverlap? overlap = gate.Check(path, Enumerable.Range(0, set.Images.Count).Select(i => set.Read(i)!.Value));
        return Pairs(set, aligned, IO.Sha256.HashFile(path), overlap, null);
    }

    /// <summary>Measures all pairs of images of labelled people.</summary>
    public EvalResult Labelled(string path, int? personLevel, FacePipeline pipeline)
    {
        using FaceDataset data = FaceDatasets.Open(path, personLevel);
        string name = RealPath.NameOf(path);
        (string sha256, TrainingOverlap? overlap) = gate.Check(data);
        string[] names = [.. data.Samples.Select(s => s.Name)];
        (EmbeddedFaces embedded, double seconds) = Embed(name, names, i => data.Read(i), pipeline);
        ValidationOptions options = new() { Bootstrap = bootstrap, Pairs = pairOptions };
        ValidationResult result = Validator.Evaluate(embedded, [.. data.Samples.Select(s => s.Label)], options, cancellation);
        return new EvalResult(name, "all-pairs", result.Report, result.Accuracy, result.Scores, sha256, null, result.People, names,
            Missing(names, embedded), pipeline.DetectorName, seconds)
        {
            Overlap = overlap,
        };
    }

    private EvalResult Pairs(PairSet set, FacePipeline pipeline, string sha256, TrainingOverlap? overlap, string? pairsSha256)
    {
        (EmbeddedFaces embedded, double seconds) = Embed(set.Name, set.Images, set.Read, pipeline);
        VerificationScores scores = set.Score(embedded);
        VerificationReport report = VerificationReport.Create(scores, bootstrap: bootstrap, cancellation: cancellation);
        return new EvalResult(set.Name, "pairs", report, report.Accuracy, scores, sha256, pairsSha256, set.People?.Distinct().Count() ?? 0, set.Images,
            Missing(set.Images, embedded), pipeline.DetectorName, seconds)
        {
            Pairs = set.Pairs,
            Overlap = overlap,
        };
    }

    private (EmbeddedFaces Embedded, double Seconds) Embed(string name, IReadOnlyList<string> images, Func<int, ReadOnlyMemory<byte>?> read,
        FacePipeline pipeline)
    {
        Stopwatch clock = Stopwatch.StartNew();
        EmbeddedFaces embedded = model.Embed(name, images, read, pipeline, batchSize, cancellation);
        return (embedded, clock.Elapsed.TotalSeconds);
    }

    private static string[] Missing(IReadOnlyList<string> images, EmbeddedFaces embedded) => [.. images.Where((_, i) => !embedded.Found[i])];
}
