using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Scalar.AspNetCore;

namespace UniFace.Server.Http;

/// <summary>What every answer tells a browser: run and show only what comes from here, tell nobody, be framed by nobody.</summary>
internal static class SecurityHeaders
{
    private const string Policy =
        "default-src 'none'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; " +
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; ";

    private const string OwnPages = Policy + "script-src 'self'; style-src 'self'";

    // As the answer begins: an answer to a mistake is begun anew, without the headers that were set before.
    public static void UseSecurityHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
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

        // The API's reference writes its styles and one script into its page; the script shows a number used once.
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/scalar")
            ? $"{Policy}script-src 'self' 'nonce-{context.Items[ScalarOptions.NonceHttpContextItemKey]}'; style-src 'self' 'unsafe-inline'"
            : OwnPages;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()";
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = "no-store"; // Faces and names are not for a browser's or a proxy's cache; static files say otherwise for themselves.
        }
    }
}
