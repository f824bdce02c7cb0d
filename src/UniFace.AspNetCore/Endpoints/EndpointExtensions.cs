namespace UniFace.AspNetCore.Endpoints;

/// <summary>Requirements of endpoints, and the audit events of their requests.</summary>
internal static class EndpointExtensions
{
    /// <summary>Requires a scope, and counts against the limit of recognition requests in progress.</summary>
    public static RouteHandlerBuilder RequireRecognition(this RouteHandlerBuilder endpoint, Scope scope) =>
        endpoint.RequireScope(scope).WithMetadata(new RecognitionLimit());

    /// <summary>An audit event of this request and its caller.</summary>
    public static AuditEvent Event(
        this HttpContext context, string what, string? person = null, int status = Status200OK, string? detail = null) =>
        new(context.Features.Get<Caller>()?.Name ?? "anonymous", what, person, detail, status);
}
