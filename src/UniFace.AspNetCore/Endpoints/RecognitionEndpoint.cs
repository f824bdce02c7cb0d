namespace UniFace.AspNetCore.Endpoints;

/// <summary>What the recognition endpoints share.</summary>
internal static class RecognitionEndpoint
{
    /// <summary>Requires a scope, and counts against the limit of recognition requests in progress.</summary>
    public static RouteHandlerBuilder Recognises(this RouteHandlerBuilder endpoint, Scope scope) =>
        endpoint.WithMetadata(new RequiredScope(scope), new RecognitionLimit());

    /// <summary>An audit event of this request and its caller.</summary>
    public static AuditEvent Event(
        this HttpContext context, string what, string? person = null, int status = Status200OK, string? detail = null) =>
        new(context.Features.Get<Caller>()?.Name ?? "anonymous", what, person, detail, status);
}
