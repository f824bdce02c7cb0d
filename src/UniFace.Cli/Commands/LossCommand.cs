using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Cli.Losses;
using UniFace.Training.Losses;
using static TorchSharp.torch;

namespace UniFace.Cli.Commands;

/// <summary>`uniface loss`: the registry of losses, and the check of a file of golden cases.</summary>
internal static class LossCommand
{
    public static Command Create()
    {
        Command command = new("loss", "Show the losses, or check them against a file of expected values.\nExample: uniface loss list uce");
        command.Add(CreateCheck());
        command.Add(CreateList());
        return command;
    }

    private static Command CreateCheck()
    {
        Argument<string> file = new("FILE") { Description = "JSON file with embeddings, centers, labels and cases." };
        Command command = new("check", "Compute every case of a file and compare loss, gradients and state; exit code 1 if any differs.\nExample: uniface loss check cases.json --json") { file };
        command.SetAction((parsed, stop) => Task.FromResult(Check(parsed.GetRequiredValue(file), parsed.GetValue(CommonOptions.Json), stop)));
        return command;
    }

    private static Command CreateList()
    {
        Argument<string?> name = new("NAME") { Description = "One loss only, with its hyperparameters.", Arity = ArgumentArity.ZeroOrOne };
        Command command = new("list", "Show the losses, their hyperparameters, defaults, ranges and papers.\nExample: uniface loss list arcface") { name };
        command.SetAction((parsed, _) => Task.FromResult(List(parsed.GetValue(name), parsed.GetValue(CommonOptions.Json))));
        return command;
    }

    private static int Check(string file, bool json, CancellationToken stop)
    {
        List<(LossCase Case, CaseOutcome Double, CaseOutcome Single)> results = [];
        IReadOnlyList<LossCase> cases = LossCaseFile.Read(file);
        using (Progress progress = new("loss check", cases.Count, "cases"))
        {
            foreach (LossCase golden in cases)
            {
                stop.ThrowIfCancellationRequested();
                results.Add((golden, LossCheck.Run(golden, ScalarType.Float64), LossCheck.Run(golden, ScalarType.Float32)));
                progress.Add();
            }
        }

        int failed = results.Count(r => !r.Double.Passed || !r.Single.Passed);
        double largestDouble = results.Max(r => r.Double.MaxError);
        double largestSingle = results.Max(r => r.Single.MaxError);
        if (json)
        {
            Output.Json(new
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
            });
        }
        else
        {
            Print(results);
            AnsiConsole.WriteLine(FormattableString.Invariant(
                $"{results.Count - failed} of {results.Count} cases match; largest error {largestDouble:E1} in float64 (allowed {LossCheck.DoubleTolerance:E0}), {largestSingle:E1} in float32 (allowed {LossCheck.SingleTolerance:E0})"));
        }

        return failed == 0 ? ExitCode.Success : ExitCode.Negative;
    }

    private static void Print(List<(LossCase Case, CaseOutcome Double, CaseOutcome Single)> results)
    {
        Table table = new Table().Border(TableBorder.Simple);
        table.AddColumns("#", "loss", "ours", "expected", "error float64", "error float32", "");
        foreach ((LossCase golden, CaseOutcome both, CaseOutcome single) in results)
        {
            bool passed = both.Passed && single.Passed;
            table.AddRow(
                golden.Number.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(Short(golden.Loss)),
                both.Loss.ToString("G10", CultureInfo.InvariantCulture),
                golden.Expected.Loss.ToString("G10", CultureInfo.InvariantCulture),
                Worst(both),
                Worst(single),
                passed ? "[green]ok[/]" : "[red]differs[/]");
        }

        AnsiConsole.Write(table);
    }

    /// <summary>A loss with what differs from its defaults.</summary>
    private static string Short(Loss spec)
    {
        Loss usual = Loss.Parse(spec.Name);
        return $"{spec.Name} {string.Join(' ', spec.Values.Except(usual.Values).Select(v => $"{v.Key}={v.Value}"))}".TrimEnd();
    }

    /// <summary>The largest error, and of what where it is too large.</summary>
    private static string Worst(CaseOutcome outcome)
    {
        (string what, double error) = outcome.Errors.MaxBy(e => e.Value);
        string text = error.ToString("E1", CultureInfo.InvariantCulture);
        return outcome.Passed ? text : $"[red]{text} {what}[/]";
    }

    private static int List(string? name, bool json)
    {
        IReadOnlyList<LossInfo> losses = name is null ? LossRegistry.All : [LossRegistry.Find(name)];
        if (json)
        {
            object[] entries = [.. losses.Select(Describe)];
            Output.Json(name is null ? new { Losses = entries } : entries[0]);
            return ExitCode.Success;
        }

        if (name is null)
        {
            Table all = new Table().Border(TableBorder.Simple);
            all.AddColumns("loss", "what it does", "paper", "hyperparameters");
            foreach (LossInfo loss in losses)
            {
                all.AddRow(loss.Name, Markup.Escape(loss.Description), Markup.Escape(loss.Paper), string.Join(", ", loss.HyperparameterNames));
            }

            AnsiConsole.Write(all);
            AnsiConsole.WriteLine("uniface loss list NAME shows defaults and ranges.");
            return ExitCode.Success;
        }

        AnsiConsole.WriteLine($"{losses[0].Name}: {losses[0].Description}");
        AnsiConsole.WriteLine(losses[0].Paper);
        Table table = new Table().Border(TableBorder.Simple);
        table.AddColumns("option", "default", "takes", "meaning");
        foreach (LossHyperparameter parameter in losses[0].Hyperparameters)
        {
            string when = parameter.MarginTypes.Count > 0 ? $" (with --margin-type {string.Join(", ", parameter.MarginTypes)})" : "";
            table.AddRow("--" + parameter.Name, parameter.Default, Markup.Escape(parameter.Range), Markup.Escape(parameter.Meaning + when));
        }

        AnsiConsole.Write(table);
        return ExitCode.Success;
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
