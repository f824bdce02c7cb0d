using Spectre.Console;
using static TorchSharp.torch;

namespace UniFace.Cli.Losses;

/// <summary>`uniface loss check`: compares losses with reference values.</summary>
internal static class LossCheckCommand
{
    public static Command Create()
    {
        const string Description = """
            Compute every case in a file and compare loss, gradients and state. Exit code 1: a case differs.
            Example: uniface loss check cases.json --json
            """;
        Argument<string> file = new("FILE") { Description = "JSON file with embeddings, centers, labels and cases." };
        return CliCommand.Create("check", Description, [file], (parsed, stop) =>
        {
            List<(LossCase Case, CaseOutcome Float64, CaseOutcome Float32)> results = [];
            IReadOnlyList<LossCase> cases = LossCaseFile.Read(parsed.GetRequiredValue(file));
            using (ProgressMeter progress = new("loss check", cases.Count, "cases"))
            {
                foreach (LossCase golden in cases)
                {
                    stop.ThrowIfCancellationRequested();
                    results.Add((golden, LossCheck.Run(golden, ScalarType.Float64), LossCheck.Run(golden, ScalarType.Float32)));
                    progress.Add();
                }
            }

            int failed = results.Count(r => !r.Float64.Passed || !r.Float32.Passed);
            double maxFloat64 = results.Max(r => r.Float64.MaxError), maxFloat32 = results.Max(r => r.Float32.MaxError);
            object json = new
            {
                Cases = results.Count,
                Failed = failed,
                MaxError = new { Float64 = maxFloat64, Float32 = maxFloat32 },
                Results = results.Select(r => new
                {
                    Case = r.Case.Number,
                    r.Case.Name,
                    Spec = r.Case.Parameters.Loss.ToString(),
                    Passed = r.Float64.Passed && r.Float32.Passed,
                    Expected = r.Case.Loss,
                    Float64 = new { r.Float64.Loss, r.Float64.MaxError, r.Float64.Errors },
                    Float32 = new { r.Float32.Loss, r.Float32.MaxError, r.Float32.Errors },
                }),
            };
            parsed.Print(json, () =>
            {
                Output.Table(["#", "loss", "actual", "expected", "error float64", "error float32", ""], results.Select(Row));
                Console.WriteLine(
                    $"{results.Count - failed} of {results.Count} cases match; largest error {maxFloat64:E1} in float64 (allowed " +
                    $"{LossCheck.DoubleTolerance:E0}), {maxFloat32:E1} in float32 (allowed {LossCheck.SingleTolerance:E0})");
            });
            return failed == 0;
        });
    }

    private static object[] Row((LossCase Case, CaseOutcome Float64, CaseOutcome Float32) result) =>
    [
        result.Case.Number, Short(result.Case.Parameters.Loss), $"{result.Float64.Loss:G10}", $"{result.Case.Loss:G10}", Worst(result.Float64),
        Worst(result.Float32), result.Float64.Passed && result.Float32.Passed ? new Markup("[green]ok[/]") : new Markup("[red]differs[/]"),
    ];

    /// <summary>A loss with the hyperparameters that differ from its defaults.</summary>
    private static string Short(Loss spec)
    {
        Loss usual = Loss.Parse(spec.Name);
        return $"{spec.Name} {string.Join(' ', spec.Values.Except(usual.Values).Select(v => $"{v.Key}={v.Value}"))}".TrimEnd();
    }

    /// <summary>The largest error, and what it is an error of if it is too large.</summary>
    private static string Worst(CaseOutcome outcome)
    {
        (string what, double error) = outcome.Errors.MaxBy(e => e.Value);
        return outcome.Passed ? $"{error:E1}" : $"{error:E1} {what}";
    }
}
