using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Logging;
using UniFace.Decisions;
using UniFace.Gallery;

namespace UniFace.Server.Http;

/// <summary>
/// Turns what a handler throws into problem+json (RFC 9457): the user's own mistakes with their one line, all else without a word of
/// what happened inside. Only the kind and place of an unexpected error are logged: its message might hold a name.
/// </summary>
internal sealed partial class ProblemWriter(IProblemDetailsService problems, ILogger<ProblemWriter> log) : IExceptionHandler
{
    private const string StoreFails = "the store of this service does not answer as it should; its log says more";

    private const string Moved = "the gallery was moved to another model, or replaced, while this service ran; restart the service with that model to go on";

    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        ProblemDetails problem = exception switch
        {
            ServerProblemException e => new() { Status = e.Status, Detail = e.Message },
            UniFaceException { InnerException: IOException or UnauthorizedAccessException or System.Data.Common.DbException } => new() { Status = StatusCodes.Status503ServiceUnavailable, Detail = StoreFails },
            UniFaceException { InnerException: GalleryMovedException } => new() { Status = StatusCodes.Status503ServiceUnavailable, Detail = Moved },
            MissingCalibrationException e => new() { Status = StatusCodes.Status409Conflict, Detail = e.Message },
            UniFaceException e => new() { Status = StatusCodes.Status400BadRequest, Detail = e.Message },
            BadHttpRequestException e => new() { Status = e.StatusCode, Detail = e.Message },
            OperationCanceledException or IOException when context.RequestAborted.IsCancellationRequested => new() { Status = StatusCodes.Status499ClientClosedRequest },
            _ => new() { Status = StatusCodes.Status500InternalServerError },
        };
        if (exception is ServerProblemException { Faults: IReadOnlyList<string> faults })
        {
            problem.Extensions["faults"] = faults;
        }

        if (problem.Status == StatusCodes.Status500InternalServerError || problem.Detail == StoreFails)
        {
            Failed(log, exception.GetType().Name, exception.InnerException?.GetType().Name, exception.StackTrace);
        }

        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        if (problem.Status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        context.Response.StatusCode = problem.Status!.Value;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = context, ProblemDetails = problem });
    }

    /// <summary>The detail of an answer that routing gave, so no handler said what is wrong.</summary>
    public static string? DetailOf(HttpResponse response) => response.StatusCode switch
    {
        StatusCodes.Status404NotFound => "there is nothing at this address; /openapi/v1.json says what there is",
        StatusCodes.Status405MethodNotAllowed => $"this address does not take the method; it takes {response.Headers.Allow}",
        StatusCodes.Status415UnsupportedMediaType => UploadTypes.Expected,
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "a request failed: {Kind} ({Inner}) {Place}")]
    private static partial void Failed(ILogger log, string kind, string? inner, string? place);
}
