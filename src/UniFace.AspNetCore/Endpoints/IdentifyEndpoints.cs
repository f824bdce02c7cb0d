using UniFace.Decisions;

namespace UniFace.AspNetCore.Endpoints;

/// <summary>POST /v1/identify: who is on a photo.</summary>
internal static class IdentifyEndpoints
{
    private const int MaxCandidates = 1000;

    /// <summary>A photo and the decision rule.</summary>
    internal sealed record IdentifyRequest : FaceRequest
    {
        /// <summary>JPEG, PNG, WebP, BMP or GIF.</summary>
        public byte[]? Photo { get; init; }

        /// <summary>
        /// False positive identification rate of the threshold, by the model's calibration: how often a person who is not enrolled may match anybody in the
        /// gallery. Default: 0.01, or the smallest that the calibration supports with this gallery.
        /// </summary>
        public double? FalsePositiveIdentificationRate { get; init; }

        /// <summary>False match rate of each comparison, instead.</summary>
        public double? FalseMatchRate { get; init; }

        /// <summary>Cosine threshold, instead of a rate.</summary>
        public double? Threshold { get; init; }

        /// <summary>How many of the most similar people to return, match or not: 1 to 1000. Default: 5.</summary>
        public int? Candidates { get; init; }
    }

    /// <summary>Result of an identification.</summary>
    internal enum IdentifyDecision
    {
        /// <summary>An enrolled person.</summary>
        Match,

        /// <summary>No enrolled person reaches the threshold.</summary>
        Unknown,

        /// <summary>No face was found.</summary>
        NoFace,
    }

    /// <summary>An enrolled person and the similarity.</summary>
    /// <param name="Person">Name or id.</param>
    /// <param name="Score">Cosine, -1 to 1.</param>
    /// <param name="FalseMatchRate">How often two different people reach this score; null without a calibration.</param>
    internal sealed record CandidateAnswer(string Person, double Score, double? FalseMatchRate);

    /// <summary>Who is on a photo.</summary>
    /// <param name="Decision">match, unknown or no-face.</param>
    /// <param name="Person">Who it is; null unless the decision is match.</param>
    /// <param name="Score">The best candidate's score; null without candidates.</param>
    /// <param name="Threshold">The threshold used, a cosine.</param>
    /// <param name="FalseMatchRate">How often two different people reach the threshold; null without a calibration.</param>
    /// <param name="FalsePositiveIdentificationRate">
    /// How often a person who is not enrolled matches anybody in this gallery; null without a calibration.
    /// </param>
    /// <param name="CalibratedOn">Name of the calibration's data; null without a calibration.</param>
    /// <param name="CalibrationWarning">Why the false match rates cannot be trusted, such as a calibration on training data; null otherwise.</param>
    /// <param name="DecisionNote">Why the default rate was not used; null if it was, or if the request chose.</param>
    /// <param name="Suitability">What the model is good for and where it is weak, by its package; null if that does not say.</param>
    /// <param name="Candidates">The most similar people, best first, match or not.</param>
    /// <param name="ContractId">Contract id of the model.</param>
    /// <param name="Face">The face; null if none was found.</param>
    internal sealed record IdentifyAnswer(IdentifyDecision Decision, string? Person, double? Score, double Threshold, double? FalseMatchRate,
        double? FalsePositiveIdentificationRate, string? CalibratedOn, string? CalibrationWarning, string? DecisionNote,
        string? Suitability, IReadOnlyList<CandidateAnswer> Candidates, string ContractId, FaceAnswer? Face);

    public static void Map(RouteGroupBuilder v1) => v1.MapPost("/identify", IdentifyAsync).WithName("identify").RequireRecognition(Scope.Read);

    /// <summary>Find who the main face of a photo is among the enrolled people</summary>
    internal static async Task<IdentifyAnswer> IdentifyAsync(
        Upload<IdentifyRequest> body, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        IdentifyRequest request = body.Value;
        string caller = Caller.GetFairShare(context);
        int candidates = request.Candidates ?? 5;
        if (candidates is < 1 or > MaxCandidates)
        {
            throw new UniFaceException($"candidates is out of range: expected 1 to {MaxCandidates}");
        }

        Calibration? calibration = recognizer.Model.Calibration;
        DecisionRule rule = new()
        {
            Threshold = request.Threshold,
            FalseMatchRate = request.FalseMatchRate,
            FalsePositiveIdentificationRate = request.FalsePositiveIdentificationRate,
        };
        Decision decision = rule.ForIdentification(calibration, await recognizer.CountEnrolledAsync(stop));
        AlignedFace? face = await recognizer.FindMainFaceAsync(EndpointExtensions.RequirePhoto(request.Photo, "photo"), "photo", request.Aligned, caller, stop);
        IReadOnlyList<GalleryCandidate> people = face is null ? [] : await recognizer.SearchAsync(face, candidates, caller, stop);
        bool match = people.Count > 0 && decision.IsMatch(people[0].Score);
        await audit.AddSoonAsync(context.Event("identify", match ? people[0].Person : null), stop);
        return new IdentifyAnswer(
            face is null ? IdentifyDecision.NoFace : match ? IdentifyDecision.Match : IdentifyDecision.Unknown,
            match ? people[0].Person : null,
            people.Count > 0 ? people[0].Score : null,
            decision.Threshold,
            decision.FalseMatchRate,
            decision.FalsePositiveIdentificationRate,
            calibration?.Data.Name,
            calibration?.Warning,
            decision.Note,
            recognizer.Model.Manifest.Suitability,
            [.. people.Select(p => new CandidateAnswer(p.Person, p.Score, calibration?.FalseMatchRateAt(p.Score)))],
            recognizer.Model.ContractId,
            face is null ? null : FaceAnswer.Create(face, request.Crops));
    }
}
