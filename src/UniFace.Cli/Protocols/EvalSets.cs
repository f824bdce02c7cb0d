using System.Diagnostics;
using UniFace.Data;
using UniFace.Evaluation;
using UniFace.Faces;

namespace UniFace.Cli.Protocols;

/// <summary>Measures a model on each kind of set that the command takes.</summary>
internal sealed class EvalSets(EvalModel model, BootstrapOptions bootstrap, PairOptions pairOptions, int batchSize, CancellationToken cancellation)
{
    /// <summary>A pairs file, LFW's or a list of paths, over a folder or tar of pictures.</summary>
    public EvalResult Pairs(string pairsPath, string imagesPath, FacePipeline pipeline, bool aligned)
    {
        string pairsSha256 = IO.Sha256.OfFile(pairsPath), name = Path.GetFileName(pairsPath);
        ContentHash hash = new();
        hash.Add(name, pairsSha256);
        if (PathPairs.TryRead(pairsPath) is PathPairs paths)
        {
            using PhotoSet photos = PhotoSet.Open(imagesPath);
            return Pairs(PairSet.FromPaths(name, paths, photos, absentIsMissing: aligned), pipeline, hash, pairsSha256, hashImages: true);
        }

        using FaceDataset images = FaceDatasets.Open(imagesPath);
        return Pairs(PairSet.FromLfw(name, LfwPairs.Read(pairsPath), images, absentIsMissing: aligned), pipeline, hash, pairsSha256, hashImages: true);
    }

    /// <summary>An InsightFace .bin, whose pictures are aligned.</summary>
    public EvalResult Bin(string path, FacePipeline aligned)
    {
        string name = Path.GetFileName(path);
        ContentHash hash = new();
        hash.Add(name, IO.Sha256.OfFile(path));
        return Pairs(PairSet.FromBin(name, PairBin.Read(path)), aligned, hash, null, hashImages: false);
    }

    /// <summary>Labelled people the model never saw: everyone against everyone.</summary>
    public EvalResult Labelled(string path, int? personLevel, FacePipeline pipeline)
    {
        using FaceDataset data = FaceDatasets.Open(path, personLevel);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        ContentHash hash = new();
        string[] names = [.. data.Samples.Select(s => s.Name)];
        (EmbeddedFaces embedded, double seconds) = Embed(name, names, i => data.Read(i), pipeline, hash);
        ValidationOptions options = new() { Bootstrap = bootstrap, Pairs = pairOptions };
        ValidationResult result = Validator.Evaluate(embedded, [.. data.Samples.Select(s => s.Label)], options, cancellation);
        return new EvalResult(name, "all-pairs", result.Report, result.Accuracy, result.Scores, hash.Total(), null, result.People, names, Missing(names, embedded), pipeline.DetectorName, seconds);
    }

    private EvalResult Pairs(PairSet set, FacePipeline pipeline, ContentHash hash, string? pairsSha256, bool hashImages)
    {
        (EmbeddedFaces embedded, double seconds) = Embed(set.Name, set.Images, set.Read, pipeline, hashImages ? hash : null);
        VerificationScores scores = set.Score(embedded);
        VerificationReport report = VerificationReport.Create(scores, bootstrap: bootstrap, cancellation: cancellation);
        return new EvalResult(set.Name, "pairs", report, report.Accuracy, scores, hash.Total(), pairsSha256, set.People?.Distinct().Count() ?? 0, set.Images, Missing(set.Images, embedded), pipeline.DetectorName, seconds)
        {
            Pairs = set.Pairs,
        };
    }

    private (EmbeddedFaces Embedded, double Seconds) Embed(string name, IReadOnlyList<string> images, Func<int, ReadOnlyMemory<byte>?> read, FacePipeline pipeline, ContentHash? hash)
    {
        Stopwatch clock = Stopwatch.StartNew();
        using Progress progress = new(name, images.Count);
        EmbeddedFaces embedded = BatchEmbedding.Embed(
            model.Embedder,
            images.Count,
            i =>
            {
                if (read(i) is not ReadOnlyMemory<byte> encoded)
                {
                    return null;
                }

                hash?.Add(images[i], encoded.Span);
                return pipeline.Align(encoded, images[i])?.Image;
            },
            batchSize,
            count => progress.Add(count),
            cancellation);
        return (embedded, clock.Elapsed.TotalSeconds);
    }

    private static string[] Missing(IReadOnlyList<string> images, EmbeddedFaces embedded) => [.. Enumerable.Range(0, images.Count).Where(i => !embedded.Found[i]).Select(i => images[i])];
}
