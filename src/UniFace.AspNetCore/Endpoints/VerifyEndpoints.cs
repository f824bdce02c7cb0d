using UniFace.Decisions;

namespace UniFace.AspNetCore.Endpoints;

/// <summary>POST /v1/verify: whether two photos show the same person.</summary>
internal static class VerifyEndpoints
{
    /// <summary>Two photos and the decision rule.</summary>
    internal sealed record VerifyRequest : FaceRequest
    {
        /// <summary>The first photo: JPEG, PNG, WebP, BMP or GIF.</summary>
        public byte[]? A { get; init; }

        /// <summary>The second photo.</summary>
        public byte[]? B { get; init; }

        /// <summary>False match rate of the threshold, by the model's calibration. Default: 0.001, or the smallest that it supports.</summary>
        public double? FalseMatchRate { get; init; }

        /// <summary>Cosine threshold, instead of a false match rate.</summary>
        public double? Threshold { get; init; }
    }

    /// <summary>Whether two photos show the same person.</summary>
    /// <param name="Same">True if the score reaches the threshold.</param>
    /// <param name="Score">Cosine of the two embeddings, -1 to 1.</param>
    /// <param name="Threshold">The threshold used, a cosine.</param>
    /// <param name="FalseMatchRate">How often two different people reach the threshold; null without a calibration.</param>
    /// <param name="FalseMatchRateAtScore">How often two different people reach this score; null without a calibration.</param>
    /// <param name="CalibratedOn">Name of the calibration's data; null without a calibration.</param>
    /// <param name="CalibrationWarning">Why the false match rates cannot be trusted, such as a calibration on training data; null otherwise.</param>
    /// <param name="DecisionNote">Why the default false match rate was not used; null if it was, or if the request chose.</param>
    /// <param name="Suitability">What the model is good for and where it is weak, by its package; null if that does not say.</param>
    /// <param name="ContractId">Contract id of the model.</param>
    /// <param name="A">The face of the first photo.</param>
    /// <param name="B">The face of the second.</param>
    internal sealed record VerifyAnswer(bool Same, double Score, double Threshold, double? FalseMatchRate, double? FalseMatchRateAtScore,
        string? CalibratedOn, string? CalibrationWarning, string? DecisionNote, string? Suitability, string ContractId, FaceAnswer A, FaceAnswer B);

    public static void Map(RouteGroupBuilder v1) => v1.MapPost("/verify", VerifyAsync).WithName("verify").RequireRecognition(Scope.Read);

    /// <summary>Decide whether the main faces of two photos are the same person</summary>
    internal static async Task<VerifyAnswer> VerifyAsync(
        Upload<VerifyRequest> body, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        VerifyRequest request = body.Value;
        string caller = Caller.GetFairShare(context);
        Calibration? calibration = recognizer.Model.Calibration;
        Decision decision = new DecisionRule { Threshold = request.Threshold, FalseMatchRate = request.FalseMatchRate }.ForVerification(calibration);
        AlignedFace a = await recognizer.RequireMainFaceAsync(request.A, "a", request.Aligned, caller, stop);
        AlignedFace b = await recognizer.RequireMainFaceAsync(request.B, "b", request.Aligned, caller, stop);
        float[][] embeddings = await Task.WhenAll(recognizer.EmbedAsync(a, caller, stop), recognizer.EmbedAsync(b, caller, stop));
        string contract = recognizer.Model.ContractId;
        Verification answer = new(new(embeddings[0], contract), new(embeddings[1], contract), decision, calibration);
        await audit.AddSoonAsync(context.Event("verify"), stop);
        return new VerifyAnswer(
            answer.IsMatch, answer.Score, answer.Threshold, answer.FalseMatchRate, answer.FalseMatchRateAtScore,
            calibration?.Data.Name, calibration?.Warning, decision.Note, recognizer.Model.Manifest.Suitability, contract,
            FaceAnswer.Create(a, request.Crops), FaceAnswer.Create(b, request.Crops));
    }
}
