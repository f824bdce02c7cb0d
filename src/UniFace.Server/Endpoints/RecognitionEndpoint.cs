using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using UniFace.Server.Http;
using UniFace.Server.Security;

namespace UniFace.Server.Endpoints;

/// <summary>What the endpoints around faces share.</summary>
internal static class RecognitionEndpoint
{
    /// <summary>Needs the scope, and counts among the requests of which only so many are under way at once.</summary>
    public static RouteHandlerBuilder Recognises(this RouteHandlerBuilder endpoint, Scope scope) =>
        endpoint.WithMetadata(new RequiredScope(scope)).RequireRateLimiting(RequestLimits.Recognition);

    /// <summary>For the audit log: who makes this request, and what it does.</summary>
    public static AuditEvent Event(this HttpContext context, string what, string? person = null, int status = StatusCodes.Status200OK, string? detail = null) =>
        new(context.Features.Get<Caller>()?.Name ?? "anonymous", what, person, detail, status);
}
