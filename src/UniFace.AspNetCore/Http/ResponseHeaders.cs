using Scalar.AspNetCore;

namespace UniFace.AspNetCore.Http;

/// <summary>
/// Headers of every response. Security: only content of this origin runs or is shown, no referrer is sent, framing is forbidden. "Connection: close" when a
/// chunked body is refused: Kestrel closes the connection if the rest is too large, and without the header the client would send its next request into it.
/// </summary>
internal static class ResponseHeaders
{
    private const string Policy =
        "default-src 'none'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; " +
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; ";

    private const string OwnPages = Policy + "script-src 'self'; style-src 'self'";

    // Set when the response starts: an error response discards headers set earlier.
    public static void UseResponseHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        context.Response.OnStarting(() =>
        {
            Set(context);
            return Task.CompletedTask;
        });
        return next(context);
    });

    private static void Set(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;

        // The API reference has inline styles, and one inline script with a nonce.
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/scalar")
            ? $"{Policy}script-src 'self' 'nonce-{context.Items[ScalarOptions.NonceHttpContextItemKey]}'; style-src 'self' 'unsafe-inline'"
            : OwnPages;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()";
        if (context.Request.Headers.TransferEncoding.Count > 0 && context.Response.StatusCode >= Status400BadRequest)
        {
            headers.Connection = "close";
        }

        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = "no-store"; // faces and names must not be cached; static files set their own
        }
    }
}
