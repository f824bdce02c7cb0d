using UniFace.Cli.Losses;

namespace UniFace.Cli.Train;

/// <summary>`uniface train`: trains a model, or resumes a run.</summary>
internal static class TrainCommand
{
    private const string Description = """
        Train face recognition on aligned faces. Stop it at any time and continue with --resume.
        Example: uniface train faces --loss uce --margin 0.4 --scale 64 --backbone mobilefacenet --width 0.5 --epochs 20 --out run
        Example: uniface train --resume run
        """;

    public static Command Create()
    {
        Argument<string?> data = new("DATA")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = CommonOptions.AlignedFaces,
        };
        CliOption<string?> output = new("--out", "The RUN folder to write: run.json, last.ckpt, best.ckpt, metrics.jsonl, tensorboard.", "RUN");
        CliOption<string?> resume = new(
            "--resume",
            "Continue this RUN exactly where it stopped. DATA (if it has moved), --threads and more --epochs may be given; run.json records the change.",
            "RUN");
        TrainOptionSet options = new();
        return CliCommand.Create("train", Description, [data, output, resume, .. LossOptions.All, .. options.All], (parsed, stop) =>
        {
            string? dataPath = parsed.GetValue(data), resumed = parsed.GetValue(resume);
            string run = resumed ?? parsed.GetValue(output)
                ?? throw new UniFaceException("--out is missing: give the folder to write the run to, e.g. --out run.");
            TrainOptions chosen = resumed is not null
                ? Resumed(parsed, run, dataPath, parsed.GetValue(output), options)
                : options.BindNew(parsed, dataPath ?? throw new UniFaceException(
                    "DATA is missing: one folder per person, a RecordIO set or a tar; or give --resume RUN to continue a run."));
            chosen.Validate(options.OptionName);
            using FaceDataset training = chosen.OpenData();
            if (resumed is null)
            {
                chosen = options.HoldOut(parsed, chosen, training);
            }

            using FaceDataset? validation = chosen.OpenValidation();
            using Trainer trainer = Open(resumed is not null, run, chosen, training, validation, stop);
            TrainResult result;
            using (TrainConsole console = new())
            {
                console.Started(trainer);
                try
                {
                    result = trainer.Run(console.Events(), stop).Result!;
                }
                catch (OperationCanceledException)
                {
                    console.Note($"saved at step {trainer.Step}; continue with: uniface train --resume {run}");
                    throw;
                }
            }

            parsed.Print(
                result,
                $"{result.Run}: {Plural.Format(result.Epochs, "epoch")}, {Plural.Format(result.Steps, "step")}, loss {result.Loss:F4}, " +
                $"{result.ImagesPerSecond:F1} images/s\nweights sha256 {result.Sha256}");
        });
    }

    private static TrainOptions Resumed(ParseResult parsed, string run, string? dataPath, string? output, TrainOptionSet options)
    {
        TrainOptions stored = RunFolder.ReadInfo(run).Options;
        if (dataPath is null && !Path.Exists(stored.Data))
        {
            throw new UniFaceException(
                $"{stored.Data}, the data of {run}, no longer exists; if it has moved, say where: uniface train DATA --resume {run}");
        }

        if (output is not null && Path.GetFullPath(output) != Path.GetFullPath(run))
        {
            throw new UniFaceException($"--out {output} and --resume {run} are different runs; a resumed run stays in its folder.");
        }

        return options.BindResumed(parsed, stored) with { Data = dataPath is null ? stored.Data : Path.GetFullPath(dataPath) };
    }

    private static Trainer Open(bool resumes, string run, TrainOptions options, FaceDataset data, FaceDataset? validation, CancellationToken stop)
    {
        HostAllocator.KeepFreed();
        using ProgressMeter progress = new("reading the data", data.Samples.Count);
        void Hashed(int count) => progress.Add(count);
        return resumes
            ? Trainer.Resume(run, data, validation, Hashed, options, cancellationToken: stop)
            : Trainer.Create(run, options, data, validation, Hashed, cancellationToken: stop);
    }
}
