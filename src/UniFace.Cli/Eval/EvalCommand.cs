using System.Text.Json.Nodes;

namespace UniFace.Cli.Eval;

/// <summary>`uniface eval`: measures a model on people it was not trained on.</summary>
internal static class EvalCommand
{
    private const string Description = """
        Measure a model on people it was not trained on. Reports accuracy over ten folds (LFW View 2), TAR at FAR with intervals, EER and AUC; or 1:N rates.
        Images and people that the model was trained on are refused (see --allow-overlap). A pair with a face that is not found counts as an error in
        the accuracy, as a non-match in TAR and EER if it shows one person, and is left out of FAR.
        Example: uniface eval RUN --pairs lfw-pairs.txt --images lfw.tar
        Example: uniface eval PACKAGE --data other-people --write-calibration
        Example: uniface eval PACKAGE --identify --gallery enrolled --probes probes --nonmated strangers
        """;

    /// <summary>The sets to measure on.</summary>
    private sealed record Inputs(
        string? Pairs, string? Images, string? Data, string[] Bins, string? Gallery, string? Probes, string? NonMated, int? PersonLevel)
    {
        public string?[] Paths => [Pairs, Images, Data, .. Bins, Gallery, Probes, NonMated];

        /// <summary>False if all images are aligned by definition.</summary>
        public bool MayNeedDetector => (Gallery ?? Pairs ?? Data) is not null;

        public bool Any => MayNeedDetector || Bins.Length > 0;
    }

    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "A run of 'uniface train', a package of 'uniface export', or an .onnx file (1x3xHxW to 1xD)." };
        CliOption<string?> pairs = new(
            "--pairs", "A pairs file in the format of LFW's pairs.txt, or lines PATH PATH 1 (one person) or 0, also as CSV; requires --images.", "FILE");
        CliOption<string?> images = new(
            "--images", "Images of the pairs: a folder or tar with NAME/NAME_0001.jpg, or with the paths in the list.", "FOLDER|TAR");
        CliOption<string[]> bins = new(
            "--bin", "An InsightFace verification set (lfw.bin, cfp_fp.bin ...), whose images are aligned. May be given several times.", "FILE");
        CliOption<string?> data = new(
            "--data", "Labelled people: one folder per person, RecordIO or tar. Every image is compared with every other.", "DATA");
        CliOption<int?> personLevel = CommonOptions.PersonLevel();
        CliOption<bool> identify = new("--identify", "1:N: enroll --gallery and search it with --probes: hit rates, DIR at FPIR (NIST FRTE 1:N).");
        CliOption<string?> gallery = new("--gallery", "With --identify: people to enroll, one folder per person.", "DATA");
        CliOption<string?> probes = new(
            "--probes", "With --identify: other images, in folders of the same names; people not in the gallery are non-mated.", "DATA");
        CliOption<string?> nonMated = new("--nonmated", "With --identify: more non-mated probes; they determine the thresholds.", "DATA");
        CliOption<bool> flip = new(
            "--flip-sum", "Add the embedding of the mirrored face to each embedding. Default: as the package says; off for a run or an .onnx file.");
        CliOption<bool> noFlip = new("--no-flip", "Do not add the mirrored face's embedding.");
        MeasurementOptions measurement = new(replicates: 1000, pairs: 4_000_000, fewestPairs: 10);
        CliOption<int> batch = new("--batch", "Faces per batch.") { Default = 64, Range = (1, 4096) };
        CliOption<string?> output = new(
            "--out",
            "Folder for eval.json, the scores of all pairs as CSV, and ROC, DET and histogram as SVG; with --identify the DET and a contact sheet of errors.",
            "DIR");
        CliOption<string?> calibration = new(
            "--calibration", "Write a calibration from the first set's scores: a threshold for each false match rate.", "FILE");
        CliOption<bool> writeCalibration = new("--write-calibration", "Write the calibration into the package.");
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters =
        [
            model, pairs, images, bins, data, personLevel, identify, gallery, probes, nonMated, flip, noFlip, .. measurement.All, batch, output,
            calibration, writeCalibration, .. vision.Detection, .. vision.Model,
            CommonOptions.Config,
        ];
        return CliCommand.Create("eval", Description, parameters, (parsed, stop) =>
        {
            foreach (Option option in (Option[])[gallery, probes, nonMated])
            {
                parsed.Require(option, identify, "it is an option for 1:N measurements");
            }

            foreach (Option option in (Option[])[pairs, images, bins, data, calibration, writeCalibration])
            {
                parsed.Exclude(identify, option, $"{option.Name} is for 1:1 measurements");
            }

            parsed.Require(identify, gallery, "the people to enroll, one folder per person");
            parsed.Require(identify, probes, "other images, in folders of the same names");
            parsed.Require(pairs, images, "the folder or tar of the images that the file names");
            parsed.Require(images, pairs, "the file that says which images to compare");
            parsed.Exclude(flip, noFlip);
            parsed.Exclude(calibration, writeCalibration);
            Inputs inputs = new(
                parsed.GetValue(pairs), parsed.GetValue(images), parsed.GetValue(data), parsed.GetValue(bins) ?? [], parsed.GetValue(gallery),
                parsed.GetValue(probes), parsed.GetValue(nonMated), parsed.GetValue(personLevel));
            if (!inputs.Any)
            {
                throw new UniFaceException("nothing to measure on: give --pairs FILE with --images FOLDER, or --bin FILE, or --data FOLDER.");
            }

            string? folder = parsed.GetValue(output), calibrationPath = parsed.GetValue(calibration);
            CheckOutputs(folder, calibrationPath, inputs.Paths);
            bool? flipSum = parsed.GetValue(flip) ? true : parsed.GetValue(noFlip) ? false : null;
            using EvaluatedModel opened = Open(parsed, parsed.GetRequiredValue(model), flipSum, vision);
            using FacePipeline aligned = FacePipeline.ForAligned(new SkiaImageDecoder(), opened.Template);
            using FacePipeline pipeline = inputs.MayNeedDetector ? vision.OpenPipeline(parsed, opened.Template) : aligned;
            if (inputs.Gallery is not null)
            {
                using FaceDataset enrolled = FaceDatasets.Open(inputs.Gallery, inputs.PersonLevel);
                using FaceDataset probed = FaceDatasets.Open(inputs.Probes!, inputs.PersonLevel);
                using FaceDataset? strangers = inputs.NonMated is null ? null : FaceDatasets.Open(inputs.NonMated, inputs.PersonLevel);
                IdentificationMeasurement measured = Measure(evaluation => evaluation.Identify(enrolled, probed, strangers, pipeline));
                new IdentifyOutput(opened, pipeline, measured).Print(parsed, folder);
                return;
            }

            bool intoPackage = parsed.GetValue(writeCalibration);
            calibrationPath = intoPackage ? PathInPackage(opened) : calibrationPath;
            (List<EvaluationResult> results, Calibration? calibrated) = Measure(evaluation =>
            {
                List<EvaluationResult> all = inputs.Pairs is null
                    ? []
                    : [evaluation.MeasurePairs(inputs.Pairs, inputs.Images!, pipeline, parsed.GetValue(vision.Aligned))];
                if (inputs.Data is not null)
                {
                    all.Add(evaluation.MeasurePeople(inputs.Data, inputs.PersonLevel, pipeline));
                }

                all.AddRange(inputs.Bins.Select(path => evaluation.MeasureBin(path, aligned)));
                return (all, calibrationPath is null ? null : evaluation.Calibrate(all[0]));
            });
            JsonObject json = EvalOutput.ToJson(opened, results, measurement.Bootstrap(parsed));
            if (calibrationPath is not null)
            {
                if (intoPackage)
                {
                    calibrated!.SaveInto(opened.Path);
                }
                else
                {
                    calibrated!.Save(calibrationPath);
                }

                json["calibration"] = calibrationPath;
            }

            if (folder is not null)
            {
                EvalOutput.WriteFiles(folder, results, json);
            }

            parsed.Print(json, () =>
            {
                results.ForEach(result => EvalOutput.Write(opened, result));
                if (calibrationPath is not null)
                {
                    Console.WriteLine($"calibration written to {calibrationPath}");
                }
            });

            T Measure<T>(Func<ModelEvaluation, T> measure) => measurement.Measure(parsed, opened, parsed.GetValue(batch), measure, stop);
        });
    }

    private static EvaluatedModel Open(ParseResult parsed, string model, bool? flipSum, VisionOptions vision)
    {
        if (!RunFolder.Exists(model))
        {
            return EvaluatedModel.FromRecognizer(vision.Open(parsed, model, flipSum));
        }

        return vision.HasInputOptions(parsed)
            ? throw new UniFaceException($"{model} is a training run, which knows its input: leave out --normalize and --color, which are for .onnx files.")
            : EvaluatedModel.FromRun(model, flipSum);
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

        if (RealPath.FindContaining(RealPath.ResolveAll(inputs.OfType<string>().Where(Directory.Exists)), RealPath.Resolve(folder)) is string holds)
        {
            throw new UniFaceException($"--out {folder} lies in {holds}, whose images are measured; give a folder elsewhere.");
        }

        foreach (string name in (string[])["eval.json", "scores.csv", .. inputs.Select((_, i) => $"scores-{i + 1}.csv"), "probes.csv"])
        {
            Output.RequireNotInput(Path.Combine(folder, name), [.. inputs, calibration]);
        }
    }

    /// <summary>Where the calibration of a package belongs.</summary>
    /// <exception cref="UniFaceException">The model is no package folder, or is not measured as the package runs it.</exception>
    private static string PathInPackage(EvaluatedModel model)
    {
        if (model.Recognizer?.Package.Manifest is not ModelManifest manifest)
        {
            throw new UniFaceException($"{model.Path} is no package folder to write a calibration into; give a file with --calibration FILE.");
        }

        (string with, string option) = manifest.FlipSum ? ("with", "--no-flip") : ("without", "--flip-sum");
        return manifest.FlipSum == model.FlipSum
            ? Path.Combine(model.Path, Calibration.FileName)
            : throw new UniFaceException($"the package runs {with} flip-sum and must be calibrated the same way: leave out {option}.");
    }
}
