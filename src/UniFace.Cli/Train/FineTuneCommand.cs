using UniFace.Cli.Losses;
using UniFace.Training.Distillation;
using UniFace.Training.FineTuning;
using UniFace.Training.Optimization;

namespace UniFace.Cli.Train;

/// <summary>`uniface finetune`: trains a model further on the user's people, and says whether that helped.</summary>
internal static class FineTuneCommand
{
    private const string Group = "Fine-tuning";

    private const string Description = """
        Fine-tune a model on aligned faces of your people ('uniface align PHOTOS DATA --for PACKAGE'), and compare it before and after on people held out.
        With --teacher the last layer is fitted to a better model's embeddings, without any steps (--epochs 0); with more epochs, steps follow.
        Example: uniface finetune dlib-resnet faces --teacher faceplugin-mobilefacenet --out run
        Example: uniface finetune dlib-resnet faces --loss uce --out run
        Example: uniface train --resume run
        """;

    private static readonly TrainOptions Defaults = TrainOptionSet.TrainDefaults with
    {
        Epochs = 5,
        Batch = 32,
        LearningRate = 0.003,
        Warmup = 0.5,
        Schedule = ScheduleKind.Cosine,
        ValidateEvery = int.MaxValue, // Choosing weights on the people held out would favor the result.
    };

    public static Command Create()
    {
        Argument<string> package = new("PACKAGE")
        {
            Description = "The model to start from: dlib-resnet, a package of 'uniface export', a RUN, or a .pth or .safetensors file of InsightFace.",
        };
        Argument<string> data = new("DATA") { Description = CommonOptions.AlignedFaces };
        CliOption<string> output = new("--out", "The RUN folder to write.", "RUN") { Required = true, Group = TrainOptionSet.RunGroup };
        CliOption<int> frozen = new("--freeze", "Number of stages of the network, from the input, that are not trained. A stage is the layers of one map size.")
        {
            Default = FineTuneOptions.DefaultFrozenStages,
            Group = Group,
        };
        CliOption<double> rate = new("--backbone-lr", "Learning rate of the last stage as a share of --lr, which is that of the new class centers.")
        {
            Default = FineTuneOptions.DefaultBackboneRate,
            Group = Group,
        };
        CliOption<double> decay = new("--stage-decay", "Learning rate of a stage as a share of that of the next stage.")
        {
            Default = FineTuneOptions.DefaultStageDecay,
            Group = Group,
        };
        CliOption<int> folds = new(
            "--folds", "Compare by cross-validation, with N more runs in RUN/folds; the same command continues them. 0: on those held out.", "N")
        {
            Group = Group,
        };
        CliOption<bool> names = new("--names", "List the weights with their names in the file and in the network.") { Group = Group };
        TrainOptionSet options = new(Defaults);
        IEnumerable<Symbol> parameters =
            [package, data, output, CommonOptions.Config, frozen, rate, decay, folds, names, .. LossOptions.All, .. options.All];
        return CliCommand.Create("finetune", Description, parameters, (parsed, stop) =>
        {
            string run = parsed.GetRequiredValue(output);
            using StartWeights start = StartWeights.Open(parsed.GetRequiredValue(package));
            Console.Error.WriteLine($"{start.Options.Source}: {start.Backbone.Spec}, {Plural.Format(start.Names.Count, "weight")} read");
            foreach (ImportedWeight weight in parsed.GetValue(names) ? start.Names : [])
            {
                Console.Error.WriteLine($"  {weight.Source} -> {weight.Name}");
            }

            TrainOptions chosen = options.BindFineTuning(parsed, parsed.GetRequiredValue(data), start) with
            {
                FineTune = start.Options with
                {
                    FrozenStages = parsed.GetValue(frozen),
                    BackboneRate = parsed.GetValue(rate),
                    StageDecay = parsed.GetValue(decay),
                },
            };
            chosen.Validate(options.OptionName);
            int count = parsed.GetValue(folds);
            if (count is < 0 or 1 or > 100)
            {
                throw new UniFaceException($"--folds is {count}; expected 2 to 100, or 0 for none.");
            }

            Dictionary<string, string> optionOf = new()
            {
                [nameof(FineTuneOptions.FrozenStages)] = frozen.Name,
                [nameof(FineTuneOptions.BackboneRate)] = rate.Name,
                [nameof(FineTuneOptions.StageDecay)] = decay.Name,
            };
            TrainResult result = count > 0
                ? TrainFolds(run, chosen, count, options, optionOf, parsed, stop)
                : TrainCommand.Train(run, chosen, resumes: false, data => options.HoldOut(parsed, chosen, data), stop);
            Report(parsed, result, start.Names, stop, FoldRuns(run, count));
        });
    }

