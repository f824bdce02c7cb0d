using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Cli.Protocols;
using UniFace.Packages;
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Training.Export;
using UniFace.Training.Runs;

namespace UniFace.Cli.Commands;

/// <summary>`uniface export`: from a run to a model package that runs without libtorch.</summary>
internal static class ExportCommand
{
    private const string Best = "best";
    private const string Last = "last";

    public static Command Create()
    {
        Argument<string> run = new("RUN") { Description = "The run's folder, as 'uniface train' wrote it." };
        Option<string> output = new("--out") { Required = true, Description = "The package folder: model.onnx, model.json and calibration.json. An older package there is replaced." };
        Option<string?> weights = new("--weights") { Description = "best: of the best validation; last: of the last step. Default: best where the run has validated, else last." };
        weights.AcceptOnlyFromAmong(Best, Last);
        Option<string?> licence = new("--licence") { Description = "Licence of the weights, as you state it, e.g. CC-BY-4.0." };
        Option<bool> flipSum = new("--flip-sum") { Description = "An embedding is f(x) + f(mirrored x): a little more accurate, twice the time." };
        Option<bool> int8 = new("--int8") { Description = "Store weights as int8, a quarter of the size, calibrated anew. Measured on the people that the run did not train on, and refused where accuracy falls by more than 0.3 points." };
        Option<string?> calibration = new("--calibration") { Description = "A calibration.json of these weights to put into the package. Default: measured on the people that the run did not train on, where it has some." };
        Option<bool> allowOverlap = OverlapOption.Create();
        Command command = new(
            "export",
            "Write a run's backbone as a model package. The package is refused unless ONNX Runtime gives the embeddings that were trained.\n\n" +
            "Example: uniface export run --out package --licence CC-BY-4.0")
        {
            run,
            output,
            weights,
            licence,
            flipSum,
            int8,
            calibration,
            allowOverlap,
        };
        command.SetAction((parsed, stop) => Task.FromResult(Run(
            parsed.GetRequiredValue(run),
            parsed.GetRequiredValue(output),
            parsed.GetValue(weights),
            parsed.GetValue(licence),
            parsed.GetValue(flipSum),
            parsed.GetValue(int8),
            parsed.GetValue(calibration),
            parsed.GetValue(allowOverlap),
            parsed.GetValue(CommonOptions.Json),
            stop)));
        return command;
    }

    private static int Run(string run, string output, string? weights, string? licence, bool flipSum, bool int8, string? calibration,
        bool allowOverlap, bool json, CancellationToken stop)
    {
        if (int8 && calibration is not null)
        {
            throw new UniFaceException("--int8 and --calibration were both given: int8 weights are another model, whose thresholds are measured anew; leave --calibration out.");
        }

        // Read before the work: a wrong path should not cost a minute.
        Calibration? given = calibration is null ? null : Calibration.Load(calibration);
        string? checkpoint = null;
        if (RunFolder.Exists(run))
        {
            checkpoint = RunFolder.CheckpointPath(run, weights != Last);
            if (weights == Best && Path.GetFileName(checkpoint) != RunFolder.BestFile)
            {
                throw new UniFaceException($"{run} has no {RunFolder.BestFile}: it was trained without validation; leave --weights out, or say --weights {Last}.");
            }
        }

        TrainingRun trained = TrainingRun.Open(run);
        ExportResult result;
        using (ProgressLine progress = new())
        {
            ExportOptions options = new()
            {
                Best = weights != Last,
                FlipSum = flipSum,
                Int8 = int8,
                Calibration = given,
                AllowOverlap = allowOverlap,
                OverlapHint = OverlapOption.Hint,
                Warning = text => Console.Error.WriteLine("warning: " + text),
                Progress = progress.Report,
            };
            result = trained.Export(output, licence is null ? options : options with { License = licence }, stop);
        }

        BackboneSpec spec = trained.Info.Options.Backbone;
        string? uncalibrated = result.Files.Any(f => f.Name == Calibration.FileName) ? null : WhyUncalibrated(trained.Info, output);
        if (json)
        {
            Output.Json(new
            {
                package = result.Folder,
                weights = checkpoint,
                backbone = spec.ToString(),
                embeddingSize = spec.EmbeddingSize,
                flipSum,
                files = result.Files,
                parity = new { result.Parity.Cosine, result.Parity.Batch1, result.Parity.Batch7, minimum = ParityGate.MinCosine },
                uncalibrated,
                quantization = result.Manifest.Quantization,
                sha256 = result.Manifest.OnnxSha256,
                contractId = result.Manifest.ContractId,
            });
        }
        else
        {
            Show(result, checkpoint, spec, uncalibrated);
        }

        return ExitCode.Success;
    }

    private static string WhyUncalibrated(RunInfo info, string output)
    {
        string why = info.HeldOut.Count > 0 || info.Options.Validation is not null ? "the people held out are too few or no longer there"
            : "nobody was held out of the training";
        return $"no calibration.json: {why}; 'uniface verify' and 'uniface gallery identify' need --threshold until the package is calibrated on other " +
            $"people: uniface calibrate {output} --images PEOPLE";
    }

    private static void Show(ExportResult result, string? checkpoint, BackboneSpec spec, string? uncalibrated)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("File").AddColumn(new TableColumn("Size").RightAligned());
        foreach (PackageFile file in result.Files)
        {
            table.AddRow(file.Name.EscapeMarkup(), Size(file.Bytes));
        }

        Console.WriteLine($"{result.Folder}: {spec} of {checkpoint}");
        AnsiConsole.Write(table);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"parity with the trained backbone: cosine {result.Parity.Batch1:F7} at batch 1, {result.Parity.Batch7:F7} at batch 7 (at least {ParityGate.MinCosine} is required)"));
        if (uncalibrated is not null)
        {
            Console.WriteLine(uncalibrated);
        }

        if (result.Manifest.Quantization is Quantization stored)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{stored.Kind}: accuracy {stored.AccuracyAfter:P2}, with float weights {stored.AccuracyBefore:P2} ({stored.Pairs} pairs of {stored.Data})"));
        }

        Console.WriteLine($"model.onnx sha256 {result.Manifest.OnnxSha256}");
        Console.WriteLine($"contract {result.Manifest.ContractId}");
    }

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F1} KB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F1} MB");
}
