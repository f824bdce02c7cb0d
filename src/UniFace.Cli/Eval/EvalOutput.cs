using Spectre.Console;
using UniFace.Statistics;

namespace UniFace.Cli.Eval;

/// <summary>The results of 1:1 measurements as JSON, as tables and as files of scores.</summary>
internal static class EvalOutput
{
    private const int MaxMissingNames = 100;

    /// <summary>The JSON of all sets: the first as the object itself, the others in "more".</summary>
    public static Dictionary<string, object?> ToJson(EvalModel model, IReadOnlyList<EvalResult> results, BootstrapOptions bootstrap)
    {
        Dictionary<string, object?> json = ToJson(results[0], bootstrap);
        json["model"] = model.Path;
        json["modelSha256"] = model.Sha256;
        json["contractId"] = model.Manifest?.ContractId;
        json["flipSum"] = model.FlipSum;
        if (results.Count > 1)
        {
            json["more"] = results.Skip(1).Select(r => ToJson(r, bootstrap)).ToArray();
        }

        return json;
    }

    /// <summary>The table that a measurement of a model is shown in.</summary>
    public static Table Table(string model, string what)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(model));
        Table table = Output.Table("metric", "value", "95 % interval", "threshold");
        table.Title = new TableTitle(Markup.Escape(name + what));
        return table;
    }

    /// <summary>A rate in percent.</summary>
    public static string Percent(double rate) => $"{100 * rate:F2} %";

    /// <summary>Prints one set.</summary>
    public static void Write(EvalModel model, EvalResult result)
    {
        VerificationReport report = result.Report;
        Table table = Table(model.Path, $" on {result.Name}");
        if (result.Accuracy is CrossValidatedAccuracy accuracy)
        {
            string deviations = $"± {Percent(accuracy.StandardError)} (standard error); folds ± {Percent(accuracy.Deviation)}";
            table.AddRow("accuracy", Percent(accuracy.Mean), deviations, $"{accuracy.Folds.Average(f => f.Threshold):F4}");
        }

        table.AddRow("AUC", $"{report.Auc:F6}", Interval(report.AucInterval, v => $"{v:F6}"), "");
        table.AddRow("EER", Percent(report.EqualError.Rate), Interval(report.EqualErrorInterval, Percent), $"{report.EqualError.Threshold:F4}");
        foreach (OperatingPoint point in report.OperatingPoints)
        {
            string name = $"TAR at FAR {OperatingPoint.FormatRate(point.TargetFalseMatchRate)}";
            if (point.TrueMatchRate is double tar)
            {
                table.AddRow(name, Percent(tar), Interval(point.TrueMatchRateInterval, Percent), $"{point.Threshold:F4}");
            }
            else
            {
                table.AddRow(name, "-", $"needs {Math.Ceiling(1 / point.TargetFalseMatchRate * (1 - 1e-9)):F0} pairs of different people", "");
            }
        }

        AnsiConsole.Write(table);
        Console.WriteLine(
            $"{report.SamePairs} mated and {report.DifferentPairs} non-mated pairs of {Plural.Format(result.Images.Count, "image")}, " +
            $"{Plural.Format(report.Missing, "pair")} missing a face ({Plural.Format(result.MissingImages.Count, "image")})");
        Console.WriteLine(
            $"detector {result.Detector}, {(model.FlipSum ? "with" : "without")} flip-sum, {Rate(result):F1} images/s, {result.Seconds:F1} s");
        string unit = report.BootstrapUnit == BootstrapUnit.Person ? "people" : "pairs";
        Console.WriteLine($"intervals: {report.BootstrapReplicates} bootstrap replicates over {unit}; data SHA-256 {result.Sha256}");
    }

    /// <summary>Writes one line per pair.</summary>
    public static void WriteScores(string path, EvalResult result)
    {
        VerificationScores scores = result.Scores;
        IEnumerable<int> all = Enumerable.Range(0, scores.Count);
        Csv.Write(path, result.Pairs is IReadOnlyList<PairOfImages> pairs
            ? all.Select(i => (string[])
            [
                result.Images[pairs[i].First], result.Images[pairs[i].Second], Same(i), $"{scores.Folds[i]}", Score(i), scores.IsMissing(i) ? "1" : "0",
            ]).Prepend(["first", "second", "same", "fold", "score", "missing"])
            : all.Select(i => (string[])[Score(i), Same(i)]).Prepend(["score", "same"]));

        string Score(int i) => $"{scores.Scores[i]:R}";

        string Same(int i) => scores.Same[i] ? "1" : "0";
    }

    private static double Rate(EvalResult result) => result.Images.Count / Math.Max(result.Seconds, 1e-9);

    private static Dictionary<string, object?> ToJson(EvalResult result, BootstrapOptions bootstrap)
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
            ["folds"] = result.Accuracy?.Folds.Select(f => new { fold = f.Fold + 1, f.Accuracy, f.Threshold, f.Pairs }),
            ["pairs"] = result.Scores.Count,
            ["samePairs"] = report.SamePairs,
            ["differentPairs"] = report.DifferentPairs,
            ["missing"] = report.Missing,
            ["missingImages"] = result.MissingImages.Count,
            ["missingImageNames"] = result.MissingImages.Take(MaxMissingNames),
            ["auc"] = report.Auc,
            ["aucLow"] = report.AucInterval?.Low,
            ["aucHigh"] = report.AucInterval?.High,
            ["eer"] = report.EqualError.Rate,
            ["eerLow"] = report.EqualErrorInterval?.Low,
            ["eerHigh"] = report.EqualErrorInterval?.High,
            ["eerThreshold"] = report.EqualError.Threshold,
            ["tarAtFar"] = report.OperatingPoints.ToDictionary(p => OperatingPoint.FormatRate(p.TargetFalseMatchRate), ToJson),
            ["bootstrap"] = new
            {
                unit = report.BootstrapUnit,
                replicates = report.BootstrapReplicates,
                bootstrap.Confidence,
                bootstrap.Seed,
            },
            ["images"] = result.Images.Count,
            ["people"] = result.People,
            ["detector"] = result.Detector,
            ["seconds"] = result.Seconds,
            ["imagesPerSecond"] = Rate(result),
            ["sha256"] = result.Sha256,
            ["pairsSha256"] = result.PairsSha256,
            ["overlap"] = result.Overlap,
        };
    }

    private static Dictionary<string, object?> ToJson(OperatingPoint point)
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

    /// <summary>An interval, or nothing.</summary>
    public static string Interval(ConfidenceInterval? interval, Func<double, string> text) =>
        interval is ConfidenceInterval i ? $"{text(i.Low)} to {text(i.High)}" : "";
}
