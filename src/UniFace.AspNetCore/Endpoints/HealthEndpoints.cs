namespace UniFace.AspNetCore.Endpoints;

/// <summary>
/// /health/live: the process answers. /health/ready: it can do its work, which without a model is serving pages. /health/recognition: it can recognise
/// people.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>Answer of /health/ready.</summary>
    /// <param name="Status">"ready".</param>
    /// <param name="Recognition">True if a model is loaded and its gallery answers.</param>
    /// <param name="Model">Contract id of the model; null if no model is loaded.</param>
    public sealed record Readiness(string Status, bool Recognition, string? Model);

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head]; // probes that only need the status send HEAD

    public static void Map(IEndpointRouteBuilder app)
    {
        RouteGroupBuilder health = app.MapGroup("/health").ExcludeFromDescription();
        health.MapMethods("/live", Methods, () => TypedResults.Text("live"));
        health.MapMethods("/ready", Methods, ReadyAsync);
        health.MapMethods("/recognition", Methods, (Recognizer _, RecognizerSlot slot, AuditLog audit, ApiKeyStore keys, CancellationToken stop) =>
            ReadyAsync(slot, audit, keys, stop));
    }

    private static async Task<JsonHttpResult<Readiness>> ReadyAsync(RecognizerSlot recognizer, AuditLog audit, ApiKeyStore keys, CancellationToken stop)
    {
        if (!await audit.IsWritableAsync())
        {
            throw new BadHttpRequestException("the audit log cannot be written; check the disk of the data folder", Status503ServiceUnavailable);
        }

        try
        {
            _ = keys.All();
        }
        catch (UniFaceException)
        {
            throw new BadHttpRequestException(Caller.KeysUnreadable, Status503ServiceUnavailable);
        }

        if (recognizer.Loaded is Recognizer loaded)
        {
            await loaded.Gallery.EnsureUnmovedAsync(stop);
        }

        return TypedResults.Json(new Readiness("ready", recognizer.Loaded is not null, recognizer.Loaded?.Model.ContractId));
    }
}
