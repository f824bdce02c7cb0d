using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using UniFace.Decisions;
using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Server.Http;
using UniFace.Server.OpenApi;
using UniFace.Server.Recognition;
using UniFace.Server.Security;

namespace UniFace.Server.Endpoints;

/// <summary>POST /v1/verify: are two photos of one person?</summary>
internal static class VerifyEndpoints
{
    /// <summary>Two photos, and where to decide.</summary>
    internal sealed record VerifyRequest
    {
        /// <summary>A photo: JPEG, PNG, WebP, BMP or GIF.</summary>
        public byte[]? A { get; init; }

        /// <summary>Another.</summary>
        public byte[]? B { get; init; }

        /// <summary>False match rate to decide at, by the model's calibration. Default: 0.001, or the smallest rate that the calibration supports.</summary>
        public double? FalseMatchRate { get; init; }

        /// <summary>Cosine to decide at, instead.</summary>
        public double? Threshold { get; init; }

        /// <summary>Both are aligned faces of the model's size already (112x112).</summary>
        public bool Aligned { get; init; }

        /// <summary>Put the aligned faces into the answer.</summary>
        public bool Crops { get; init; }
    }

    /// <summary>Whether two photos are of one person.</summary>
    /// <param name="Same">The decision: the score reaches the threshold.</param>
    /// <param name="Score">Cosine of the two embeddings, -1 to 1.</param>
    /// <param name="Threshold">The cosine decided at.</param>
    /// <param name="FalseMatchRate">How often two different people score the threshold or more; null without a calibration.</param>
    /// <param name="FalseMatchRateAtScore">How often two different people score as much as these two; null likewise.</param>
    /// <param name="CalibratedOn">Name of the calibration's data; null likewise.</param>
    /// <param name="CalibrationWarning">Why the false match rates are not to be trusted: the calibration was measured on training data; null otherwise.</param>
    /// <param name="DecisionNote">Why the default false match rate was not used; null if it was, or if the request chose.</param>
    /// <param name="ContractId">The model.</param>
    /// <param name="A">The face of the first photo.</param>
    /// <param name="B">The face of the second.</param>
    internal sealed record VerifyAnswer(bool Same, double Score, double Threshold, double? FalseMatchRate, double? FalseMatchRateAtScore,
        string? CalibratedOn, string? CalibrationWarning, string? DecisionNote, string ContractId, FaceAnswer A, FaceAnswer B);

    public static void Map(RouteGroupBuilder v1) => v1.MapPost("/verify", VerifyAsync).WithName("verify").WithSummary("Say whether the main faces of two photos are one person").Recognises(Scope.Read)
        .WithExamples(
            new VerifyRequest { A = Examples.Photo, B = Examples.Photo, FalseMatchRate = 0.001 },
            new VerifyAnswer(true, 0.71, 0.42, 0.001, 0.00002, "lfw", null, null, Examples.Contract, Examples.Face, Examples.Face));

    private static async Task<Ok<VerifyAnswer>> VerifyAsync(Upload<VerifyRequest> body, FaceService faces, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        VerifyRequest request = body.Value;
        Calibration? calibration = recognizer.Model.Calibration;
        Decision decision = new DecisionRule { Threshold = request.Threshold, FalseMatchRate = request.FalseMatchRate }.ForVerification(calibration);
        AlignedFace a = await faces.MainFaceAsync(request.A, "a", request.Aligned, stop), b = await faces.MainFaceAsync(request.B, "b", request.Aligned, stop);
        float[][] embeddings = await Task.WhenAll(faces.EmbedAsync(a, stop), faces.EmbedAsync(b, stop));
        double score = CosineSimilarity.Compute(embeddings[0], embeddings[1]);
        await audit.AddSoonAsync(context.Event("verify"), stop);
        return TypedResults.Ok(new VerifyAnswer(
            decision.IsMatch(score), score, decision.Threshold, decision.FalseMatchRate, calibration?.FalseMatchRateAt(score),
            calibration?.Data.Name, calibration?.Warning, decision.Note, recognizer.Model.ContractId,
            FaceAnswer.Of(a, request.Crops), FaceAnswer.Of(b, request.Crops)));
    }
}
