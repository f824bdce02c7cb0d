using System.Globalization;
using System.Text;
using Spectre.Console;
using UniFace.Evaluation.Verification;
using UniFace.IO;
using UniFace.Statistics;

namespace UniFace.Cli.Protocols;

/// <summary>How a measurement is shown: one JSON object, a table, and a file of scores.</summary>
internal static class EvalOutput
{
    private const int MostMissingNames = 100;

    /// <summary>The object of --json; further sets stand in "more".</summary>
    public static Dictionary<string, object?> ToJson(EvalModel model, IReadOnlyList<EvalResult> results, BootstrapOptions bootstrap)
    {
        Dictionary<string, object?> json = One(results[0], bootstrap);
        json["model"] = model.Path;
        json["modelSha256"] = model.Sha256;
        json["contractId"] = model.Manifest?.ContractId;
        json["flipSum"] = model.FlipSum;
        if (results.Count > 1)
        {
            json["more"] = results.Skip(1).Select(r => One(r, bootstrap)).ToArray();
        }

        return json;
    }

    /// <summary>A table of one set for people.</summary>
    public static void Write(EvalModel model, EvalResult result)
    {
        VerificationReport report = result.Report;
        Table table = new() { Border = TableBorder.Rounded, Title = new TableTitle(Markup.Escape($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(model.Path))} on {result.Name}")) };
        table.AddColumns("metric", "value", "95 % interval", "threshold");
        if (result.Accuracy is CrossValidatedAccuracy accuracy)
        {
            table.AddRow("accuracy", Percent(accuracy.Mean), $"± {Percent(accuracy.StandardError)} (standard error); folds ± {Percent(accuracy.Deviation)}", Cosine(accuracy.Folds.Average(f => f.Threshold)));
        }

        table.AddRow("AUC", report.Auc.ToString("F6", CultureInfo.InvariantCulture), Interval(report.AucInterval, "F6"), "");
        table.AddRow("EER", Percent(report.EqualError.Rate), Interval(report.EqualErrorInterval, "P2"), Cosine(report.EqualError.Threshold));
        foreach (OperatingPoint point in report.OperatingPoints)
        {
            string name = $"TAR at FAR {OperatingPoint.FormatRate(point.TargetFalseMatchRate)}";
            if (point.TrueMatchRate is double tar)
            {
                table.AddRow(name, Percent(tar), Interval(point.TrueMatchRateInterval, "P2"), Cosine(point.Threshold!.Value));
            }
            else
            {
                table.AddRow(name, "-", Invariant($"needs {Math.Ceiling(1 / point.TargetFalseMatchRate * (1 - 1e-9)):F0} pairs of different people"), "");
            }
        }

        AnsiConsole.Write(table);
        Console.WriteLine(Invariant($"{report.SamePairs} same and {report.DifferentPairs} different pairs of {Plural.Format(result.Images.Count, "picture")}, {Plural.Format(report.Missing, "pair")} missing a face ({Plural.Format(result.MissingImages.Count, "picture")})"));
        Console.WriteLine(Invariant($"detector {result.Detector}, {(model.FlipSum ? "with" : "without")} flip-sum, {result.Images.Count / Math.Max(result.Seconds, 1e-9):F1} images/s, {result.Seconds:F1} s"));
        Console.WriteLine(Invariant($"intervals: {report.BootstrapReplicates} draws of {(report.BootstrapUnit == BootstrapUnit.Person ? "people" : "pairs")}; data SHA-256 {result.Sha256}"));
    }

    /// <summary>A line a pair: first, second, same, fold, score, missing.</summary>
    public static void WriteScores(string path, EvalResult result) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter writer = new(stream, new UTF8Encoding(false), leaveOpen: true);
        writer.NewLine = "\n";
        writer.WriteLine(result.Pairs is null ? "score,same" : "first,second,same,fold,score,missing");
        VerificationScores scores = result.Scores;
        for (int i = 0; i < scores.Count; i++)
        {
            string score = scores.Scores[i].ToString("R", CultureInfo.InvariantCulture);
            string same = scores.Same[i] ? "1" : "0";
            writer.WriteLine(result.Pairs is null
                ? $"{score},{same}"
                : Invariant($"{Quoted(result.Images[result.Pairs[i].First])},{Quoted(result.Images[result.Pairs[i].Second])},{same},{scores.Folds[i]},{score},{(scores.IsMissing(i) ? 1 : 0)}"));
        }
    });

    private static Dictionary<string, object?> One(EvalResult result, BootstrapOptions bootstrap)
    {
        VerificationReport report = result.Report;
        return new Dictionary<string, object?>
        {
            ["data"] = result.Name,
            ["protocol"] = result.Protocol,
            ["accuracy"] = result.Accuracy?.Mean,
            ["accuracyStd"] = result.Accuracy?.Deviation,
            ["accuracyStandardError"] = result.Accuracy?.StandardError,
            ["threshold"] = result.Accuracy?.Folds.Average(f => f.Threshold),
            ["folds"] = result.Accuracy?.Folds.Select(f => new { fold = f.Fold + 1, accuracy = f.Accuracy, threshold = f.Threshold, pairs = f.Pairs }).ToArray(),
            ["pairs"] = result.Scores.Count,
            ["samePairs"] = report.SamePairs,
            ["differentPairs"] = report.DifferentPairs,
            ["missing"] = report.Missing,
            ["missingImages"] = result.MissingImages.Count,
            ["missingImageNames"] = result.MissingImages.Take(MostMissingNames).ToArray(),
            ["auc"] = report.Auc,
            ["aucLow"] = report.AucInterval?.Low,
            ["aucHigh"] = report.AucInterval?.High,
            ["eer"] = report.EqualError.Rate,
            ["eerLow"] = report.EqualErrorInterval?.Low,
            ["eerHigh"] = report.EqualErrorInterval?.High,
            ["eerThreshold"] = report.EqualError.Threshold,
            ["tarAtFar"] = report.OperatingPoints.ToDictionary(p => OperatingPoint.FormatRate(p.TargetFalseMatchRate), Point),
            ["bootstrap"] = new { unit = report.BootstrapUnit, replicates = report.BootstrapReplicates, confidence = bootstrap.Confidence, seed = bootstrap.Seed },
            ["images"] = result.Images.Count,
            ["people"] = result.People,
            ["detector"] = result.Detector,
            ["seconds"] = result.Seconds,
            ["imagesPerSecond"] = result.Images.Count / Math.Max(result.Seconds, 1e-9),
            ["sha256"] = result.Sha256,
            ["pairsSha256"] = result.PairsSha256,
            ["overlap"] = result.Overlap,
        };
    }

    private static Dictionary<string, object?> Point(OperatingPoint point)
    {
        Dictionary<string, object?> json = new()
        {
            ["tar"] = point.TrueMatchRate,
            ["low"] = point.TrueMatchRateInterval?.Low,
            ["high"] = point.TrueMatchRateInterval?.High,
            ["threshold"] = point.Threshold,
            ["far"] = point.FalseMatchRate,
        };
        if (point.Why is not null)
        {
            json["why"] = point.Why;
        }

        return json;
    }

    private static string Interval(ConfidenceInterval? interval, string format) => interval is ConfidenceInterval i
        ? Invariant($"{(format == "P2" ? Percent(i.Low) : i.Low.ToString(format, CultureInfo.InvariantCulture))} to {(format == "P2" ? Percent(i.High) : i.High.ToString(format, CultureInfo.InvariantCulture))}")
        : "";

    private static string Percent(double rate) => (100 * rate).ToString("F2", CultureInfo.InvariantCulture) + " %";

    private static string Cosine(double threshold) => threshold.ToString("F4", CultureInfo.InvariantCulture);

    private static string Quoted(string name) => name.AsSpan().ContainsAny(",\"\n\r") ? "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : name;

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
