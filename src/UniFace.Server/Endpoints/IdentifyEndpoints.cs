using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using UniFace.Decisions;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Packages;
using UniFace.Server.Http;
using UniFace.Server.OpenApi;
using UniFace.Server.Recognition;
using UniFace.Server.Security;

namespace UniFace.Server.Endpoints;

/// <summary>POST /v1/identify: who is on a photo?</summary>
internal static class IdentifyEndpoints
{
    private const int MostCandidates = 1000;

    /// <summary>A photo, and where to decide.</summary>
    internal sealed record IdentifyRequest
    {
        /// <summary>JPEG, PNG, WebP, BMP or GIF.</summary>
        public byte[]? Photo { get; init; }

        /// <summary>False match rate of each comparison to decide at, by the model's calibration, instead.</summary>
        public double? FalseMatchRate { get; init; }

        /// <summary>
        /// False positive identification rate to decide at, by the model's calibration: how often a person who is not enrolled may match
        /// anybody in the gallery. Default: 0.01, or the smallest rate that the calibration supports with this gallery.
        /// </summary>
        public double? FalsePositiveIdentificationRate { get; init; }

        /// <summary>Cosine to decide at, instead.</summary>
        public double? Threshold { get; init; }

        /// <summary>How many of the most alike people to name, match or not: 1 to 1000; 5 without it.</summary>
        public int? Candidates { get; init; }

        /// <summary>It is an aligned face of the model's size already (112x112).</summary>
        public bool Aligned { get; init; }

        /// <summary>Put the aligned face into the answer.</summary>
        public bool Crops { get; init; }
    }

    /// <summary>The answer to a question who somebody is.</summary>
    internal enum IdentifyDecision
    {
        /// <summary>Somebody who is enrolled.</summary>
        Match,

        /// <summary>Nobody who is enrolled reaches the threshold.</summary>
        Unknown,

        /// <summary>No face was found.</summary>
        NoFace,
    }

    /// <summary>Somebody who is enrolled, and how alike.</summary>
    /// <param name="Person">Who.</param>
    /// <param name="Score">Cosine, -1 to 1.</param>
    /// <param name="FalseMatchRate">How often two different people score as much; null without a calibration.</param>
    internal sealed record CandidateAnswer(string Person, double Score, double? FalseMatchRate);

    /// <summary>Who is on a photo.</summary>
    /// <param name="Decision">match, unknown or no-face.</param>
    /// <param name="Person">Who; null but for a match.</param>
    /// <param name="Score">The best candidate's score; null where there is none.</param>
    /// <param name="Threshold">The cosine decided at.</param>
    /// <param name="FalseMatchRate">How often two different people score the threshold or more; null without a calibration.</param>
    /// <param name="FalsePositiveIdentificationRate">How often a person who is not enrolled matches anybody in this gallery; null without a calibration.</param>
    /// <param name="CalibratedOn">Name of the calibration's data; null likewise.</param>
    /// <param name="CalibrationWarning">Why the false match rates are not to be trusted: the calibration was measured on training data; null otherwise.</param>
    /// <param name="DecisionNote">Why the default rate was not used; null if it was, or if the request chose.</param>
    /// <param name="Candidates">The most alike people, best first, match or not.</param>
    /// <param name="ContractId">The model.</param>
    /// <param name="Face">The face; null where none was found.</param>
    internal sealed record IdentifyAnswer(IdentifyDecision Decision, string? Person, double? Score, double Threshold, double? FalseMatchRate,
        double? FalsePositiveIdentificationRate, string? CalibratedOn, string? CalibrationWarning, string? DecisionNote, IReadOnlyList<CandidateAnswer> Candidates, string ContractId, FaceAnswer? Face);

    public static void Map(RouteGroupBuilder v1) => v1.MapPost("/identify", IdentifyAsync).WithName("identify").WithSummary("Say who the main face of a photo is, or that it is nobody who is enrolled").Recognises(Scope.Read)
        .WithExamples(
            new IdentifyRequest { Photo = Examples.Photo, FalseMatchRate = 0.0001, Candidates = 2 },
            new IdentifyAnswer(IdentifyDecision.Match, "Ann", 0.71, 0.48, 0.0001, 0.00995, "lfw", null, null, [new("Ann", 0.71, 0.00002), new("Bob", 0.12, 0.2)],
                Examples.Contract, Examples.Face));

    private static async Task<Ok<IdentifyAnswer>> IdentifyAsync(Upload<IdentifyRequest> body, FaceService faces, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        IdentifyRequest request = body.Value;
        int named = request.Candidates ?? 5;
        if (named is < 1 or > MostCandidates)
        {
            throw new UniFaceException($"candidates is out of range: expected 1 to {MostCandidates}");
        }

        Calibration? calibration = recognizer.Model.Calibration;
        DecisionRule rule = new()
        {
            Threshold = request.Threshold,
            FalseMatchRate = request.FalseMatchRate,
            FalsePositiveIdentificationRate = request.FalsePositiveIdentificationRate,
        };
        Decision decision = rule.ForIdentification(calibration, await faces.CountEnrolledAsync(stop));
        (_, IReadOnlyList<AlignedFace> found) = await faces.FacesAsync(request.Photo, "photo", FaceChoice.Largest, request.Aligned, stop);
        AlignedFace? face = found is [AlignedFace first, ..] ? first : null;
        IReadOnlyList<GalleryCandidate> people = face is null ? [] : await faces.SearchAsync(face, named, stop);
        bool match = people.Count > 0 && decision.IsMatch(people[0].Score);
        await audit.AddSoonAsync(context.Event("identify", match ? people[0].Person : null), stop);
        return TypedResults.Ok(new IdentifyAnswer(
            face is null ? IdentifyDecision.NoFace : match ? IdentifyDecision.Match : IdentifyDecision.Unknown,
            match ? people[0].Person : null,
            people.Count > 0 ? people[0].Score : null,
            decision.Threshold,
            decision.FalseMatchRate,
            decision.FalsePositiveIdentificationRate,
            calibration?.Data.Name,
            calibration?.Warning,
            decision.Note,
            [.. people.Select(p => new CandidateAnswer(p.Person, p.Score, calibration?.FalseMatchRateAt(p.Score)))],
            recognizer.Model.ContractId,
            face is null ? null : FaceAnswer.Of(face, request.Crops)));
    }
}
