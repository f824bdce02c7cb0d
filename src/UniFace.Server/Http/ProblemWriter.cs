using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;

namespace UniFace.Server.Http;

/// <summary>
/// Turns what a handler throws into problem+json (RFC 9457): the user's own mistakes with their one line, all else without a word of
/// what happened inside. Only the kind and place of an unexpected error are logged: its message might hold a name.
/// </summary>
internal sealed partial class ProblemWriter(IProblemDetailsService problems, ILogger<ProblemWriter> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        (int status, string? detail) = exception switch
        {
            UniFaceException { InnerException: IOException or UnauthorizedAccessException or System.Data.Common.DbException } => (StatusCodes.Status503ServiceUnavailable, "the store of this service does not answer as it should; its log says more"),
            UniFaceException e => (StatusCodes.Status400BadRequest, e.Message),
            NotServedException e => (StatusCodes.Status503ServiceUnavailable, e.Message),
            BadHttpRequestException e => (e.StatusCode, e.Message),
            OperationCanceledException when context.RequestAborted.IsCancellationRequested => (StatusCodes.Status499ClientClosedRequest, null),
            _ => (StatusCodes.Status500InternalServerError, null),
        };
        if (status == StatusCodes.Status500InternalServerError || exception is UniFaceException { InnerException: not null } && status == StatusCodes.Status503ServiceUnavailable)
        {
            Failed(log, exception.GetType().Name, exception.InnerException?.GetType().Name, exception.StackTrace);
        }

        context.Response.StatusCode = status;
        return await problems.TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new ProblemDetails { Status = status, Detail = detail },
        });
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "a request failed: {Kind} ({Inner}) {Place}")]
    private static partial void Failed(ILogger log, string kind, string? inner, string? place);
}
