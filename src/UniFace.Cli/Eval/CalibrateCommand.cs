namespace UniFace.Cli.Eval;

/// <summary>`uniface calibrate`: measures thresholds on the user's own photos, and checks those of the package.</summary>
internal static class CalibrateCommand
{
    private const string Description = """
        Measure a package's thresholds on your own labelled photos. Finds thresholds for false match rates of 1e-2 to 1e-6, checks them on held-out
        people, and reports whether the package's own thresholds hold for your photos. A rate that the photos do not support gets no threshold.
        Example: uniface calibrate package --images people
        """;

    private const int BatchSize = 64;

    private static readonly double[] Rates = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    public static Command Create()
    {
        CliOption<string> images = new(
            "--images", "Your own labelled photos: one folder per person, RecordIO or tar. The model must not have been trained on any of them.", "PEOPLE")
        {
            Required = true,
        };
        CliOption<string?> output = new("--out", "Write the calibration to a file instead of into the package.", "FILE");
        MeasurementOptions measurement = new(replicates: 500, pairs: 20_000_000, fewestPairs: 300);
        VisionOptions vision = new();
        vision.Package.Description = "A model package (folder, or name from 'uniface models list').";
        IEnumerable<Symbol> parameters = [vision.Package, images, output, .. measurement.All, .. vision.Detection, CommonOptions.Config];
        return CliCommand.Create("calibrate", Description, parameters, (parsed, stop) =>
        {
            using EvaluatedModel model = EvaluatedModel.FromRecognizer(vision.Open(parsed));
            FaceRecognizer recognizer = model.Recognizer!;
            ModelPackage package = recognizer.Package;
            if (package.Manifest is null)
            {
                throw new UniFaceException(
                    $"{package.Source} is an .onnx file, which does not describe its input; expected a package folder. 'uniface eval {package.Source} " +
                    "--data PEOPLE --calibration FILE' measures it with the input options that you give.");
            }

            Calibration? shipped = package.CalibrationPath is string path ? Calibration.Load(path) : null;
            CalibrationMeasurement measured = measurement.Measure(
                parsed, model, BatchSize, evaluation => evaluation.Calibrate(parsed.GetRequiredValue(images), recognizer.Photos, Rates, shipped), stop);
            string? file = parsed.GetValue(output);
            if (file is null)
            {
                measured.Calibration.SaveInto(package.Source);
            }
            else
            {
                measured.Calibration.Save(file);
            }

            Show(parsed, package, measured, file ?? Path.Combine(package.Source, Calibration.FileName));
        });
    }

    private static void Show(ParseResult parsed, ModelPackage package, CalibrationMeasurement measured, string target)
    {
        Calibration calibration = measured.Calibration;
        string[] warnings = [.. measured.Shipped.Where(s => !s.Transfers).Select(s => s.Warning).Append(calibration.Warning).OfType<string>()];
        object json = new
        {
            package = package.Source,
            calibration = target,
            calibration.ContractId,
            calibration.Data,
            measured.Missing,
            sampled = new { same = measured.SameSampled, different = measured.DifferentSampled },
            calibration.Entries,
            halves = measured.HeldOut,
            measured.Shipped,
            warnings,
        };
        parsed.Print(json, () =>
        {
            string level = Invariant($"[{100 * calibration.Confidence:G4} %]");
            string[] columns = ["false match rate", $"threshold {level}", $"recognized {level}", "FMR on held-out people"];
            Output.Table(columns, calibration.Entries.Select(e =>
            {
                HeldOutRate? half = measured.HeldOut.FirstOrDefault(h => h.FalseMatchRate == e.FalseMatchRate);
                return (object[])
                [
                    OperatingPoint.FormatRate(e.FalseMatchRate),
                    e.Supported ? $"{e.Threshold:F4} [{e.ThresholdLow:F4}, {e.ThresholdHigh:F4}]" : "-",
                    e.Supported ? $"{100 * e.TrueMatchRate:F1} % [{100 * e.TrueMatchRateLow:F1}, {100 * e.TrueMatchRateHigh:F1}]" : e.Why ?? "",
                    half is null ? "-" : $"{half.Measured:G2} [{half.Interval.Low:G2}, {half.Interval.High:G2}]",
                ];
            }));
            CalibrationData data = calibration.Data;
            Console.WriteLine(
                $"{Plural.Format(data.People, "person")}, {Plural.Format(data.Images, "photo")} ({measured.Missing} without a face): " +
                $"{Plural.Format(data.SamePairs, "pair")} of one person ({Sampled(measured.SameSampled)}), " +
                $"{data.DifferentPairs} of two ({Sampled(measured.DifferentSampled)})");
            Array.ForEach(warnings, Output.Warn);
            if (measured.Shipped.Count > 0 && measured.Shipped.All(s => s.Transfers))
            {
                Console.WriteLine("the package's own thresholds hold for these photos");
            }

            Console.WriteLine($"calibration written to {target}");
        });

        static string Sampled(bool sampled) => sampled ? "sampled evenly" : "all";
    }
}
