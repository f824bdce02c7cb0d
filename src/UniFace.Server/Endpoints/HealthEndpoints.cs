using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using UniFace.Server.Recognition;
using UniFace.Server.Security;

namespace UniFace.Server.Endpoints;

/// <summary>
/// /health/live: the process answers. /health/ready: it can do its work, which without a model is the pages only. /health/recognition: it
/// can recognise people.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>What /health/ready says.</summary>
    /// <param name="Status">"ready".</param>
    /// <param name="Recognition">It has a model and its gallery answers; false: pages and the API of losses and runs only.</param>
    /// <param name="Model">Contract id of the model; null where the service runs without one.</param>
    public sealed record Readiness(string Status, bool Recognition, string? Model);

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head]; // probes that only want the status send HEAD

    public static void Map(IEndpointRouteBuilder app)
    {
        RouteGroupBuilder health = app.MapGroup("/health").ExcludeFromDescription();
        health.MapMethods("/live", Reading, () => TypedResults.Text("live"));
        health.MapMethods("/ready", Reading, ReadyAsync);
        health.MapMethods("/recognition", Reading, RecognitionAsync);
    }

    private static async Task<JsonHttpResult<Readiness>> ReadyAsync(Recognizer recognizer, AuditLog audit, ApiKeyStore keys, CancellationToken stop)
    {
        if (!await audit.IsWritableAsync())
        {
            throw new ServerProblemException(StatusCodes.Status503ServiceUnavailable, "the audit log cannot be written; see to the disk of the data folder");
        }

        try
        {
            _ = keys.All();
        }
        catch (UniFaceException)
        {
            throw new ServerProblemException(StatusCodes.Status503ServiceUnavailable, Caller.KeysUnreadable);
        }

        if (recognizer.HasModel)
        {
            await recognizer.Gallery.EnsureUnmovedAsync(stop);
        }

        return TypedResults.Json(new Readiness("ready", recognizer.HasModel, recognizer.HasModel ? recognizer.Model.ContractId : null));
    }

    // Without a model this throws what /v1 answers then: 503, and why.
    private static Task<JsonHttpResult<Readiness>> RecognitionAsync(Recognizer recognizer, AuditLog audit, ApiKeyStore keys, CancellationToken stop)
    {
        _ = recognizer.Model;
        return ReadyAsync(recognizer, audit, keys, stop);
    }
}
