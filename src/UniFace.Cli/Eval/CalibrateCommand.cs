namespace UniFace.Cli.Eval;

/// <summary>`uniface calibrate`: measures thresholds on the user's own photos, and checks those of the package.</summary>
internal static class CalibrateCommand
{
    private const string Description = """
        Measure a package's thresholds on your own labelled photos. Finds thresholds for false match rates of 1e-2 to 1e-6, checks them on people who did not
        determine them, and reports whether the package's own thresholds hold for your photos. A rate that the photos do not support gets no threshold.
        Example: uniface calibrate package --images people
        """;

    private const int BatchSize = 64;

    private static readonly double[] Rates = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    private sealed record Measured(
        Calibration Calibration,
        IReadOnlyList<HeldOutRate> Halves,
        IReadOnlyList<TransferredRate> Shipped,
        int Missing,
        bool SameSampled,
        bool DifferentSampled);

    public static Command Create()
    {
        CliOption<string> images = new(
            "--images", "Your own labelled photos: one folder per person, RecordIO or tar. The model must not have been trained on any of them.", "PEOPLE")
        {
            Required = true,
        };
        CliOption<string?> output = new("--out", "Write the calibration to a file instead of into the package.", "FILE");
        CliOption<int> maxPairs = new("--max-pairs", "Largest number of pairs of different people to score; more are sampled evenly.")
        {
            Default = 20_000_000,
            Range = (300, 500_000_000),
        };
        CliOption<int> replicates = new("--bootstrap", "Bootstrap replicates of the intervals.") { Default = 500, Range = (10, 1_000_000) };
        CliOption<long> seed = new("--seed", "Seed of the halves, the sampled pairs and the intervals.") { Default = 1 };
        CliOption<bool> allowOverlap = CommonOptions.AllowOverlap();
        VisionOptions vision = new();
        vision.Package.Description = "A model package (folder, or name from 'uniface models list').";
        IEnumerable<Symbol> parameters = [vision.Package, images, output, maxPairs, replicates, seed, allowOverlap, .. vision.Detection];
        return CliCommand.Create("calibrate", Description, parameters, (parsed, stop) =>
        {
            PairOptions pairs = new() { MaxDifferentPairs = parsed.GetValue(maxPairs), Seed = parsed.GetValue(seed) };
            BootstrapOptions bootstrap = new() { Replicates = parsed.GetValue(replicates), Seed = parsed.GetValue(seed) };
            FaceRecognizer recognizer = vision.Open(parsed);
            ModelPackage opened = recognizer.Package;
            using EvalModel model = EvalModel.FromRecognizer(recognizer);
            if (opened.Manifest is null)
            {
                throw new UniFaceException(
                    $"{opened.Source} is an .onnx file, which does not describe its input; expected a package folder. 'uniface eval {opened.Source} --data " +
                    "PEOPLE --calibration FILE' measures it with the input options that you give.");
            }

            string? file = parsed.GetValue(output);
            using ActivityMeter progress = new();
            OverlapGate gate = OverlapGates.Create(model, parsed.GetValue(allowOverlap), progress, stop);
            Measured measured = Measure(model, gate, opened, parsed.GetRequiredValue(images), recognizer.Photos, pairs, bootstrap, stop);
            if (file is null)
            {
                measured.Calibration.SaveInto(opened.Source);
            }
            else
            {
                measured.Calibration.Save(file);
            }

            Show(parsed, opened, measured, file ?? Path.Combine(opened.Source, Calibration.FileName));
        });
    }

    private static Measured Measure(EvalModel model, OverlapGate gate, ModelPackage package, string images, FacePipeline pipeline, PairOptions pairs,
        BootstrapOptions bootstrap, CancellationToken stop)
    {
        using FaceDataset data = FaceDatasets.Open(images);
        string name = RealPath.NameOf(images);
        (string sha256, TrainingOverlap? overlap) = gate.Check(data);
        EmbeddedFaces embedded = model.Embed(name, [.. data.Samples.Select(s => s.Name)], i => data.Read(i), pipeline, BatchSize, stop);
        (EmbeddedFaces faces, int[] labels) = embedded.WithoutMissing([.. data.Samples.Select(s => s.Label)]);
        long[] sizes = [.. labels.GroupBy(l => l).Select(g => (long)g.Count())];
        long same = sizes.Sum(n => n * (n - 1) / 2), different = ((long)labels.Length * (labels.Length - 1) / 2) - same;
        VerificationScores scores = PairScores.AllPairs(faces, labels, pairs, stop);
        CalibrationSource source = new(model.FlipSum, name, sha256, sizes.Length, data.Samples.Count);
        Calibration calibration = model.Assign(Calibrator.FromScores(scores, source, Rates, bootstrap, stop)) with { Overlap = overlap };
        IReadOnlyList<HeldOutRate> halves = CalibrationChecks.HoldOut(faces, labels, Rates, pairs, stop);
        Calibration? old = package.CalibrationPath is string path ? Calibration.Load(path) : null;
        IReadOnlyList<TransferredRate> shipped = old is not null && old.ContractId == calibration.ContractId
            ? CalibrationChecks.Compare(old, calibration, scores)
            : [];
        int missing = embedded.Count - faces.Count;
        return new Measured(calibration, halves, shipped, missing, scores.SamePairs < same, scores.DifferentPairs < different);
    }

    private static void Show(ParseResult parsed, ModelPackage package, Measured measured, string target)
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
            measured.Halves,
            measured.Shipped,
            warnings,
        };
        parsed.Print(json, () =>
        {
            string[] columns = ["false match rate", "threshold [95 %]", "recognized [95 %]", "on the other half of the people"];
            Output.Table(columns, calibration.Entries.Select(e =>
            {
                HeldOutRate? half = measured.Halves.FirstOrDefault(h => h.FalseMatchRate == e.FalseMatchRate);
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
