using System.Data.Common;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using UniFace.Decisions;

namespace UniFace.AspNetCore.Http;

/// <summary>
/// Maps exceptions to problem+json (RFC 9457). Only messages written for the caller are sent. Of an unexpected error, only kind and stack are logged:
/// its message might hold a name.
/// </summary>
internal sealed partial class ProblemWriter(IProblemDetailsService problems, ILogger<ProblemWriter> log) : IExceptionHandler
{
    private const string StoreFails = "the service's store has failed; see the service log";

    private const string Moved = "the gallery was moved to another model, or replaced, while this service ran; restart the service with that model to go on";

    private const string Damaged = "the stored data is damaged; 'uniface gallery verify-integrity' lists the damage";

    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        (int status, string? detail) = exception switch
        {
            ProblemException e => (e.Status, e.Message),
            UniFaceException { InnerException: IOException or UnauthorizedAccessException or DbException } =>
                (Status503ServiceUnavailable, StoreFails),
            GalleryChangedException => (Status503ServiceUnavailable, Moved),
            DamagedRecordException => (Status500InternalServerError, Damaged),
            MissingCalibrationException e => (Status409Conflict, e.Message),
            NotLiveException e => (Status422UnprocessableEntity, e.Message),
            UniFaceException e => (Status400BadRequest, e.Message),
            BadHttpRequestException e => (e.StatusCode, e.Message),
            OperationCanceledException or IOException when context.RequestAborted.IsCancellationRequested => (Status499ClientClosedRequest, null),
            _ => (Status500InternalServerError, (string?)null),
        };
        if (status == Status500InternalServerError || detail == StoreFails)
        {
            LogFailure(log, exception.GetType().Name, exception.InnerException?.GetType().Name, exception.StackTrace);
        }

        ProblemDetails problem = new() { Status = status, Detail = detail };
        if (exception is ProblemException { Faults: IReadOnlyList<string> faults })
        {
            problem.Extensions["faults"] = faults;
        }

        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = status == Status503ServiceUnavailable ? "1" : default;
        context.Response.Headers.WWWAuthenticate = status == Status401Unauthorized ? "Bearer" : default;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = context, ProblemDetails = problem });
    }

    /// <summary>The detail of an answer that routing gave; null for other statuses.</summary>
    public static string? DescribeStatus(HttpResponse response) => response.StatusCode switch
    {
        Status404NotFound => "no such endpoint; /openapi/v1.json lists the endpoints",
        Status405MethodNotAllowed => $"this address does not allow the method; it allows {response.Headers.Allow}",
        Status415UnsupportedMediaType => MultipartFields.ExpectedTypes,
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "a request failed: {Kind} ({Inner}) {Place}")]
    private static partial void LogFailure(ILogger log, string kind, string? inner, string? place);
}