    /// <summary>The runs of the cross-validation of a run; empty if there was none, or if its runs have another number of epochs.</summary>
    internal static IReadOnlyList<string> FindFolds(string run, int epochs)
    {
        int count = FoldRuns(run, 1) is [string first] && RunFolder.Exists(first) ? RunFolder.ReadInfo(first).Options.ValidationFolds : 0;
        string[] folds = FoldRuns(run, count);
        if (folds.All(fold => RunFolder.Exists(fold) && RunFolder.ReadInfo(fold).Options.Epochs == epochs))
        {
            return folds;
        }

        Output.Warn(
            $"the runs in {Path.Combine(run, "folds")} have another number of epochs and are not compared; repeat 'uniface finetune ... --folds {count}' " +
            $"with --epochs {epochs} to train them further");
        return [];
    }

    /// <summary>Trains the run of each fold and then the run itself. What an earlier call of the same command has trained is continued.</summary>
    private static TrainResult TrainFolds(
        string run, TrainOptions chosen, int folds, TrainOptionSet options, Dictionary<string, string> optionOf, ParseResult parsed, CancellationToken stop)
    {
        chosen = chosen with { Teacher = chosen.Teacher is null ? null : Teacher.Resolve(chosen.Teacher) };
        for (int fold = 1; fold <= folds; fold++)
        {
            Train(FoldRun(run, fold), chosen with { Validation = null, ValidationPeople = 0, ValidationFold = fold, ValidationFolds = folds });
        }

        using FaceDataset data = chosen.OpenData();
        return Train(run, options.HoldOut(parsed, chosen, data));

        TrainResult Train(string folder, TrainOptions wanted)
        {
            bool resumes = RunFolder.Exists(folder);
            if (resumes)
            {
                RequireSame(folder, wanted, RunFolder.ReadInfo(folder).Options);
            }

            return TrainCommand.Train(folder, wanted, resumes, _ => wanted, stop, "the same command");
        }

        void RequireSame(string folder, TrainOptions wanted, TrainOptions stored)
        {
            if (stored.FineTune?.Sha256 != wanted.FineTune!.Sha256 || stored.ValidationFolds != wanted.ValidationFolds)
            {
                throw new UniFaceException(
                    $"{folder} exists, and started from another model or has another number of folds; give another --out, or the command that wrote it.");
            }

            foreach ((string property, string before, string after) in RunChanges.Refused(stored, wanted).Take(1))
            {
                string option = optionOf.GetValueOrDefault(property) ?? options.OptionName(property);
                throw new UniFaceException(
                    $"{option} is {after}, but {before} in {folder}, which an earlier call has trained; repeat that command, or give another --out.");
            }
        }
    }

    private static string[] FoldRuns(string run, int count) => [.. Enumerable.Range(1, count).Select(fold => FoldRun(run, fold))];

    private static string FoldRun(string run, int fold) => Path.Combine(run, "folds", $"{fold}");

    /// <summary>Compares a run with the model that it started from, or the runs of its folds, and prints the result.</summary>
    internal static void Report(
        ParseResult parsed, TrainResult result, IReadOnlyList<ImportedWeight> names, CancellationToken stop, IReadOnlyList<string>? folds = null)
    {
        ModelComparison? comparison;
        using (ActivityMeter progress = new())
        {
            comparison = folds is { Count: > 0 }
                ? HeldOutEvaluation.CompareFolds(folds, progress.Add, stop)
                : HeldOutEvaluation.Compare(result.Folder, progress.Add, stop);
        }

        object json = new { run = result.Folder, result.Epochs, result.Steps, result.Sha256, weights = names, comparison };
        parsed.Print(json, () =>
        {
            Console.WriteLine($"{result.Folder}: {Plural.Format(result.Epochs, "epoch")}, {Plural.Format(result.Steps, "step")}, loss {result.Loss:F4}");
            if (comparison is null)
            {
                Console.WriteLine("not compared with the model that it started from, because no people were held out, or too few");
                return;
            }

            Console.WriteLine(
                $"{comparison.People} people held out, {comparison.MatedPairs} mated and {comparison.NonMatedPairs} non-mated pairs; true match rate at a " +
                $"false match rate of {OperatingPoint.FormatRate(comparison.FalseMatchRate)}, 95 % intervals by a bootstrap over people:");
            Output.Table(
                ["", "%", "low", "high"],
                [Row("before", comparison.Before), Row("after", comparison.After), Row("difference", comparison.Difference)]);
            Console.WriteLine(comparison.Verdict switch
            {
                ComparisonVerdict.Better => "better: the interval of the difference is above 0",
                ComparisonVerdict.Worse => "worse: the interval of the difference is below 0; keep the model that it started from",
                _ => "not shown to be better: the interval of the difference includes 0; hold out more people (--val-people), or train on more",
            });
        });

        static object[] Row(string name, IntervalEstimate figure) =>
            [name, .. new[] { figure.Value, figure.Low, figure.High }.Select(v => (100 * v).ToString("F2", CultureInfo.InvariantCulture))];
    }
}
