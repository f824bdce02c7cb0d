using UniFace.Cli.Losses;
using UniFace.Training.Distributed;

namespace UniFace.Cli.Train;

/// <summary>`uniface train`: trains a model, or resumes a run.</summary>
internal static class TrainCommand
{
    private const string Description = """
        Train face recognition on aligned faces. Stop it at any time and continue with --resume.
        Example: uniface train faces --loss uce --margin 0.4 --scale 64 --backbone mobilefacenet --width 0.5 --epochs 20 --out run
        Example: uniface train faces more:0.5 --out run
        Example: uniface train --resume run
        """;

    private static readonly string[] NoData = ["DATA is missing: give the aligned faces, one folder per person, a RecordIO set or a tar"];
    private static readonly string[] NoRun = ["--out is missing: give the folder to write the run to, e.g. --out run"];

    public static Command Create()
    {
        Argument<string?> data = new("DATA")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = $"(required without --resume) {CommonOptions.AlignedFaces}",
        };
        Argument<string[]> more = new("MORE")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = "More sets, of other people. SET:0.5 draws half as many images of it per epoch, each once in two epochs; also for DATA.",
        };
        CliOption<string?> output = new(
            "--out", "(required without --resume) The RUN folder to write.", "RUN")
        {
            Group = TrainOptionSet.RunGroup,
        };
        CliOption<string?> resume = new(
            "--resume",
            "Continue this RUN. DATA, if it has moved, --threads and more --epochs may be given.",
            "RUN")
        {
            Group = TrainOptionSet.RunGroup,
        };
        TrainOptionSet options = new();
        return CliCommand.Create("train", Description, [data, more, output, resume, CommonOptions.Config, .. LossOptions.All, .. options.All], (parsed, stop) =>
        {
            string[] named = parsed.GetValue(data) is string first ? [first, .. parsed.GetValue(more) ?? []] : [];
            WeightedData[] sets = [.. named.Select(WeightedData.Parse).Select(set => set with { Path = Path.GetFullPath(set.Path) })];
            string? resumed = parsed.GetValue(resume);
            string[] missing = resumed is not null ? [] : [.. sets.Length == 0 ? NoData : [], .. parsed.GetValue(output) is null ? NoRun : []];
            if (missing.Length > 0)
            {
                throw new UniFaceException($"{string.Join("; ", missing)}. --resume RUN continues a run instead.");
            }

            string run = resumed ?? parsed.GetRequiredValue(output)!;
            TrainOptions chosen = resumed is not null
                ? Resumed(parsed, run, sets, parsed.GetValue(output), options)
                : options.BindNew(parsed, sets[0].Path).WithData(sets);
            chosen.Validate(options.OptionName);
            TrainResult result = Train(run, chosen, resumed is not null, data => options.HoldOut(parsed, chosen, data), stop);
            if (MpiJob.LaunchedRank > 0)
            {
                return;
            }

            if (chosen.FineTune is not null)
            {
                FineTuneCommand.Report(parsed, result, [], stop, FineTuneCommand.FindFolds(run, result.Epochs));
                return;
            }

            parsed.Print(
                result,
                $"{result.Folder}: {Plural.Format(result.Epochs, "epoch")}, {Plural.Format(result.Steps, "step")}, loss {result.Loss:F4}, " +
                $"{result.ImagesPerSecond:F1} images/s\nweights sha256 {result.Sha256}");
        });
    }

    /// <summary>Trains a new run or resumes one, with its progress on standard error.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="options">The options of the run.</param>
    /// <param name="resumes">Whether the run exists.</param>
    /// <param name="complete">Completes the options of a new run from its data.</param>
    /// <param name="stop">Saves and stops.</param>
    /// <param name="again">How to continue a run that was stopped; null: as any run.</param>
    internal static TrainResult Train(
        string run, TrainOptions options, bool resumes, Func<FaceDataset, TrainOptions> complete, CancellationToken stop, string? again = null)
    {
        using FaceDataset training = options.OpenData();
        TrainOptions chosen = resumes ? options : complete(training);
        using FaceDataset? validation = chosen.OpenValidation();
        using Trainer trainer = Open(resumes, run, chosen, training, validation, stop);
        using TrainConsole console = new();
        console.Started(trainer);
        try
        {
            TrainResult result = trainer.Run(console.Events(), stop).Result!;
            if (result.Traffic is string traffic)
            {
                console.Note($"communication of each of {result.Ranks} ranks per step: {traffic}");
            }

            return result;
        }
        catch (OperationCanceledException)
        {
            console.Note($"saved at step {trainer.Step}; continue with: {again ?? $"uniface train --resume {run}"}");
            throw;
        }
    }

    private static TrainOptions Resumed(ParseResult parsed, string run, WeightedData[] sets, string? output, TrainOptionSet options)
    {
        TrainOptions stored = RunFolder.ReadInfo(run).Options;
        if (sets.Length == 0 && stored.DataSets.FirstOrDefault(set => !Path.Exists(set.Path)) is WeightedData lost)
        {
            throw new UniFaceException(
                $"{lost.Path}, the data of {run}, no longer exists; if it has moved, say where: uniface train DATA --resume {run}");
        }

        if (output is not null && Path.GetFullPath(output) != Path.GetFullPath(run))
        {
            throw new UniFaceException($"--out {output} and --resume {run} are different runs; a resumed run stays in its folder.");
        }

        TrainOptions bound = options.BindResumed(parsed, stored);
        return sets.Length == 0 ? bound : bound.WithData(sets);
    }

    private static Trainer Open(bool resumes, string run, TrainOptions options, FaceDataset data, FaceDataset? validation, CancellationToken stop)
    {
        HostAllocator.RetainFreedMemory();
        using ProgressMeter progress = new("reading the data", data.Samples.Count);
        void Hashed(int count) => progress.Add(count);
        return resumes
            ? Trainer.Resume(run, data, validation, Hashed, options, cancellationToken: stop)
            : Trainer.Create(run, options, data, validation, Hashed, cancellationToken: stop);
    }
}
