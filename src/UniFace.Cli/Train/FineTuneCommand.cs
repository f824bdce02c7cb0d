using UniFace.Cli.Losses;
using UniFace.Training.FineTuning;
using UniFace.Training.Optimization;

namespace UniFace.Cli.Train;

/// <summary>`uniface finetune`: trains a model further on the user's people, and says whether that helped.</summary>
internal static class FineTuneCommand
{
    private const string Description = """
        Fine-tune a model on aligned faces of your people ('uniface align PHOTOS DATA --for PACKAGE'), and compare it on people held out before and after.
        Defaults differ from 'uniface train': 5 epochs, batch 32, --lr 0.003, --schedule cosine, a fifth of the people
        held out, validation at the end.
        Example: uniface finetune dlib-resnet faces --loss uce --out run; uniface export run --out package
        """;

    public static Command Create()
    {
        Argument<string?> package = new("PACKAGE")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "The model to start from: dlib-resnet, a package of 'uniface export', a RUN, or a .pth or .safetensors file of an iresnet.",
        };
        Argument<string?> data = new("DATA")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "Faces aligned for that model: one folder per person, a RecordIO set, or a tar of either.",
        };
        CliOption<string?> output = new("--out", "The RUN folder to write.", "RUN");
        CliOption<string?> resume = new("--resume", "Continue this RUN where it stopped, and compare.", "RUN");
        FineTuneOptions defaults = new() { Source = "", Sha256 = "", Manifest = new ModelManifest { EmbeddingSize = 1, OnnxSha256 = "" } };
        CliOption<int> frozen = new("--freeze", "Stages of the network, from the input, that stay as they are. A stage is the layers of one map size.")
        {
            Default = defaults.FrozenStages,
        };
        CliOption<double> rate = new("--backbone-lr", "Learning rate of the last stage as a share of --lr, at which the new class centers learn.")
        {
            Default = defaults.BackboneRate,
        };
        CliOption<double> decay = new("--stage-decay", "Learning rate of a stage as a share of that of the next one.") { Default = defaults.StageDecay };
        CliOption<bool> names = new("--names", "List the weights with their names in the file and in the network.");
        TrainOptionSet options = new();
        IEnumerable<Symbol> parameters = [package, data, output, resume, frozen, rate, decay, names, .. LossOptions.All, .. options.All];
        return CliCommand.Create("finetune", Description, parameters, (parsed, stop) =>
        {
            IReadOnlyList<ImportedWeight> map = [];
            string? run = parsed.GetValue(resume);
            TrainResult result;
            if (run is not null)
            {
                result = TrainCommand.Train(run, RunFolder.ReadInfo(run).Options, resumes: true, stop);
            }
            else
            {
                run = parsed.GetValue(output) ?? throw new UniFaceException("--out is missing: give the folder to write the run to, e.g. --out run.");
                string source = parsed.GetValue(package) ?? throw new UniFaceException("PACKAGE is missing: the model to start from, e.g. dlib-resnet.");
                string faces = parsed.GetValue(data) ?? throw new UniFaceException(
                    $"DATA is missing: faces of your people, aligned with 'uniface align PHOTOS DATA --for {source}'.");
                using StartWeights start = StartWeights.Open(source);
                map = start.Names;
                Show(start, parsed.GetValue(names));
                TrainOptions chosen = options.BindNew(parsed, faces, o => o with
                {
                    Epochs = 5,
                    Batch = 32,
                    LearningRate = 0.003,
                    Warmup = 0.5,
                    Schedule = ScheduleKind.Cosine,
                }) with
                {
                    Backbone = start.Backbone.Spec,
                    FineTune = start.Options with
                    {
                        FrozenStages = parsed.GetValue(frozen),
                        BackboneRate = parsed.GetValue(rate),
                        StageDecay = parsed.GetValue(decay),
                    },
                };
                chosen = options.ValidatesOnce(parsed, chosen);
                chosen.Validate(options.OptionName);
                result = TrainCommand.Train(run, chosen, resumes: false, stop, set => options.HoldOut(parsed, chosen, set, share: 0.2));
            }

            using ActivityMeter progress = new();
            HeldOutComparison? compared = HeldOutEvaluation.Compare(run, progress.Add, stop);
            progress.Dispose();
            object json = new
            {
                result.Run,
                result.Epochs,
                result.Steps,
                result.Sha256,
                weights = map,
                comparison = compared is null ? null : new
                {
                    compared.FalseMatchRate,
                    compared.Before,
                    compared.After,
                    compared.Difference,
                    verdict = compared.Verdict,
                    compared.People,
                    compared.MatedPairs,
                    compared.NonMatedPairs,
                },
            };
            parsed.Print(json, () => Print(result, compared));
        });
    }

    private static void Show(StartWeights start, bool all)
    {
        if (start.Names.Count == 0)
        {
            return;
        }

        Console.Error.WriteLine($"{start.Options.Source}: {start.Backbone.Spec}, {start.Names.Count} weights read, the first as {start.Names[0].Source} -> " +
            $"{start.Names[0].Name}{(all ? "" : " (--names lists all)")}");
        foreach (ImportedWeight weight in all ? start.Names : [])
        {
            Console.Error.WriteLine($"  {weight.Source} -> {weight.Name}");
        }
    }

    private static void Print(TrainResult result, HeldOutComparison? compared)
    {
        Console.WriteLine($"{result.Run}: {Plural.Format(result.Epochs, "epoch")}, {Plural.Format(result.Steps, "step")}, loss {result.Loss:F4}");
        if (compared is null)
        {
            Console.WriteLine("not compared with the model that it started from: nobody was held out, or too few people; it is not known whether it is better");
            return;
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{compared.People} people held out, {compared.MatedPairs} mated and {compared.NonMatedPairs} non-mated pairs, 95 % intervals by a bootstrap ") +
            "over people");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"true match rate at a false match rate of {compared.FalseMatchRate:G}:"));
        Console.WriteLine($"  before      {Percent(compared.Before)}");
        Console.WriteLine($"  after       {Percent(compared.After)}");
        Console.WriteLine($"  difference  {Percent(compared.Difference)}");
        Console.WriteLine(compared.Verdict switch
        {
            ComparisonVerdict.Better => "better: the whole interval of the difference is above 0",
            ComparisonVerdict.Worse => "worse: the whole interval of the difference is below 0; keep the model that it started from",
            _ => "not shown to be better: the interval of the difference includes 0; hold out more people (--val-people) or train on more",
        });
        Console.WriteLine($"uniface export {result.Run} --out package --weights last");
    }

    private static string Percent(IntervalEstimate figure) =>
        string.Create(CultureInfo.InvariantCulture, $"{100 * figure.Value,6:F2} %  ({100 * figure.Low:F2} to {100 * figure.High:F2})");
}
