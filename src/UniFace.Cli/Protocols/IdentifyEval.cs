using System.Globalization;
using System.Text;
using Spectre.Console;
using UniFace.Cli.Reports;
using UniFace.Data;
using UniFace.Evaluation;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Protocols;

/// <summary>uniface eval --identify: 1:N accuracy of a model on a gallery, probes and strangers.</summary>
internal sealed class IdentifyEval(EvalModel model, OverlapGate gate, FacePipeline pipeline, int batchSize, CancellationToken cancellation)
{
    private const int MostErrors = 60;
    private const double FpirOfErrors = 0.01;

    private sealed record Pictures(IReadOnlyList<string> Names, Func<int, byte[]> Read, int[] Labels, EmbeddedFaces Embedded);

    /// <summary>Measures, shows and writes.</summary>
    /// <param name="galleryPath">People to enrol.</param>
    /// <param name="probesPath">Probes; those of people who are not in the gallery are strangers.</param>
    /// <param name="strangersPath">More strangers, or null.</param>
    /// <param name="output">Folder for the files, or null.</param>
    /// <param name="json">Whether to print JSON.</param>
    public void Run(string galleryPath, string probesPath, string? strangersPath, string? output, bool json)
    {
        using FaceDataset enrolled = FaceDatasets.Open(galleryPath), probed = FaceDatasets.Open(probesPath);
        using FaceDataset? strangers = strangersPath is null ? null : FaceDatasets.Open(strangersPath);
        Dictionary<string, int> people = enrolled.People.Select((name, i) => (name, i)).ToDictionary(p => p.name, p => p.i, StringComparer.Ordinal);
        if (strangers?.People.FirstOrDefault(people.ContainsKey) is string known)
        {
            throw new UniFaceException($"{strangersPath}: {known} is enrolled in {galleryPath}, so no stranger; take that person out of --nonmated.");
        }

        List<(string Sha256, TrainingOverlap? Overlap)> read = [gate.Check(enrolled), gate.Check(probed)];
        if (strangers is not null)
        {
            read.Add(gate.Check(strangers));
        }

        Pictures gallery = Embed("gallery", [enrolled], (_, label) => label);
        Pictures probes = Embed("probes", strangers is null ? [probed] : [probed, strangers], (set, label) => people.GetValueOrDefault(set.People[label], -1));
        IdentificationReport report = IdentificationProtocol.Evaluate(gallery.Embedded, gallery.Labels, probes.Embedded, probes.Labels, cancellation: cancellation);
        Dictionary<string, object?> result = ToJson(report, read);
        if (output is not null)
        {
            Write(output, report, result, gallery, probes, enrolled);
        }

        if (json)
        {
            Output.Json(result);
        }
        else
        {
            Show(report);
        }
    }

    private Pictures Embed(string what, FaceDataset[] sets, Func<FaceDataset, int, int> label)
    {
        (FaceDataset Set, int Index)[] all = [.. sets.SelectMany(set => Enumerable.Range(0, set.Samples.Count).Select(i => (set, i)))];
        string[] names = [.. all.Select(a => a.Set.Samples[a.Index].Name)];
        using Progress progress = new(what, all.Length);
        EmbeddedFaces embedded = BatchEmbedding.Embed(
            model.Embedder,
            all.Length,
            i => pipeline.Align(all[i].Set.Read(all[i].Index), names[i])?.Image,
            batchSize,
            count => progress.Add(count),
            cancellation);
        return new Pictures(names, i => all[i].Set.Read(all[i].Index), [.. all.Select(a => label(a.Set, a.Set.Samples[a.Index].Label))], embedded);
    }

    private Dictionary<string, object?> ToJson(IdentificationReport report, List<(string Sha256, TrainingOverlap? Overlap)> read) => new()
    {
        ["protocol"] = "identify",
        ["rank1"] = report.Rank1,
        ["rank5"] = report.Rank5,
        ["rank10"] = report.Rank10,
        ["dirAtFpir"] = report.Points.ToDictionary(p => NameOf(p.TargetFpir), p => new { p.Dir, fnir = 1 - p.Dir, low = p.DirInterval?.Low, high = p.DirInterval?.High, p.Threshold, p.Fpir, p.Why }),
        ["mated"] = report.Mated,
        ["nonMated"] = report.NonMated,
        ["galleryPeople"] = report.GalleryPeople,
        ["galleryTemplates"] = report.GalleryTemplates,
        ["missing"] = report.Missing,
        ["model"] = model.Path,
        ["modelSha256"] = model.Sha256,
        ["contractId"] = model.Manifest?.ContractId,
        ["detector"] = pipeline.DetectorName,
        ["sha256"] = Sha256.OfBytes(Encoding.ASCII.GetBytes(string.Join('\n', read.Select(r => r.Sha256)))),
        ["gallerySha256"] = read[0].Sha256,
        ["probesSha256"] = read[1].Sha256,
        ["nonMatedSha256"] = read.ElementAtOrDefault(2).Sha256,
        ["overlap"] = read.Any(r => r.Overlap is not null)
            ? new TrainingOverlap(read.Sum(r => r.Overlap?.Pictures ?? 0), read.Sum(r => r.Overlap?.People ?? 0)) : null,
    };

