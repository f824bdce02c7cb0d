using UniFace.Decisions;

namespace UniFace;

/// <summary>Whether two faces are the same person, and why.</summary>
public sealed record Verification
{
    internal Verification(FaceEmbedding first, FaceEmbedding second, Decision decision, Calibration? calibration)
    {
        (First, Second) = (first, second);
        Score = first.Similarity(second);
        Threshold = decision.Threshold;
        IsMatch = decision.IsMatch(Score);
        FalseMatchRate = decision.FalseMatchRate;
        FalseMatchRateAtScore = calibration?.FalseMatchRateAt(Score);
        Notes = [.. new[] { decision.Note, calibration?.Warning }.OfType<string>()];
    }

    /// <summary>True if the score reaches the threshold.</summary>
    public bool IsMatch { get; }

    /// <summary>Cosine of the two embeddings, -1 to 1.</summary>
    public double Score { get; }

    /// <summary>The threshold that was used, a cosine.</summary>
    public double Threshold { get; }

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
    public string Reason => Invariant($"the score {Score:F4} {(IsMatch ? "reaches" : "is below")} the threshold {Threshold:F4}") +
        (FalseMatchRate is double rate ? Invariant($", which two different people reach in {100 * rate:G3}% of comparisons") : "");

    /// <summary>The answer in a sentence.</summary>
    public override string ToString() => $"{(IsMatch ? "the same person" : "not the same person")}: {Reason}";
}
