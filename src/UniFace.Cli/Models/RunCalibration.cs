using UniFace.Cli.Eval;
using UniFace.Cli.Terminal;
using UniFace.Data;
using UniFace.Embeddings;
using UniFace.Evaluation.ThresholdCalibration;
using UniFace.Evaluation.Verification;
using UniFace.Packages;
using UniFace.Statistics;
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Models;

/// <summary>The calibration that a package leaves training with: measured on the people that its run did not train on.</summary>
internal static class RunCalibration
{
    /// <summary>What was measured on the people that a run did not train on.</summary>
    /// <param name="Result">The metrics.</param>
    /// <param name="Calibration">The calibration; null where they are too few for any threshold.</param>
    internal sealed record HeldOut(ValidationResult Result, Calibration? Calibration);

    /// <summary>Measures a run's own weights; null where the run trained on everybody, or its pictures are not where they were.</summary>
    public static Calibration? Measure(RunInfo info, Backbone backbone, bool flipSum, OverlapGate gate)
    {
        using BackboneEmbedder embedder = new(backbone, flipSum, ownsBackbone: false);
        return Measure(info, embedder, flipSum, gate)?.Calibration;
    }

    /// <summary>Measures an embedder on the people that a run did not train on; null where there are none.</summary>
    public static HeldOut? Measure(RunInfo info, IEmbedder embedder, bool flipSum, OverlapGate gate)
    {
        TrainOptions options = info.Options;
        if (options.Validation is null && options.ValidationPeople == 0)
        {
            return null;
        }

        string source = options.Validation ?? options.Data;
        if (!Path.Exists(source))
        {
            Console.Error.WriteLine($"warning: {source} is no longer there, so the package is written without calibration.json");
            return null;
        }

        using FaceDataset opened = FaceDatasets.Open(source);
        FaceDataset people = TrainingRun.UnseenPeople(info, opened, options.Validation is null ? null : opened)!;
        (string sha256, TrainingOverlap? overlap) = gate.Check(people);
        SkiaImageDecoder decoder = new();
        using ProgressMeter progress = new("calibrating", people.Samples.Count);
        ValidationResult result = Validator.Evaluate(
            embedder,
            i => decoder.Decode(people.Read(i), $"{people.Source}: {people.Samples[i].Name}"),
            [.. people.Samples.Select(s => s.Label)],
            progress: count => progress.Add(count));
        if (result.Report.DifferentPairs < RuleOfThree.TrialsFor(VerificationReport.DefaultRates[0]))
        {
            Console.Error.WriteLine($"warning: {Plural.Format(people.People.Count, "person")} held out make {result.Report.DifferentPairs} pairs of two people, too few for any threshold: the package is written without calibration.json");
            return new HeldOut(result, null);
        }

        CalibrationSource from = new()
        {
            FlipSum = flipSum,
            DataName = options.Validation is null ? $"{Plural.Format(people.People.Count, "person")} held out of {options.Data}" : options.Validation,
            DataSha256 = sha256,
            People = result.People,
            Images = result.Images,
            ToolVersion = info.ToolVersion,
        };
        return new HeldOut(result, Calibrator.FromScores(result.Scores, from) with { Overlap = overlap });
    }
}
