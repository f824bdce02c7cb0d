using System.Text.Json.Nodes;
using UniFace.Statistics;

namespace UniFace.Cli.Eval;

/// <summary>The results of 1:1 measurements as JSON, as tables and as files of scores.</summary>
internal static class EvalOutput
{
    private const int MaxMissingNames = 100;

    /// <summary>The columns of a table of metrics.</summary>
    public static readonly string[] Columns = ["metric", "value", "95 % interval", "threshold"];

    /// <summary>The JSON of all sets: the first as the object itself, the others in "more".</summary>
    public static JsonObject ToJson(EvaluatedModel model, IReadOnlyList<EvaluationResult> results, BootstrapOptions bootstrap)
    {
        JsonObject json = ToJson(results[0], bootstrap);
        AddModel(json, model.Path, model.WeightsSha256, model.Manifest?.ContractId, model.FlipSum);
        if (results.Count > 1)
        {
            json["more"] = new JsonArray([.. results.Skip(1).Select(r => ToJson(r, bootstrap))]);
        }

        return json;
    }

    /// <summary>The JSON of one set, measured with a package.</summary>
    public static JsonObject ToJson(string package, ModelManifest manifest, EvaluationResult result, BootstrapOptions bootstrap)
    {
        JsonObject json = ToJson(result, bootstrap);
        AddModel(json, package, manifest.OnnxSha256, manifest.ContractId, manifest.FlipSum);
        return json;
    }

