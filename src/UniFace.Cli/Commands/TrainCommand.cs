using System.CommandLine;
using System.Globalization;
using UniFace.Data;
using UniFace.IO;
using UniFace.Training;
using UniFace.Training;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Cli.Commands;

/// <summary>`uniface train`: trains a backbone on a data set, or goes on with a run.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Argument<string?> data = new("DATA") { Arity = ArgumentArity.ZeroOrOne, Description = "Aligned faces: a folder a person, a RecordIO set, or a tar of either." };
        Option<string?> output = new("--out") { Description = "The RUN folder: run.json, last.ckpt, best.ckpt, metrics.jsonl, tensorboard." };
        Option<string?> resume = new("--resume") { Description = "Go on with this RUN exactly where it stopped. DATA (if its folder was moved), --threads and more --epochs may be given; run.json then says so." };
        TrainOptionSet options = new();
        Command command = new(
            "train",
            "Train face recognition on aligned faces; stop it at any moment and go on with --resume.\n\n" +
            "Examples: uniface train faces --loss uce --margin 0.4 --scale 64 --backbone mobilefacenet --width 0.5 --epochs 20 --out run\n" +
            "          uniface train --resume run");
        command.Add(data);
        command.Add(output);
        command.Add(resume);
        LossOptions.AddTo(command);
        foreach (Option option in options.All)
        {
            command.Add(option);
        }

        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, data, output, resume, options, cancellationToken)));
        return command;
    }

    private static int Run(ParseResult parsed, Argument<string?> data, Option<string?> output, Option<string?> resume, TrainOptionSet options, CancellationToken cancellationToken)
    {
        bool json = parsed.GetValue(CommonOptions.Json);
        string? dataPath = parsed.GetValue(data);
        string? run = parsed.GetValue(resume);
        TrainOptions chosen;
        if (run is not null)
        {
            chosen = Resumed(parsed, run, dataPath, parsed.GetValue(output), options);
        }
        else
        {
            run = parsed.GetValue(output) ?? throw new UniFaceException("--out is missing: the folder that the run is written to, e.g. --out run.");
            chosen = options.BindNew(parsed, dataPath ?? throw new UniFaceException("DATA is missing: a folder a person, a RecordIO set or a tar; or --resume RUN to go on with a run."));
            chosen.Validate();
        }

        using FaceDataset training = FaceDatasets.Open(chosen.Data);
        if (parsed.GetValue(resume) is null)
        {
            chosen = options.HoldOut(parsed, chosen, training);
        }

        using FaceDataset? validation = chosen.Validation is null ? null : FaceDatasets.Open(chosen.Validation);
        using Trainer trainer = Open(parsed.GetValue(resume) is not null, run, chosen, training, validation, cancellationToken);
        using TrainConsole console = new();
        console.Started(trainer);
        TrainResult result;
        try
        {
            result = trainer.Run(console.Events(), cancellationToken).Result!;
        }
        catch (OperationCanceledException)
        {
            console.Note(string.Create(CultureInfo.InvariantCulture, $"saved at step {trainer.Step}; go on with: uniface train --resume {run}"));
            throw;
        }

        console.Dispose();
        if (json)
        {
            Output.Json(result);
        }
        else
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Run}: {Plural.Of(result.Epochs, "epoch")}, {Plural.Of(result.Steps, "step")}, loss {result.Loss:F4}, {result.ImagesPerSecond:F1} images/s"));
            Console.WriteLine($"weights sha256 {result.Sha256}");
        }

        return ExitCode.Success;
    }

    private static TrainOptions Resumed(ParseResult parsed, string run, string? dataPath, string? output, TrainOptionSet options)
    {
        TrainOptions stored = RunFolder.ReadInfo(run).Options;
        if (dataPath is null && !Path.Exists(stored.Data))
        {
            throw new UniFaceException($"{stored.Data}, the data of {run}, is not there; if it was moved, say where it is now: uniface train DATA --resume {run}");
        }

        if (output is not null && Path.GetFullPath(output) != Path.GetFullPath(run))
        {
            throw new UniFaceException($"--out {output} and --resume {run} are two runs; a resumed run stays in its folder.");
        }

        return options.BindResumed(parsed, stored) with { Data = dataPath is null ? stored.Data : Path.GetFullPath(dataPath) };
    }

    private static Trainer Open(bool resumes, string run, TrainOptions options, FaceDataset data, FaceDataset? validation, CancellationToken cancellationToken)
    {
        HostAllocator.KeepFreed();
        using Progress progress = new("reading the data", data.Samples.Count);
        void Hashed(int count) => progress.Add(count);
        return resumes
            ? Trainer.Resume(run, data, validation, Hashed, options, cancellationToken)
            : Trainer.Create(run, options, data, validation, Hashed, cancellationToken);
    }
}
