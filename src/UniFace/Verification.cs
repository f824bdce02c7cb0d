using UniFace.Decisions;

namespace UniFace;

/// <summary>Whether two faces are the same person, and why.</summary>
public sealed class Verification
{
    private readonly Decision? decision;

    // Without a decision there is only a score.
    internal Verification(FaceEmbedding first, FaceEmbedding second, Decision? decision, Calibration? calibration)
    {
        (First, Second, this.decision) = (first, second, decision);
        Score = first.Similarity(second);
        FalseMatchRate = decision?.FalseMatchRate;
        FalseMatchRateAtScore = calibration?.FalseMatchRateAt(Score);
        Notes = [.. new[] { decision?.Note, calibration?.Warning }.OfType<string>()];
    }

    /// <summary>True if the score reaches the threshold.</summary>
    /// <exception cref="MissingCalibrationException">The model has no calibration, and no threshold was given.</exception>
    public bool IsMatch => Decided.IsMatch(Score);

    /// <summary>Cosine of the two embeddings, -1 to 1.</summary>
    public double Score { get; }

    /// <summary>The threshold that was used, a cosine.</summary>
    /// <exception cref="MissingCalibrationException">The model has no calibration, and no threshold was given.</exception>
    public double Threshold => Decided.Threshold;

    /// <summary>How often two different people reach the threshold, by the model's calibration; null without one.</summary>
    public double? FalseMatchRate { get; }

    /// <summary>How often two different people reach this score, by the model's calibration; null without one.</summary>
    public double? FalseMatchRateAtScore { get; }

    /// <summary>What to know about the rates, one sentence each: a default rate that is not supported, a calibration on training data.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The first face.</summary>
    public FaceEmbedding First { get; }

    /// <summary>The second face.</summary>
    public FaceEmbedding Second { get; }

    /// <summary>The decision in a sentence.</summary>
    public string Reason => decision is null
        ? Invariant($"the score is {Score:F4}; ") + MissingCalibrationException.Reason
        : Invariant($"the score {Score:F4} {(IsMatch ? "reaches" : "is below")} the threshold {Threshold:F4}") +
          (FalseMatchRate is double rate ? Invariant($", which two different people reach in {100 * rate:G3}% of comparisons") : "");

    /// <summary>The answer in a sentence.</summary>
    public override string ToString() =>
        decision is null ? $"not decided: {Reason}" : $"{(IsMatch ? "the same person" : "not the same person")}: {Reason}";

    private Decision Decided => decision ?? throw new MissingCalibrationException(MissingCalibrationException.Reason);
}
