using System.CommandLine;
using UniFace.Cli.Protocols;
using UniFace.Cli.Reports;
using UniFace.Evaluation;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Vision;

namespace UniFace.Cli.Commands;

/// <summary>uniface eval: measures a model on pairs, or on labelled people, that it was not trained on.</summary>
internal static class EvalCommand
{
    private const string Description = """
        Measure a model on people it was not trained on: accuracy over ten folds (LFW View 2), TAR at FAR with intervals, EER, AUC.
        Example: uniface eval RUN --pairs lfw-pairs.txt --images lfw.tar
        Example: uniface eval PACKAGE --data other-people --write-calibration
        Example: uniface eval PACKAGE --identify --gallery enrolled --probes probes --nonmated strangers
        Pictures and people that the model was trained on are refused (--allow-overlap).
        A pair with a face that is not found counts as an error in the accuracy, as no match in TAR and EER if it is one person, and is left out of FAR.
        """;

    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "A run of 'uniface train', a package of 'uniface export', or an .onnx file (1x3xHxW to 1xD)." };
        Option<string?> pairs = new("--pairs")
        {
            Description = "A pairs file in the form of LFW's pairs.txt, or lines PATH PATH 1 (one person) or 0, also as CSV; with --images.",
            HelpName = "FILE",
        };
        Option<string?> images = new("--images")
        {
            Description = "Pictures of the pairs: a folder or tar of NAME/NAME_0001.jpg, or of the paths in the list.",
            HelpName = "FOLDER|TAR",
        };
        Option<string[]> bins = new("--bin") { Description = "An InsightFace verification set (lfw.bin, cfp_fp.bin ...), whose pictures are aligned. May be given several times.", HelpName = "FILE" };
        Option<string?> data = new("--data") { Description = "Labelled people: a folder a person, RecordIO or tar. Everyone is compared with everyone.", HelpName = "DATA" };
        Option<int?> personLevel = CommonOptions.PersonLevel();
        Option<bool> identify = new("--identify") { Description = "1:N: enrol --gallery, search it with --probes: hit rates, DIR at FPIR (NIST FRTE 1:N)." };
        Option<string?> gallery = new("--gallery") { Description = "With --identify: people to enrol, a folder a person.", HelpName = "DATA" };
        Option<string?> probes = new("--probes") { Description = "With --identify: other pictures, in folders of the same names; people not in the gallery are strangers.", HelpName = "DATA" };
        Option<string?> nonMated = new("--nonmated") { Description = "With --identify: more strangers; thresholds are set on strangers.", HelpName = "DATA" };
        Option<bool> flip = new("--flip-sum") { Description = "Sum each embedding with the mirrored face's. By default as the package says, and off for a run or an .onnx file." };
        Option<bool> noFlip = new("--no-flip") { Description = "Do not." };
        Option<int> replicates = new("--bootstrap") { Description = "Draws of the intervals.", DefaultValueFactory = _ => 1000, HelpName = "N" };
        Option<int> maxPairs = new("--max-pairs") { Description = "With --data: pairs of different people to score at most, drawn evenly.", DefaultValueFactory = _ => 4_000_000, HelpName = "N" };
        Option<long> seed = new("--seed") { Description = "Seed of the intervals and of drawn pairs.", DefaultValueFactory = _ => 1, HelpName = "N" };
        Option<int> batch = new("--batch") { Description = "Faces a batch.", DefaultValueFactory = _ => 64, HelpName = "N" };
        Option<string?> output = new("--out") { Description = "Folder for eval.json, the scores of all pairs as CSV, and ROC, DET and histogram as SVG; with --identify the DET and the errors as a contact sheet.", HelpName = "DIR" };
        Option<string?> calibration = new("--calibration") { Description = "Write a calibration of the first set's scores: a threshold for each false match rate.", HelpName = "FILE" };
        Option<bool> writeCalibration = new("--write-calibration") { Description = "Write it into the package." };
        Option<bool> allowOverlap = OverlapOption.Create();
        VisionOptions vision = new();
        Command command = new("eval", Description) { allowOverlap, model, pairs, images, bins, data, personLevel, identify, gallery, probes, nonMated, flip, noFlip,
            replicates, maxPairs, seed, batch, output, calibration, writeCalibration };
        vision.AddDetection(command);
        vision.AddModel(command);
        command.SetAction((parsed, stop) =>
        {
            string? pairsPath = parsed.GetValue(pairs), imagesPath = parsed.GetValue(images), dataPath = parsed.GetValue(data);
            string[] binPaths = parsed.GetValue(bins) ?? [];
            bool oneToMany = parsed.GetValue(identify);
            CheckIdentify(oneToMany, parsed.GetValue(gallery), parsed.GetValue(probes), parsed.GetValue(nonMated), pairsPath ?? imagesPath ?? dataPath ?? binPaths.FirstOrDefault() ?? parsed.GetValue(calibration), parsed.GetValue(writeCalibration));
            if (!oneToMany)
            {
                CheckSets(pairsPath, imagesPath, dataPath, binPaths);
            }

            BootstrapOptions bootstrap = new() { Replicates = Checked("--bootstrap", parsed.GetValue(replicates), 10, 1_000_000), Seed = parsed.GetValue(seed) };
            PairOptions pairOptions = new() { MaxDifferentPairs = Checked("--max-pairs", parsed.GetValue(maxPairs), 10, 500_000_000), Seed = parsed.GetValue(seed) };
            string?[] inputs = [pairsPath, imagesPath, dataPath, .. binPaths, parsed.GetValue(gallery), parsed.GetValue(probes), parsed.GetValue(nonMated)];
            CheckOutputs(parsed.GetValue(output), parsed.GetValue(calibration), inputs);
            int batchSize = Checked("--batch", parsed.GetValue(batch), 1, 4096);

            using EvalModel opened = EvalModel.Open(parsed.GetRequiredValue(model), Flip(parsed.GetValue(flip), parsed.GetValue(noFlip)), vision, parsed);
            using ProgressLine progress = new();
            OverlapGate gate = OverlapOption.OpenGate(opened.Path, opened.Trained, parsed.GetValue(allowOverlap), progress, stop, opened.TrainedHash);
            if (oneToMany)
            {
                using FacePipeline pipeline = vision.OpenPipeline(parsed, opened.Embedder.InputSize);
                new IdentifyEval(opened, gate, pipeline, batchSize, stop).Run(parsed.GetValue(gallery)!, parsed.GetValue(probes)!,
                    parsed.GetValue(nonMated), parsed.GetValue(output), parsed.GetValue(CommonOptions.Json));
                return Task.FromResult(ExitCode.Success);
            }

            string? calibrationPath = CalibrationPath(opened, parsed.GetValue(calibration), parsed.GetValue(writeCalibration));
            EvalSets sets = new(opened, gate, bootstrap, pairOptions, batchSize, stop);
            List<EvalResult> results = [];
            if (pairsPath is not null || dataPath is not null)
            {
                using FacePipeline pipeline = vision.OpenPipeline(parsed, opened.Embedder.InputSize);
                if (pairsPath is not null)
                {
                    results.Add(sets.Pairs(pairsPath, imagesPath!, pipeline, parsed.GetValue(vision.Aligned)));
                }

                if (dataPath is not null)
                {
                    results.Add(sets.Labelled(dataPath, parsed.GetValue(personLevel), pipeline));
                }
            }

            if (binPaths.Length > 0)
            {
                using FacePipeline aligned = FacePipeline.ForAligned(new SkiaImageDecoder(), AlignmentTemplate.ArcFace(opened.Embedder.InputSize.Width, opened.Embedder.InputSize.Height));
                results.AddRange(binPaths.Select(path => sets.Bin(path, aligned)));
            }

            Dictionary<string, object?> json = EvalOutput.ToJson(opened, results, bootstrap);
            if (calibrationPath is not null)
            {
                Calibration measured = Calibrate(opened, results[0], bootstrap, stop);
                if (parsed.GetValue(writeCalibration))
                {
                    measured.SaveInto(opened.Path);
                }
                else
                {
                    measured.Save(calibrationPath);
                }

                json["calibration"] = calibrationPath;
            }

            if (parsed.GetValue(output) is string folder)
            {
                WriteFiles(folder, results, json);
            }

            Show(parsed.GetValue(CommonOptions.Json), opened, results, json, calibrationPath);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void CheckIdentify(bool identify, string? gallery, string? probes, string? nonMated, string? other, bool writeCalibration)
    {
        if (!identify && (gallery ?? probes ?? nonMated) is string left)
        {
            throw new UniFaceException($"{left} was given without --identify, which --gallery, --probes and --nonmated belong to.");
        }

        if (identify && (gallery is null || probes is null))
        {
            throw new UniFaceException("--identify takes --gallery PEOPLE and --probes PEOPLE, and --nonmated STRANGERS where the probes have none.");
        }

        if (identify && (other is not null || writeCalibration))
        {
            throw new UniFaceException("--identify was given together with an option of 1:1 measurements (--pairs, --images, --bin, --data, a calibration); measure one at a time.");
        }
    }

    private static void CheckSets(string? pairs, string? images, string? data, string[] bins)
    {
        if (pairs is null && data is null && bins.Length == 0)
        {
            throw new UniFaceException("nothing to measure on: give --pairs FILE with --images FOLDER, or --bin FILE, or --data FOLDER.");
        }

        if ((pairs is null) != (images is null))
        {
            throw new UniFaceException(pairs is null ? "--images was given without --pairs: the pairs file says which pictures are compared." : "--pairs was given without --images: the folder or tar of the pictures that it names.");
        }
    }

    private static void CheckOutputs(string? folder, string? calibration, string?[] inputs)
    {
        if (calibration is not null)
        {
            Output.RequireNotInput(calibration, inputs);
        }

        if (folder is null)
        {
            return;
        }

        if (RealPath.Holding(RealPath.SetOf(inputs.OfType<string>().Where(Directory.Exists)), RealPath.Of(folder)) is string holds)
        {
            throw new UniFaceException($"--out {folder} lies in {holds}, whose pictures are measured; name a folder elsewhere.");
        }

        IEnumerable<string> scores = inputs.Select((_, i) => FormattableString.Invariant($"scores-{i + 1}.csv"));
        foreach (string name in (string[])["eval.json", "scores.csv", .. scores, "probes.csv"])
        {
            Output.RequireNotInput(Path.Combine(folder, name), [.. inputs, calibration]);
        }
    }

    private static bool? Flip(bool flip, bool noFlip) => (flip, noFlip) switch
    {
        (true, true) => throw new UniFaceException("--flip-sum and --no-flip were both given; leave one out."),
        (true, false) => true,
        (false, true) => false,
        _ => null,
    };

    // Asked before the long work, so that a wrong command line costs nothing.
    private static string? CalibrationPath(EvalModel model, string? file, bool intoPackage)
    {
        if (!intoPackage)
        {
            return file;
        }

        if (file is not null)
        {
            throw new UniFaceException("--calibration and --write-calibration were both given; leave one out.");
        }

        if (!model.IsPackage)
        {
            throw new UniFaceException($"{model.Path} is no package folder to write a calibration into; name a file with --calibration FILE.");
        }

        ModelManifest manifest = ModelPackage.Open(model.Path).Manifest!;
        return manifest.FlipSum == model.FlipSum
            ? Path.Combine(model.Path, Calibration.FileName)
            : throw new UniFaceException($"the package runs {(manifest.FlipSum ? "with" : "without")} flip-sum; calibrate it as it runs: leave out {(manifest.FlipSum ? "--no-flip" : "--flip-sum")}.");
    }

    private static Calibration Calibrate(EvalModel model, EvalResult result, BootstrapOptions bootstrap, CancellationToken stop)
    {
        CalibrationSource source = model.Source(result.Name, result.Sha256) with { People = result.People, Images = result.Images.Count };
        return Calibrator.FromScores(result.Scores, source, bootstrap: bootstrap, cancellation: stop) with { Overlap = result.Overlap };
    }

    private static void WriteFiles(string folder, List<EvalResult> results, Dictionary<string, object?> json)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, "eval.json"), Output.ToJson(json) + "\n");
        for (int i = 0; i < results.Count; i++)
        {
            string suffix = i == 0 ? "" : FormattableString.Invariant($"-{i + 1}");
            EvalOutput.WriteScores(Path.Combine(folder, $"scores{suffix}.csv"), results[i]);
            AtomicFile.WriteText(Path.Combine(folder, $"roc{suffix}.svg"), SvgChart.ToFile(Charts.Roc((results[i].Name, results[i].Report.Roc))));
            AtomicFile.WriteText(Path.Combine(folder, $"det{suffix}.svg"), SvgChart.ToFile(Charts.Det((results[i].Name, results[i].Report.Roc))));
            AtomicFile.WriteText(Path.Combine(folder, $"scores{suffix}.svg"), SvgChart.ToFile(Charts.Scores(results[i].Name, results[i].Scores, null)));
        }
    }

    private static void Show(bool asJson, EvalModel model, List<EvalResult> results, Dictionary<string, object?> json, string? calibrationPath)
    {
        if (asJson)
        {
            Output.Json(json);
            return;
        }

        foreach (EvalResult result in results)
        {
            EvalOutput.Write(model, result);
        }

        if (calibrationPath is not null)
        {
            Console.WriteLine($"calibration written to {calibrationPath}");
        }
    }

    private static int Checked(string option, int value, int low, int high) =>
        value >= low && value <= high ? value : throw new UniFaceException(FormattableString.Invariant($"{option} {value}: expected {low} to {high}."));
}
