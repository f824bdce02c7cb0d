using System.CommandLine;
using Spectre.Console;
using UniFace.Cli.Protocols;
using UniFace.Data;
using UniFace.Evaluation;
using UniFace.Faces;
using UniFace.Packages;

namespace UniFace.Cli.Commands;

/// <summary>uniface calibrate: thresholds for one's own photos, and whether the package's own hold for them.</summary>
internal static class CalibrateCommand
{
    private static readonly double[] Rates = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    private sealed record Measured(Calibration Calibration, VerificationScores Scores, IReadOnlyList<HeldOutRate> Halves, IReadOnlyList<TravelledRate> Shipped, int Missing, bool SameSampled, bool DifferentSampled);

    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "A model package (folder, or name of 'uniface models list')." };
        Option<string> images = new("--images") { Required = true, Description = "Your own labelled photos: a folder a person, RecordIO or tar. Nobody in it may have been trained on.", HelpName = "PEOPLE" };
        Option<string?> output = new("--out") { Description = "Write the calibration to a file and leave the package as it is. Default: into the package.", HelpName = "FILE" };
        Option<int> maxPairs = new("--max-pairs") { Description = "Pairs of different people to score at most; where there are more, as many are drawn evenly.", DefaultValueFactory = _ => 20_000_000, HelpName = "N" };
        Option<int> replicates = new("--bootstrap") { Description = "Draws of the intervals.", DefaultValueFactory = _ => 500, HelpName = "N" };
        Option<long> seed = new("--seed") { Description = "Seed of the halves, the drawn pairs and the intervals.", DefaultValueFactory = _ => 1, HelpName = "N" };
        Option<bool> allowOverlap = OverlapOption.Create();
        VisionOptions vision = new();
        Command command = new("calibrate", "Measure thresholds for false match rates of 1e-2 to 1e-6 on your own labelled photos, check them on people they were not set on, and say whether those the package came with hold for you. A rate that the photos cannot support gets no threshold.\nExample: uniface calibrate package --images people")
        {
            package, images, output, maxPairs, replicates, seed, allowOverlap,
        };
        vision.AddDetection(command);
        command.SetAction((parsed, stop) =>
        {
            PairOptions pairs = new() { MaxDifferentPairs = Checked("--max-pairs", parsed.GetValue(maxPairs), 300, 500_000_000), Seed = parsed.GetValue(seed) };
            BootstrapOptions bootstrap = new() { Replicates = Checked("--bootstrap", parsed.GetValue(replicates), 10, 1_000_000), Seed = parsed.GetValue(seed) };
            ModelPackage opened = ModelPackage.Open(parsed.GetRequiredValue(package));
            if (opened.Manifest is null)
            {
                throw new UniFaceException($"{opened.Source} is a bare .onnx file, whose input nobody states; expected a package folder. 'uniface eval {opened.Source} --data PEOPLE --calibration FILE' measures it as you say.");
            }

            string target = parsed.GetValue(output) ?? Path.Combine(opened.Source, Calibration.FileName);
            using EvalModel model = EvalModel.Open(opened.Source, null, vision, parsed);
            using ProgressLine progress = new();
            OverlapGate gate = OverlapOption.OpenGate(model.Path, model.Trained, parsed.GetValue(allowOverlap), progress, stop, model.TrainedHash);
            Measured measured;
            using (FacePipeline pipeline = vision.OpenPipeline(parsed, model.Embedder.InputSize))
            {
                measured = Measure(model, gate, opened, parsed.GetRequiredValue(images), pipeline, pairs, bootstrap, stop);
            }

            if (parsed.GetValue(output) is null)
            {
                measured.Calibration.SaveInto(opened.Source);
            }
            else
            {
                measured.Calibration.Save(target);
            }

            Show(parsed.GetValue(CommonOptions.Json), opened, measured, target);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static Measured Measure(EvalModel model, OverlapGate gate, ModelPackage package, string path, FacePipeline pipeline, PairOptions pairs,
        BootstrapOptions bootstrap, CancellationToken stop)
    {
        using FaceDataset data = FaceDatasets.Open(path);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        (string sha256, TrainingOverlap? overlap) = gate.Check(data);
        EmbeddedFaces embedded;
        using (Progress progress = new(name, data.Samples.Count))
        {
            embedded = BatchEmbedding.Embed(
                model.Embedder,
                data.Samples.Count,
                i => pipeline.Align(data.Read(i), data.Samples[i].Name)?.Image,
                progress: count => progress.Add(count),
                cancellation: stop);
        }

        (EmbeddedFaces faces, int[] labels) = embedded.WithoutMissing([.. data.Samples.Select(s => s.Label)]);
        long[] sizes = [.. labels.GroupBy(l => l).Select(g => (long)g.Count())];
        long same = sizes.Sum(n => n * (n - 1) / 2), different = ((long)labels.Length * (labels.Length - 1) / 2) - same;
        VerificationScores scores = PairScores.AllPairs(faces.Values, faces.Dimension, labels, pairs, stop);
        CalibrationSource source = model.Source(name, sha256) with { People = sizes.Length, Images = data.Samples.Count };
        Calibration calibration = Calibrator.FromScores(scores, source, Rates, bootstrap, stop) with { Overlap = overlap };
        IReadOnlyList<HeldOutRate> halves = CalibrationChecks.OnHalves(faces, labels, Rates, pairs, stop);
        IReadOnlyList<TravelledRate> shipped = package.CalibrationPath is string old && Calibration.Load(old) is Calibration older && older.ContractId == calibration.ContractId
            ? CalibrationChecks.Compare(older, calibration, scores)
            : [];
        return new Measured(calibration, scores, halves, shipped, embedded.Count - faces.Count, scores.SamePairs < same, scores.DifferentPairs < different);
    }

    private static void Show(bool json, ModelPackage package, Measured measured, string target)
    {
        Calibration calibration = measured.Calibration;
        string[] warnings = [.. measured.Shipped.Where(s => !s.Travels).Select(s => s.Warning!), .. new[] { calibration.Warning }.OfType<string>()];
        if (json)
        {
            Output.Json(new
            {
                package = package.Source,
                calibration = target,
                contractId = calibration.ContractId,
                data = calibration.Data,
                missing = measured.Missing,
                sampled = new { same = measured.SameSampled, different = measured.DifferentSampled },
                entries = calibration.Entries,
                halves = measured.Halves,
                shipped = measured.Shipped,
                warnings,
            });
            return;
        }

        Table table = new() { Border = TableBorder.Rounded };
        table.AddColumns("false match rate", "threshold [[95 %]]", "recognised [[95 %]]", "on the other half of the people");
        foreach (CalibrationEntry entry in calibration.Entries)
        {
            HeldOutRate? half = measured.Halves.FirstOrDefault(h => h.FalseMatchRate == entry.FalseMatchRate);
            table.AddRow(
                OperatingPoint.NameOf(entry.FalseMatchRate),
                entry.Supported ? Markup.Escape(Text($"{entry.Threshold:F4} [{entry.ThresholdLow:F4}, {entry.ThresholdHigh:F4}]")) : "-",
                entry.Supported ? Markup.Escape(Text($"{100 * entry.TrueMatchRate:F1} % [{100 * entry.TrueMatchRateLow:F1}, {100 * entry.TrueMatchRateHigh:F1}]")) : Markup.Escape(entry.Why ?? ""),
                half is null ? "-" : Markup.Escape(Text($"{half.Measured:G2} [{half.Interval.Low:G2}, {half.Interval.High:G2}]")));
        }

        AnsiConsole.Write(table);
        Console.WriteLine(Text($"{Plural.Of(calibration.Data.People, "person")}, {Plural.Of(calibration.Data.Images, "photo")} ({measured.Missing} without a face): {Plural.Of(calibration.Data.SamePairs, "pair")} of one person ({Sampled(measured.SameSampled)}), {calibration.Data.DifferentPairs} of two ({Sampled(measured.DifferentSampled)})"));
        foreach (string warning in warnings)
        {
            Console.WriteLine("warning: " + warning);
        }

        if (measured.Shipped.Count > 0 && measured.Shipped.All(s => s.Travels))
        {
            Console.WriteLine("the thresholds that the package came with hold for these photos");
        }

        Console.WriteLine($"calibration written to {target}");

        static string Sampled(bool sampled) => sampled ? "drawn evenly" : "all";
    }

    private static int Checked(string option, int value, int low, int high) =>
        value >= low && value <= high ? value : throw new UniFaceException(FormattableString.Invariant($"{option} {value}: expected {low} to {high}."));

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
