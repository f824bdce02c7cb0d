using UniFace.Evaluation.ThresholdCalibration;
using UniFace.Statistics;

namespace UniFace.Training.Export;

/// <summary>Measures and calibrates embedders on the people that a run was not trained on.</summary>
/// <param name="info">The run.</param>
/// <param name="gate">Refuses people that the run was trained on; receives warnings and progress.</param>
/// <param name="flipSum">True: the embedders add the embedding of the mirrored image.</param>
internal sealed class HeldOutCalibration(RunInfo info, OverlapGate gate, bool flipSum)
{
    /// <summary>A measurement.</summary>
    /// <param name="Result">The metrics.</param>
    /// <param name="Calibration">The calibration; null if the people are too few for any threshold.</param>
    internal sealed record Measurement(ValidationResult Result, Calibration? Calibration);

    /// <summary>Measures an embedder; null if the run was trained on everybody, or its data no longer exists.</summary>
    public Measurement? Measure(IEmbedder embedder)
    {
        TrainOptions trained = info.Options;
        if (trained.Validation is null && trained.ValidationPeople == 0)
        {
            return null;
        }

        string source = trained.Validation ?? trained.Data;
        if (!Path.Exists(source))
        {
            gate.Warning?.Invoke($"{source} no longer exists, so the package is written without {Calibration.FileName}");
            return null;
        }

        using FaceDataset opened = trained.OpenValidation() ?? trained.OpenData();
        if (info.UnseenPeople(opened, trained.Validation is null ? null : opened) is not FaceDataset people)
        {
            return null;
        }

        (string sha256, TrainingOverlap? overlap) = gate.Check(people);
        SkiaImageDecoder decoder = new();
        ValidationResult result = Validator.Evaluate(
            embedder,
            i => decoder.Decode(people.Read(i), $"{people.Source}: {people.Samples[i].Name}"),
            [.. people.Samples.Select(s => s.Label)],
            progress: count => gate.Progress?.Invoke("calibrating", count, people.Samples.Count));
        if (result.Report.DifferentPairs < RuleOfThree.TrialsFor(VerificationReport.DefaultRates[0]))
        {
            gate.Warning?.Invoke($"{people.People.Count} people held out form {result.Report.DifferentPairs} non-mated pairs, too few for any " +
                $"threshold: the package is written without {Calibration.FileName}");
            return new Measurement(result, null);
        }

        string name = trained.Validation ?? $"{people.People.Count} people held out of {trained.Data}";
        CalibrationSource from = new(flipSum, name, sha256, result.People, result.Images);
        return new Measurement(result, Calibrator.FromScores(result.Scores, from) with { Overlap = overlap });
    }
}