    private void Write(string folder, IdentificationReport report, Dictionary<string, object?> json, Pictures gallery, Pictures probes, FaceDataset enrolled)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "eval.json"), Output.ToJson(json) + "\n");
        AtomicFile.WriteText(Path.Combine(folder, "det.svg"), SvgChart.ToFile(Charts.IdentificationDet(Path.GetFileName(Path.TrimEndingDirectorySeparator(model.Path)), report)));
        AtomicFile.Write(Path.Combine(folder, "probes.csv"), stream =>
        {
            using StreamWriter writer = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
            writer.WriteLine("probe,person,first,score,mateRank,mateScore");
            foreach (ProbeResult probe in report.Probes)
            {
                writer.WriteLine(string.Join(',', Quoted(probes.Names[probe.Probe]), Quoted(PersonOf(probe.Mate)), Quoted(PersonOf(probe.Top)), Number(probe.TopScore), probe.MateRank.ToString(CultureInfo.InvariantCulture), Number(probe.MateScore)));
            }
        });
        if (Errors(report) is { Count: > 0 } errors)
        {
            AtomicFile.Write(Path.Combine(folder, "errors.jpg"), stream => stream.Write(ImageEncoder.Jpeg(Sheet(errors, gallery, probes), 92)));
        }

        string PersonOf(int person) => person < 0 ? "" : enrolled.People[person];
    }

    /// <summary>Strangers taken for somebody, then mated probes that were missed; the worst of each first.</summary>
    private static List<ProbeResult> Errors(IdentificationReport report)
    {
        double threshold = report.Points.Where(p => p.Threshold is not null).OrderBy(p => Math.Abs(Math.Log(p.TargetFpir / FpirOfErrors))).FirstOrDefault()?.Threshold ?? double.NegativeInfinity;
        IEnumerable<ProbeResult> accepted = report.Probes.Where(p => !p.IsMated && p.Top >= 0 && p.TopScore >= threshold).OrderByDescending(p => p.TopScore);
        IEnumerable<ProbeResult> missed = report.Probes.Where(p => p.IsMated && p.Top >= 0 && (p.MateRank != 1 || p.MateScore < threshold)).OrderBy(p => p.MateScore);
        return [.. accepted.Take(MostErrors / 2), .. missed.Take(MostErrors / 2)];
    }

    /// <summary>Three errors a line, each the probe, whom it was taken for, and, where it has one, its mate.</summary>
    private RgbImage Sheet(List<ProbeResult> errors, Pictures gallery, Pictures probes)
    {
        (int width, int height) = model.Embedder.InputSize;
        RgbImage blank = new(width, height);
        Array.Fill(blank.Pixels, (byte)0xF0);
        List<RgbImage> pictures = [];
        foreach (ProbeResult error in errors)
        {
            pictures.Add(Face(probes, error.Probe));
            pictures.Add(Face(gallery, error.TopTemplate));
            pictures.Add(error.MateTemplate >= 0 ? Face(gallery, error.MateTemplate) : blank);
            if (pictures.Count % 11 != 0)
            {
                pictures.Add(blank);
            }
        }

        return ImageGrid.Compose(pictures, 11);

        RgbImage Face(Pictures from, int index) => pipeline.Align(from.Read(index), from.Names[index])?.Image ?? blank;
    }

    private void Show(IdentificationReport report)
    {
        Table table = new() { Border = TableBorder.Rounded, Title = new TableTitle(Markup.Escape($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(model.Path))}, 1:N")) };
        table.AddColumns("metric", "value", "95 % interval", "threshold");
        foreach ((string name, double rate) in (ReadOnlySpan<(string, double)>)[("rank 1", report.Rank1), ("rank 5", report.Rank5), ("rank 10", report.Rank10)])
        {
            table.AddRow(name, Percent(rate), "", "");
        }

        foreach (IdentificationPoint point in report.Points)
        {
            table.AddRow(
                $"DIR at FPIR {NameOf(point.TargetFpir)}",
                point.Dir is double dir ? Percent(dir) : "-",
                point.DirInterval is ConfidenceInterval interval ? $"{Percent(interval.Low)} to {Percent(interval.High)}" : Markup.Escape(point.Why ?? ""),
                point.Threshold?.ToString("F4", CultureInfo.InvariantCulture) ?? "");
        }

        AnsiConsole.Write(table);
        Console.WriteLine(FormattableString.Invariant($"{Plural.Of(report.GalleryPeople, "person")} enrolled by {Plural.Of(report.GalleryTemplates, "template")}; {Plural.Of(report.Mated, "mated probe")}, {report.NonMated} of strangers, {report.Missing} without a face"));
    }

    private static string NameOf(double rate) => rate.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Percent(double rate) => (100 * rate).ToString("F2", CultureInfo.InvariantCulture) + " %";

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string Quoted(string name) => name.AsSpan().ContainsAny(",\"\n\r") ? "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : name;
}
