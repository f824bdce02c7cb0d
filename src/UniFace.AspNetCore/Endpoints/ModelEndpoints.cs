namespace UniFace.AspNetCore.Endpoints;

/// <summary>/v1/model: the card of the model that recognizes.</summary>
internal static class ModelEndpoints
{
    /// <summary>A model card: what the model is for, what it was trained on, its measured results, and its limits.</summary>
    /// <param name="Model">The model, such as its backbone.</param>
    /// <param name="ContractId">Embeddings of the same contract are comparable.</param>
    /// <param name="Licence">The licence of the weights.</param>
    /// <param name="IntendedUse">What the model is for.</param>
    /// <param name="Training">What it was trained on, and how.</param>
    /// <param name="MeasuredOn">Where the results were measured; null without a calibration.</param>
    /// <param name="Results">The results at each false match rate.</param>
    /// <param name="Groups">Results by group of people.</param>
    /// <param name="Limits">What it cannot do, or is not known to do.</param>
    internal sealed record ModelAnswer(
        string Model, string ContractId, string Licence, IReadOnlyList<string> IntendedUse, IReadOnlyList<string> Training, string? MeasuredOn,
        IReadOnlyList<ModelResult> Results, string Groups, IReadOnlyList<string> Limits);

    /// <summary>A result at one false match rate, with 95 % confidence intervals; null if the number of pairs does not support the rate.</summary>
    /// <param name="FalseMatchRate">The false match rate.</param>
    /// <param name="Threshold">Cosine at or above which two faces match.</param>
    /// <param name="ThresholdLow">Lower end of its interval.</param>
    /// <param name="ThresholdHigh">Upper end of its interval.</param>
    /// <param name="TrueMatchRate">Fraction of the mated pairs that match.</param>
    /// <param name="TrueMatchRateLow">Lower end of its interval.</param>
    /// <param name="TrueMatchRateHigh">Upper end of its interval.</param>
    internal sealed record ModelResult(
        double FalseMatchRate, double? Threshold, double? ThresholdLow, double? ThresholdHigh, double? TrueMatchRate, double? TrueMatchRateLow,
        double? TrueMatchRateHigh);

    public static void Map(RouteGroupBuilder v1) => v1.MapGet("/model", Get).WithTags("model").WithName("model").RequireRecognition(Scope.Read);

    /// <summary>Describe the model: intended use, training data, results and limits</summary>
    internal static ModelAnswer Get(Recognizer recognizer)
    {
        ModelCard card = ModelCard.Create(recognizer.Model.Manifest, recognizer.Model.Calibration);
        return new ModelAnswer(
            card.Model, card.ContractId, card.Licence, card.IntendedUse, card.Training, card.MeasuredOn,
            [
                .. card.Results.Select(r => new ModelResult(
                    r.FalseMatchRate, r.Threshold, r.ThresholdLow, r.ThresholdHigh, r.TrueMatchRate, r.TrueMatchRateLow, r.TrueMatchRateHigh)),
            ],
            card.Groups, card.Limits);
    }
}
