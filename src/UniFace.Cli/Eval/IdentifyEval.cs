using UniFace.Evaluation.Identification;

namespace UniFace.Cli.Eval;

/// <summary>`uniface eval --identify`: 1:N accuracy of a model.</summary>
internal sealed class IdentifyEval(EvalModel model, OverlapGate gate, FacePipeline pipeline, int batchSize, CancellationToken cancellation)
{
    private const int MaxErrors = 60;
    private const double FpirOfErrors = 0.01;

    private sealed record Images(IReadOnlyList<string> Names, Func<int, byte[]> Read, int[] Labels, EmbeddedFaces Embedded);

    /// <summary>Measures and prints the result, and writes it to a folder if one is given.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="galleryPath">People to enroll.</param>
    /// <param name="probesPath">Probes; those of people who are not in the gallery are non-mated.</param>
    /// <param name="strangersPath">More non-mated probes, or null.</param>
    /// <param name="personLevel">Which folder of an image's path is the person, from 1; null: the folder that holds the images.</param>
    /// <param name="output">Folder for the files, or null.</param>
    public void Run(ParseResult parsed, string galleryPath, string probesPath, string? strangersPath, int? personLevel, string? output)
    {
        using FaceDataset enrolled = FaceDatasets.Open(galleryPath, personLevel), probed = FaceDatasets.Open(probesPath, personLevel);
        using FaceDataset? strangers = strangersPath is null ? null : FaceDatasets.Open(strangersPath, personLevel);
        Dictionary<string, int> people = enrolled.People.Select((name, i) => (name, i)).ToDictionary(p => p.name, p => p.i, StringComparer.Ordinal);
        if (strangers?.People.FirstOrDefault(people.ContainsKey) is string known)
        {
            throw new UniFaceException($"{strangersPath}: {known} is enrolled in {galleryPath}; remove that person from --nonmated.");
        }

        FaceDataset[] probeSets = strangers is null ? [probed] : [probed, strangers];
        List<(string Sha256, TrainingOverlap? Overlap)> read = [gate.Check(enrolled), .. probeSets.Select(set => gate.Check(set))];
        Images gallery = Embed("gallery", [enrolled], (_, label) => label);
        Images probes = Embed("probes", probeSets, (set, label) => people.GetValueOrDefault(set.People[label], -1));
        IdentificationReport report = IdentificationProtocol.Evaluate(
            gallery.Embedded, gallery.Labels, probes.Embedded, probes.Labels, cancellationToken: cancellation);
        object result = ToJson(report, read);
        if (output is not null)
        {
            Write(output, report, result, gallery, probes, enrolled);
        }

        parsed.Print(result, () => Show(report));
    }

    private Images Embed(string what, FaceDataset[] sets, Func<FaceDataset, int, int> label)
    {
        (FaceDataset Set, int Index)[] all = [.. sets.SelectMany(set => Enumerable.Range(0, set.Samples.Count).Select(i => (set, i)))];
        string[] names = [.. all.Select(a => a.Set.Samples[a.Index].Name)];
        EmbeddedFaces embedded = model.Embed(what, names, i => Read(i), pipeline, batchSize, cancellation);
        int[] labels = [.. all.Select(a => label(a.Set, a.Set.Samples[a.Index].Label))];
        return new Images(names, Read, labels, embedded);

        byte[] Read(int i) => all[i].Set.Read(all[i].Index);
    }

    private object ToJson(IdentificationReport report, List<(string Sha256, TrainingOverlap? Overlap)> read) => new
    {
        protocol = "identify",
        rank1 = report.HitRate(1),
        rank5 = report.HitRate(5),
        rank10 = report.HitRate(10),
        dirAtFpir = report.Points.ToDictionary(
            p => NameOf(p.TargetFpir),
            p => new { p.Dir, fnir = 1 - p.Dir, p.DirInterval?.Low, p.DirInterval?.High, p.Threshold, p.Fpir, p.Why }),
        report.Mated,
        report.NonMated,
        report.GalleryPeople,
        report.GalleryTemplates,
        report.Missing,
        model = model.Path,
        modelSha256 = model.Sha256,
        model.Manifest?.ContractId,
        detector = pipeline.DetectorName,
        sha256 = Sha256.HashBytes(Encoding.ASCII.GetBytes(string.Join('\n', read.Select(r => r.Sha256)))),
        gallerySha256 = read[0].Sha256,
        probesSha256 = read[1].Sha256,
        nonMatedSha256 = read.ElementAtOrDefault(2).Sha256,
        overlap = read.Any(r => r.Overlap is not null)
            ? new TrainingOverlap(read.Sum(r => r.Overlap?.Images ?? 0), read.Sum(r => r.Overlap?.People ?? 0)) : null,
    };

