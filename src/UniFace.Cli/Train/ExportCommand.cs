using UniFace.Training.Export;

namespace UniFace.Cli.Train;

/// <summary>`uniface export`: writes a run's model as a package.</summary>
internal static class ExportCommand
{
    private const string Best = "best";
    private const string Last = "last";

    private const string Description = """
        Write a run's model as a package, which runs without libtorch. Exporting fails unless ONNX Runtime reproduces the trained embeddings.
        Example: uniface export run --out package --licence CC-BY-4.0
        """;

    public static Command Create()
    {
        Argument<string> run = new("RUN") { Description = "The run's folder, as written by 'uniface train'." };
        CliOption<string> output = new(
            "--out", "The package folder to write: model.onnx, model.json and calibration.json. An existing package is replaced.", "PACKAGE")
        {
            Required = true,
        };
        CliOption<string?> weights = new(
            "--weights", "best: of the best validation; last: of the last step. Default: best if the run has validated, else last.");
        weights.AcceptOnlyFromAmong(Best, Last);
        CliOption<string?> licence = new("--licence", "Licence of the weights, as you declare it, e.g. CC-BY-4.0.", "LICENCE");
        CliOption<bool> flipSum = new("--flip-sum", "An embedding is f(x) + f(mirrored x): slightly more accurate, at twice the time.");
        CliOption<bool> int8 = new(
            "--int8",
            "Store weights as int8, a quarter of the size, with a new calibration. Measured on the people that the run did not train on, and refused if " +
            "accuracy falls by more than 0.3 percentage points.");
        CliOption<string?> calibration = new(
            "--calibration",
            "A calibration.json of these weights to put into the package. Default: measured on the people that the run did not train on, if there are any.",
            "FILE");
        CliOption<bool> allowOverlap = CommonOptions.AllowOverlap();
        IEnumerable<Symbol> parameters = [run, output, weights, licence, flipSum, int8, calibration, allowOverlap, CommonOptions.Config];
        return CliCommand.Create("export", Description, parameters, (parsed, stop) =>
        {
            string path = parsed.GetRequiredValue(run), target = parsed.GetRequiredValue(output);
            string? file = parsed.GetValue(calibration), chosen = parsed.GetValue(weights);
            bool flips = parsed.GetValue(flipSum);
            parsed.Exclude(int8, calibration, "int8 weights are another model, with a calibration of their own");

            // Read before the work, so that a wrong path fails at once.
            Calibration? given = file is null ? null : Calibration.Load(file);
            TrainingRun trained = TrainingRun.Open(path);
            string checkpoint = RunFolder.CheckpointPath(path, chosen != Last);
            if (chosen == Best && Path.GetFileName(checkpoint) != RunFolder.BestFile)
            {
                throw new UniFaceException(
                    $"{path} has no {RunFolder.BestFile}, because it was trained without validation; leave --weights out, or give --weights {Last}.");
            }

            ExportResult result;
            using (ActivityMeter progress = new())
            {
                ExportOptions options = new()
                {
                    Best = chosen != Last,
                    License = parsed.GetValue(licence) ?? "not stated",
                    FlipSum = flips,
                    Int8 = parsed.GetValue(int8),
                    Calibration = given,
                    AllowOverlap = parsed.GetValue(allowOverlap),
                    OverlapHint = CommonOptions.OverlapHint,
                    Warning = Output.Warn,
                    Progress = progress.Add,
                };
                result = trained.ExportPackage(target, options, stop);
            }

            BackboneSpec spec = trained.Info.Options.Backbone;
            string? uncalibrated = result.Files.Any(f => f.Name == Calibration.FileName) ? null : WhyUncalibrated(trained.Info, target);
            object json = new
            {
                package = result.Folder,
                weights = checkpoint,
                backbone = spec.ToString(),
                spec.EmbeddingSize,
                flipSum = flips,
                result.Files,
                parity = new { result.Parity.Cosine, result.Parity.Batch1, result.Parity.Batch7, minimum = ParityGate.MinCosine },
                uncalibrated,
                result.Manifest.Quantization,
                sha256 = result.Manifest.OnnxSha256,
                result.Manifest.ContractId,
            };
            parsed.Print(json, () => Show(result, checkpoint, spec, uncalibrated));
        });
    }

    private static string WhyUncalibrated(RunInfo info, string output)
    {
        string why = info.HeldOut.Count > 0 || info.Options.Validation is not null
            ? "the held-out people are too few, or their images no longer exist"
            : "no people were held out of the training";
        return $"no calibration.json: {why}; 'uniface verify' and 'uniface gallery identify' need --threshold until the package is calibrated on other " +
            $"people: uniface calibrate {output} --images PEOPLE";
    }

    private static void Show(ExportResult result, string checkpoint, BackboneSpec spec, string? uncalibrated)
    {
        Console.WriteLine($"{result.Folder}: {spec} of {checkpoint}");
        Output.Table(["file", "size"], result.Files.Select(file => (object[])[file.Name, Size(file.Bytes)]));
        Console.WriteLine(
            $"parity with the trained backbone: cosine {result.Parity.Batch1:F7} at batch 1, {result.Parity.Batch7:F7} at batch 7 " +
            $"(required: {ParityGate.MinCosine})");
        if (uncalibrated is not null)
        {
            Console.WriteLine(uncalibrated);
        }

        if (result.Manifest.Quantization is Quantization stored)
        {
            Console.WriteLine(
                $"{stored.Kind}: accuracy {stored.AccuracyAfter:P2}, with float weights {stored.AccuracyBefore:P2} ({stored.Pairs} pairs of {stored.Data})");
        }

        Console.WriteLine($"model.onnx sha256 {result.Manifest.OnnxSha256}");
        Console.WriteLine($"contract {result.Manifest.ContractId}");
    }

    private static string Size(long bytes) => bytes < 1 << 20 ? $"{bytes / 1024.0:F1} KB" : $"{bytes / 1048576.0:F1} MB";
}
