using UniFace.Evaluation.Identification;

namespace UniFace.Cli.Eval;

/// <summary>The result of a 1:N measurement as JSON, as a table and as files.</summary>
internal sealed class IdentifyOutput(EvaluatedModel model, FacePipeline pipeline, IdentificationMeasurement measured)
{
    private const int MaxErrors = 60;
    private const double FpirOfErrors = 0.01;

    private readonly IdentificationReport report = measured.Report;

    /// <summary>Prints the result, and writes it to a folder if one is given.</summary>
    public void Print(ParseResult parsed, string? folder)
    {
        object json = ToJson();
        if (folder is not null)
        {
            Write(folder, json);
        }

        parsed.Print(json, Show);
    }

    private object ToJson() => new
    {
        protocol = "identify",
        rank1 = report.HitRate(1),
        rank5 = report.HitRate(5),
        rank10 = report.HitRate(10),
        dirAtFpir = report.Points.ToDictionary(
            p => FormatRate(p.TargetFpir),
            p => new { p.Dir, fnir = 1 - p.Dir, p.DirInterval?.Low, p.DirInterval?.High, p.Threshold, p.Fpir, p.Why }),
        report.Mated,
        report.NonMated,
        report.GalleryPeople,
        report.GalleryTemplates,
        report.Missing,
        model = model.Path,
        modelSha256 = model.WeightsSha256,
        model.Manifest?.ContractId,
        detector = pipeline.DetectorName,
        sha256 = Sha256.HashBytes(Encoding.ASCII.GetBytes(string.Join('\n', measured.SetHashes))),
        gallerySha256 = measured.SetHashes[0],
        probesSha256 = measured.SetHashes[1],
        nonMatedSha256 = measured.SetHashes.ElementAtOrDefault(2),
        measured.Overlap,
    };

    private void Write(string folder, object json)
    {
        IReadOnlyList<string> names = measured.Probes.Names;
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "eval.json"), Output.ToJson(json) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "det.svg"), SvgChart.ToFile(Charts.IdentificationDet(model.Name, report)));
        Csv.Write(Path.Combine(folder, "probes.csv"), report.Probes.Select(probe => (string[])
        [
            names[probe.Probe], GetPerson(probe.Mate), GetPerson(probe.Top), Number(probe.TopScore), $"{probe.MateRank}", Number(probe.MateScore),
        ]).Prepend(["probe", "person", "first", "score", "mateRank", "mateScore"]));
        if (WorstErrors() is { Count: > 0 } errors)
        {
            AtomicFile.Write(Path.Combine(folder, "errors.jpg"), stream => stream.Write(ImageEncoder.Jpeg(Sheet(errors), 92)));
        }

        string GetPerson(int person) => person < 0 ? "" : measured.People[person];
    }

    /// <summary>False positives, then false negatives; the worst of each first.</summary>
    private List<ProbeResult> WorstErrors()
    {
        IdentificationPoint? nearest = report.Points.Where(p => p.Threshold is not null).MinBy(p => Math.Abs(Math.Log(p.TargetFpir / FpirOfErrors)));
        double threshold = nearest?.Threshold ?? double.NegativeInfinity;
        IEnumerable<ProbeResult> answered = report.Probes.Where(p => p.Top >= 0);
        IEnumerable<ProbeResult> accepted = answered.Where(p => !p.IsMated && p.TopScore >= threshold).OrderByDescending(p => p.TopScore);
        IEnumerable<ProbeResult> missed = answered.Where(p => p.IsMated && (p.MateRank != 1 || p.MateScore < threshold)).OrderBy(p => p.MateScore);
        return [.. accepted.Take(MaxErrors / 2), .. missed.Take(MaxErrors / 2)];
    }

    /// <summary>Three errors per row: the probe, the person it was taken for, and its mate, if it has one.</summary>
    private RgbImage Sheet(List<ProbeResult> errors)
    {
        (int width, int height) = model.Embedder.InputSize;
        RgbImage blank = new(width, height);
        Array.Fill(blank.Pixels, (byte)0xF0);
        List<RgbImage> images = [];
        foreach (ProbeResult error in errors)
        {
            images.Add(Face(measured.Probes, error.Probe));
            images.Add(Face(measured.Gallery, error.TopTemplate));
            images.Add(error.MateTemplate >= 0 ? Face(measured.Gallery, error.MateTemplate) : blank);
            if (images.Count % 11 != 0)
            {
                images.Add(blank);
            }
        }

        return ImageGrid.Compose(images, 11);

        RgbImage Face(IdentificationMeasurement.Images from, int index) => pipeline.Align(from.Read(index), from.Names[index])?.Image ?? blank;
    }

    private void Show()
    {
        object[][] rows =
        [
            ["rank 1", EvalOutput.Percent(report.HitRate(1)), "", ""],
            ["rank 5", EvalOutput.Percent(report.HitRate(5)), "", ""],
            ["rank 10", EvalOutput.Percent(report.HitRate(10)), "", ""],
            .. report.Points.Select(point => (object[])
            [
                $"DIR at FPIR {FormatRate(point.TargetFpir)}",
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

    private static string FormatRate(double rate) => $"{rate:0.######}";

    private static string Number(double value) => double.IsFinite(value) ? $"{value:R}" : "";
}
