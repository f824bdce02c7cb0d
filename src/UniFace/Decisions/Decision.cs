namespace UniFace.Decisions;

/// <summary>A threshold, and its error rates according to the model's calibration.</summary>
/// <param name="Threshold">Cosine at or above which two faces match.</param>
/// <param name="FalseMatchRate">Chance that two different people reach the threshold (FMR); null without a calibration.</param>
/// <param name="FalsePositiveIdentificationRate">
/// Chance that a person who is not enrolled matches anybody in the gallery (FPIR), if its comparisons are independent; null for a
/// verification, and without a calibration.
/// </param>
/// <param name="Note">A sentence that says why a default rate was not used; null if it was, or if the caller chose.</param>
internal sealed record Decision(
    double Threshold, double? FalseMatchRate, double? FalsePositiveIdentificationRate = null, string? Note = null)
{
    /// <summary>Whether a score is a match.</summary>
    public bool IsMatch(double score) => score >= Threshold;
}