    /// <summary>Writes eval.json, the scores and the charts into a folder.</summary>
    public static void WriteFiles(string folder, IReadOnlyList<EvaluationResult> results, JsonObject json)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "eval.json"), Output.ToJson(json) + "\n");
        foreach ((int i, EvaluationResult result) in results.Index())
        {
            string suffix = i == 0 ? "" : $"-{i + 1}";
            WriteScores(Path.Combine(folder, $"scores{suffix}.csv"), result);
            Svg($"roc{suffix}.svg", Charts.Roc((result.Set.Name, result.Report.Roc)));
            Svg($"det{suffix}.svg", Charts.Det((result.Set.Name, result.Report.Roc)));
            Svg($"scores{suffix}.svg", Charts.Scores(result.Set.Name, result.Scores, null));
        }

        void Svg(string name, string svg) => AtomicFile.WriteText(Path.Combine(folder, name), SvgChart.ToFile(svg));
    }

    /// <summary>A rate in percent.</summary>
    public static string Percent(double rate) => $"{100 * rate:F2} %";

    /// <summary>An interval, or nothing.</summary>
    public static string Interval(ConfidenceInterval? interval, Func<double, string> text) =>
        interval is ConfidenceInterval i ? $"{text(i.Low)} to {text(i.High)}" : "";

    /// <summary>Prints one set.</summary>
    public static void Write(EvaluatedModel model, EvaluationResult result)
    {
        VerificationReport report = result.Report;
        List<object[]> rows =
        [
            ["AUC", $"{report.Auc:F6}", Interval(report.Intervals?.Auc, v => $"{v:F6}"), ""],
            ["EER", Percent(report.EqualError.Rate), Interval(report.Intervals?.EqualErrorRate, Percent), $"{report.EqualError.Threshold:F4}"],
            .. report.OperatingPoints.Select(point =>
            {
                string name = $"TAR at FAR {OperatingPoint.FormatRate(point.TargetFalseMatchRate)}";
                return point.TrueMatchRate is double tar
                    ? (object[])[name, Percent(tar), Interval(point.TrueMatchRateInterval, Percent), $"{point.Threshold:F4}"]
                    : [name, "-", $"needs {Math.Ceiling(1 / point.TargetFalseMatchRate * (1 - 1e-9)):F0} pairs of different people", ""];
            }),
        ];
        if (result.Accuracy is CrossValidatedAccuracy accuracy)
        {
            string deviations = $"± {Percent(accuracy.StandardError)} (standard error); folds ± {Percent(accuracy.Deviation)}";
            rows.Insert(0, ["accuracy", Percent(accuracy.Mean), deviations, $"{accuracy.Folds.Average(f => f.Threshold):F4}"]);
        }

        Output.Table(Columns, rows, $"{model.Name} on {result.Set.Name}");
        Console.WriteLine(
            $"{report.SamePairs} mated and {report.DifferentPairs} non-mated pairs of {Plural.Format(result.Set.Images.Count, "image")}, " +
            $"{Plural.Format(report.Missing, "pair")} missing a face ({Plural.Format(result.Set.MissingImages.Count, "image")})");
        Console.WriteLine(
            $"detector {result.Set.Detector}, {(model.FlipSum ? "with" : "without")} flip-sum, {Rate(result):F1} images/s, {result.Set.Seconds:F1} s");
        string unit = report.Intervals?.Unit == BootstrapUnit.Person ? "people" : "pairs";
        Console.WriteLine($"intervals: {report.Intervals?.Replicates} bootstrap replicates over {unit}; data SHA-256 {result.Sha256}");
    }

    /// <summary>Writes one line per pair.</summary>
    public static void WriteScores(string path, EvaluationResult result)
    {
        VerificationScores scores = result.Scores;
        IEnumerable<int> all = Enumerable.Range(0, scores.Count);
        Csv.Write(path, result.Pairs is IReadOnlyList<PairOfImages> pairs
            ? all.Select(i => (string[])
            [
                result.Set.Images[pairs[i].First], result.Set.Images[pairs[i].Second], Same(i), $"{scores.Folds[i]}", Score(i), scores.IsMissing(i) ? "1" : "0",
            ]).Prepend(["first", "second", "same", "fold", "score", "missing"])
            : all.Select(i => (string[])[Score(i), Same(i)]).Prepend(["score", "same"]));

        string Score(int i) => $"{scores.Scores[i]:R}";

        string Same(int i) => scores.Same[i] ? "1" : "0";
    }

    private static void AddModel(JsonObject json, string path, string sha256, string? contractId, bool flipSum)
    {
        json["model"] = path;
        json["modelSha256"] = sha256;
        json["contractId"] = contractId;
        json["flipSum"] = flipSum;
    }

    private static double Rate(EvaluationResult result) => result.Set.Images.Count / Math.Max(result.Set.Seconds, 1e-9);

    private static JsonObject ToJson(EvaluationResult result, BootstrapOptions bootstrap)
    {
        VerificationReport report = result.Report;
        return Output.ToJsonObject(new
        {
            data = result.Set.Name,
            result.Protocol,
            accuracy = result.Accuracy?.Mean,
            accuracyStd = result.Accuracy?.Deviation,
            accuracyStandardError = result.Accuracy?.StandardError,
            threshold = result.Accuracy?.Folds.Average(f => f.Threshold),
            folds = result.Accuracy?.Folds.Select(f => new { fold = f.Fold + 1, f.Accuracy, f.Threshold, f.Pairs }),
            pairs = result.Scores.Count,
            report.SamePairs,
            report.DifferentPairs,
            report.Missing,
            missingImages = result.Set.MissingImages.Count,
            missingImageNames = result.Set.MissingImages.Take(MaxMissingNames),
            report.Auc,
            aucLow = report.Intervals?.Auc.Low,
            aucHigh = report.Intervals?.Auc.High,
            eer = report.EqualError.Rate,
            eerLow = report.Intervals?.EqualErrorRate.Low,
            eerHigh = report.Intervals?.EqualErrorRate.High,
            eerThreshold = report.EqualError.Threshold,
            tarAtFar = report.OperatingPoints.ToDictionary(p => OperatingPoint.FormatRate(p.TargetFalseMatchRate), p => new
            {
                tar = p.TrueMatchRate,
                p.TrueMatchRateInterval?.Low,
                p.TrueMatchRateInterval?.High,
                p.Threshold,
                far = p.FalseMatchRate,
                p.Why,
            }),
            bootstrap = new { unit = report.Intervals?.Unit, replicates = report.Intervals?.Replicates, bootstrap.Confidence, bootstrap.Seed },
            images = result.Set.Images.Count,
            result.People,
            result.Set.Detector,
            result.Set.Seconds,
            imagesPerSecond = Rate(result),
            result.Sha256,
            result.PairsSha256,
            result.Overlap,
        });
    }
}
