using Spectre.Console;
using static TorchSharp.torch;

namespace UniFace.Cli.Losses;

/// <summary>`uniface loss`: lists the losses, and checks them against reference values.</summary>
internal static class LossCommand
{
    public static Command Create() => new("loss", "List the losses, or check them against reference values.\nExample: uniface loss list uce")
    {
        CreateCheck(),
        CreateList(),
    };

    private static Command CreateCheck()
    {
        const string Description = """
            Compute every case in a file and compare loss, gradients and state. Exit code 1: a case differs.
            Example: uniface loss check cases.json --json
            """;
        Argument<string> file = new("FILE") { Description = "JSON file with embeddings, centers, labels and cases." };
        return CliCommand.Create("check", Description, [file], (parsed, stop) =>
        {
            List<(LossCase Case, CaseOutcome Double, CaseOutcome Single)> results = [];
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

            int failed = results.Count(r => !r.Double.Passed || !r.Single.Passed);
            double largestDouble = results.Max(r => r.Double.MaxError), largestSingle = results.Max(r => r.Single.MaxError);
            object json = new
            {
                Cases = results.Count,
                Failed = failed,
                MaxError = new { Float64 = largestDouble, Float32 = largestSingle },
                Results = results.Select(r => new
                {
                    Case = r.Case.Number,
                    r.Case.Name,
                    Spec = r.Case.Parameters.Loss.ToString(),
                    Passed = r.Double.Passed && r.Single.Passed,
                    Expected = r.Case.Loss,
                    Float64 = new { r.Double.Loss, r.Double.MaxError, r.Double.Errors },
                    Float32 = new { r.Single.Loss, r.Single.MaxError, r.Single.Errors },
                }),
            };
            parsed.Print(json, () =>
            {
                Output.Table(["#", "loss", "actual", "expected", "error float64", "error float32", ""], results.Select(Row));
                Console.WriteLine(
                    $"{results.Count - failed} of {results.Count} cases match; largest error {largestDouble:E1} in float64 (allowed " +
                    $"{LossCheck.DoubleTolerance:E0}), {largestSingle:E1} in float32 (allowed {LossCheck.SingleTolerance:E0})");
            });
            return failed == 0;
        });
    }

    private static Command CreateList()
    {
        const string Description = """
            List the losses with their hyperparameters, defaults, ranges and papers.
            Example: uniface loss list arcface
            """;
        Argument<string?> name = new("NAME") { Description = "Show only this loss, with its hyperparameters.", Arity = ArgumentArity.ZeroOrOne };
        return CliCommand.Create("list", Description, [name], (parsed, _) =>
        {
            if (parsed.GetValue(name) is string one)
            {
                LossInfo loss = LossRegistry.Find(one);
                parsed.Print(Describe(loss), () => Show(loss));
            }
            else
            {
                parsed.Print(new { Losses = LossRegistry.All.Select(Describe) }, ShowAll);
            }
        });
    }

    private static object[] Row((LossCase Case, CaseOutcome Double, CaseOutcome Single) result) =>
    [
        result.Case.Number, Short(result.Case.Parameters.Loss), $"{result.Double.Loss:G10}", $"{result.Case.Loss:G10}", Worst(result.Double),
        Worst(result.Single), result.Double.Passed && result.Single.Passed ? new Markup("[green]ok[/]") : new Markup("[red]differs[/]"),
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

    private static void ShowAll()
    {
        Output.Table(
            ["loss", "what it does", "paper", "hyperparameters"],
            LossRegistry.All.Select(loss => (object[])[loss.Name, loss.Description, loss.Paper, string.Join(", ", loss.HyperparameterNames)]));
        Console.WriteLine("uniface loss list NAME shows defaults and ranges.");
    }

    private static void Show(LossInfo loss)
    {
        Console.WriteLine($"{loss.Name}: {loss.Description}");
        Console.WriteLine(loss.Paper);
        Output.Table(["option", "default", "range", "meaning"], loss.Hyperparameters.Select(parameter => (object[])
        [
            "--" + parameter.Name,
            parameter.Default,
            parameter.Range,
            parameter.Meaning + (parameter.MarginTypes.Count > 0 ? $" (with --margin-type {string.Join(", ", parameter.MarginTypes)})" : ""),
        ]));
    }

    private static object Describe(LossInfo loss) => new
    {
        loss.Name,
        loss.Description,
        loss.Paper,
        loss.MinimumClasses,
        Hyperparameters = loss.Hyperparameters.Select(p => new
        {
            p.Name,
            p.Kind,
            p.Default,
            p.Range,
            Usual = p.Usual.Length > 0 ? p.Usual : p.Default,
            p.Meaning,
            p.MarginTypes,
        }),
    };
}
