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
                    r.Case.Loss.Name,
                    Spec = r.Case.Loss.ToString(),
                    Passed = r.Double.Passed && r.Single.Passed,
                    Expected = r.Case.Expected.Loss,
                    Float64 = new { r.Double.Loss, r.Double.MaxError, r.Double.Errors },
                    Float32 = new { r.Single.Loss, r.Single.MaxError, r.Single.Errors },
                }),
            };
            parsed.Print(json, () =>
            {
                Print(results);
                Console.WriteLine(
                    $"{results.Count - failed} of {results.Count} cases match; largest error {largestDouble:E1} in float64 (allowed " +
                    $"{LossCheck.DoubleTolerance:E0}), {largestSingle:E1} in float32 (allowed {LossCheck.SingleTolerance:E0})");
            });
            return failed == 0 ? ExitCode.Success : ExitCode.Negative;
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
            string? one = parsed.GetValue(name);
            IReadOnlyList<LossInfo> losses = one is null ? LossRegistry.All : [LossRegistry.Find(one)];
            object json = one is null ? new { Losses = losses.Select(Describe) } : Describe(losses[0]);
            parsed.Print(json, () =>
            {
                if (one is null)
                {
                    ShowAll(losses);
                }
                else
                {
                    Show(losses[0]);
                }
            });
            return ExitCode.Success;
        });
    }

    private static void Print(List<(LossCase Case, CaseOutcome Double, CaseOutcome Single)> results)
    {
        Table table = new Table().Border(TableBorder.Simple);
        table.AddColumns("#", "loss", "actual", "expected", "error float64", "error float32", "");
        foreach ((LossCase golden, CaseOutcome both, CaseOutcome single) in results)
        {
            bool passed = both.Passed && single.Passed;
            table.AddRow(
                $"{golden.Number}",
                Markup.Escape(Short(golden.Loss)),
                $"{both.Loss:G10}",
                $"{golden.Expected.Loss:G10}",
                Worst(both),
                Worst(single),
                passed ? "[green]ok[/]" : "[red]differs[/]");
        }

        AnsiConsole.Write(table);
    }

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
        string text = $"{error:E1}";
        return outcome.Passed ? text : $"[red]{text} {what}[/]";
    }

    private static void ShowAll(IReadOnlyList<LossInfo> losses)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("loss", "what it does", "paper", "hyperparameters");
        foreach (LossInfo loss in losses)
        {
            table.AddRow(loss.Name, Markup.Escape(loss.Description), Markup.Escape(loss.Paper), string.Join(", ", loss.HyperparameterNames));
        }

        AnsiConsole.Write(table);
        Console.WriteLine("uniface loss list NAME shows defaults and ranges.");
    }

    private static void Show(LossInfo loss)
    {
        Console.WriteLine($"{loss.Name}: {loss.Description}");
        Console.WriteLine(loss.Paper);
        Table table = new Table().Border(TableBorder.Simple).AddColumns("option", "default", "range", "meaning");
        foreach (LossHyperparameter parameter in loss.Hyperparameters)
        {
            string when = parameter.MarginTypes.Count > 0 ? $" (with --margin-type {string.Join(", ", parameter.MarginTypes)})" : "";
            table.AddRow("--" + parameter.Name, parameter.Default, Markup.Escape(parameter.Range), Markup.Escape(parameter.Meaning + when));
        }

        AnsiConsole.Write(table);
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
