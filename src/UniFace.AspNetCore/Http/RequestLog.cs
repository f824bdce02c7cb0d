using Microsoft.AspNetCore.Diagnostics;

namespace UniFace.AspNetCore.Http;

/// <summary>Logs one structured line per API request. It has the route instead of the path, which may hold a person's name.</summary>
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
            // Too late for an error response. Disconnects and timeouts are not logged; of other errors only kind and stack: a message might hold a name.
            if (e is not (OperationCanceledException or IOException))
            {
                LogBrokenResponse(log, e.GetType().Name, e.StackTrace);
            }

            context.Abort();
        }

        // After a failed request, only the exception handler's feature still has the endpoint.
        if ((context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint) is RouteEndpoint { RoutePattern.RawText: string route }
            && RequiredScope.IsApi(route))
        {
            LogRequest(
                log,
                context.Request.Method,
                route,
                context.Response.StatusCode,
                (int)Stopwatch.GetElapsedTime(start).TotalMilliseconds,
                context.Features.Get<Caller>()?.Name ?? "anonymous",
                Activity.Current?.TraceId.ToString());
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "a response broke off: {Kind} {Place}")]
    private static partial void LogBrokenResponse(ILogger log, string kind, string? place);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Route} {Status} {Milliseconds} ms {Caller} {TraceId}")]
    private static partial void LogRequest(ILogger log, string method, string route, int status, int milliseconds, string caller, string? traceId);
}
