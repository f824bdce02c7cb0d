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

    public static void UseSecurityHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = OwnPages;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()";

        // Faces and names are not for a browser's or a proxy's cache; static files say otherwise for themselves.
        headers.CacheControl = "no-store";
        if (context.Request.Path.StartsWithSegments("/scalar"))
        {
            // The API's reference writes its styles and one script into its page; the script shows a number used once.
            context.Response.OnStarting(() =>
            {
                headers.ContentSecurityPolicy = $"{Policy}script-src 'self' 'nonce-{context.Items[ScalarOptions.NonceHttpContextItemKey]}'; style-src 'self' 'unsafe-inline'";
                return Task.CompletedTask;
            });
        }

        return next(context);
    });
}
