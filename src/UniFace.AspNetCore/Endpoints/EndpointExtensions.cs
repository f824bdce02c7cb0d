namespace UniFace.AspNetCore.Endpoints;

/// <summary>Requirements of endpoints and of their requests, and the audit events of requests.</summary>
internal static class EndpointExtensions
{
    /// <summary>Requires a scope, and counts against the limit of recognition requests in progress.</summary>
    public static RouteHandlerBuilder RequireRecognition(this RouteHandlerBuilder endpoint, Scope scope) =>
        endpoint.RequireScope(scope).WithMetadata(new RecognitionLimit());

    /// <summary>The photo in a field of the request.</summary>
    /// <exception cref="UniFaceException">It is missing.</exception>
    public static byte[] RequirePhoto(byte[]? photo, string name) => photo is { Length: > 0 }
        ? photo
        : throw new UniFaceException($"the field {name} is missing or empty: expected a photo as {ImageFormat.ExpectedUntrusted}");

    /// <summary>The main face of the photo in a field of the request.</summary>
    /// <exception cref="ProblemException">It shows no face.</exception>
    public static async Task<AlignedFace> RequireMainFaceAsync(
        this Recognizer recognizer, byte[]? photo, string name, bool aligned, string caller, CancellationToken stop) =>
        await recognizer.FindMainFaceAsync(RequirePhoto(photo, name), name, aligned, caller, stop)
            ?? throw new ProblemException(Status422UnprocessableEntity, $"no face was found on the photo in the field {name}; give a photo that shows a face");

    /// <summary>An audit event of this request and its caller.</summary>
    public static AuditEvent Event(
        this HttpContext context, string what, string? person = null, int status = Status200OK, string? detail = null) =>
        new(context.Features.Get<Caller>()?.Name ?? "anonymous", what, person, detail, status);
}
