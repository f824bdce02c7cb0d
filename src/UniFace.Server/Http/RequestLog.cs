using System.Diagnostics;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using UniFace.Server.Security;

namespace UniFace.Server.Http;

/// <summary>One structured line an API request. It names the route, not the path: that may hold a person's name.</summary>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            await next(context);
        }
        catch (Exception e) when (context.Response.HasStarted)
        {
            // Too late for an error's answer. That somebody went, or never read it and had their time, is nothing to log; of all else, only kind and
            // place: its message might hold a name.
            if (e is not (OperationCanceledException or IOException))
            {
                Broke(log, e.GetType().Name, e.StackTrace);
            }

            context.Abort();
        }

        // Of a request that failed only the handler of exceptions still knows the endpoint.
        if ((context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint) is RouteEndpoint { RoutePattern.RawText: string route } && route.Contains("v1", StringComparison.Ordinal))
        {
            Answered(log, context.Request.Method, route, context.Response.StatusCode, (int)Stopwatch.GetElapsedTime(start).TotalMilliseconds, context.Features.Get<Caller>()?.Name ?? "anonymous", Activity.Current?.TraceId.ToString());
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "an answer broke off: {Kind} {Place}")]
    private static partial void Broke(ILogger log, string kind, string? place);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Route} {Status} {Milliseconds} ms {Caller} {TraceId}")]
    private static partial void Answered(ILogger log, string method, string route, int status, int milliseconds, string caller, string? traceId);
}