    private void Write(string folder, IdentificationReport report, object json, Images gallery, Images probes, FaceDataset enrolled)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "eval.json"), Output.ToJson(json) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "det.svg"), SvgChart.ToFile(Charts.IdentificationDet(model.Name, report)));
        Csv.Write(Path.Combine(folder, "probes.csv"), report.Probes.Select(probe => (string[])
        [
            probes.Names[probe.Probe], PersonOf(probe.Mate), PersonOf(probe.Top), Number(probe.TopScore), $"{probe.MateRank}", Number(probe.MateScore),
        ]).Prepend(["probe", "person", "first", "score", "mateRank", "mateScore"]));
        if (Errors(report) is { Count: > 0 } errors)
        {
            AtomicFile.Write(Path.Combine(folder, "errors.jpg"), stream => stream.Write(ImageEncoder.Jpeg(Sheet(errors, gallery, probes), 92)));
        }

        string PersonOf(int person) => person < 0 ? "" : enrolled.People[person];
    }

    /// <summary>False positives, then false negatives; the worst of each first.</summary>
    private static List<ProbeResult> Errors(IdentificationReport report)
    {
        IdentificationPoint? nearest = report.Points.Where(p => p.Threshold is not null).MinBy(p => Math.Abs(Math.Log(p.TargetFpir / FpirOfErrors)));
        double threshold = nearest?.Threshold ?? double.NegativeInfinity;
        IEnumerable<ProbeResult> answered = report.Probes.Where(p => p.Top >= 0);
        IEnumerable<ProbeResult> accepted = answered.Where(p => !p.IsMated && p.TopScore >= threshold).OrderByDescending(p => p.TopScore);
        IEnumerable<ProbeResult> missed = answered.Where(p => p.IsMated && (p.MateRank != 1 || p.MateScore < threshold)).OrderBy(p => p.MateScore);
        return [.. accepted.Take(MaxErrors / 2), .. missed.Take(MaxErrors / 2)];
    }

    /// <summary>Three errors per row: the probe, the person it was taken for, and its mate, if it has one.</summary>
    private RgbImage Sheet(List<ProbeResult> errors, Images gallery, Images probes)
    {
        (int width, int height) = model.Embedder.InputSize;
        RgbImage blank = new(width, height);
        Array.Fill(blank.Pixels, (byte)0xF0);
        List<RgbImage> images = [];
        foreach (ProbeResult error in errors)
        {
            images.Add(Face(probes, error.Probe));
            images.Add(Face(gallery, error.TopTemplate));
            images.Add(error.MateTemplate >= 0 ? Face(gallery, error.MateTemplate) : blank);
            if (images.Count % 11 != 0)
            {
                images.Add(blank);
            }
        }

        return ImageGrid.Compose(images, 11);

        RgbImage Face(Images from, int index) => pipeline.Align(from.Read(index), from.Names[index])?.Image ?? blank;
    }

    private void Show(IdentificationReport report)
    {
        object[][] rows =
        [
            ["rank 1", EvalOutput.Percent(report.HitRate(1)), "", ""],
            ["rank 5", EvalOutput.Percent(report.HitRate(5)), "", ""],
            ["rank 10", EvalOutput.Percent(report.HitRate(10)), "", ""],
            .. report.Points.Select(point => (object[])
            [
                $"DIR at FPIR {NameOf(point.TargetFpir)}",
                point.Dir is double dir ? EvalOutput.Percent(dir) : "-",
                point.DirInterval is null ? point.Why ?? "" : EvalOutput.Interval(point.DirInterval, EvalOutput.Percent),
                $"{point.Threshold:F4}",
            ]),
        ];
        Output.Table(EvalOutput.Columns, rows, model.Name + ", 1:N");
        Console.WriteLine(
            $"{Plural.Format(report.GalleryPeople, "person")} enrolled with {Plural.Format(report.GalleryTemplates, "template")}; " +
            $"{Plural.Format(report.Mated, "mated probe")}, {report.NonMated} non-mated, {report.Missing} without a face");
    }

    private static string NameOf(double rate) => $"{rate:0.######}";

    private static string Number(double value) => double.IsFinite(value) ? $"{value:R}" : "";
}
