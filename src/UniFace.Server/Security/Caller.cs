using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace UniFace.Server.Security;

/// <summary>Who makes a request: the holder of a key, somebody at this machine, or nobody we know.</summary>
/// <param name="Key">The key; null for a request without one.</param>
/// <param name="IsLocal">Made at this machine, to this machine, through no proxy.</param>
internal sealed record Caller(ApiKey? Key, bool IsLocal)
{
    private static readonly string[] Forwarding = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"];

    /// <summary>As the audit log names it.</summary>
    public string Name => Key is not null ? "key:" + Key.Id : IsLocal ? "local" : "anonymous";

    /// <summary>Who makes this request.</summary>
    /// <exception cref="ServerProblemException">A key is given that is none.</exception>
    public static Caller Of(HttpContext context, ApiKeyStore keys)
    {
        bool local = IsLocalRequest(context);
        return KeyOf(context.Request.Headers) is not string sent ? new Caller(null, local)
            : keys.Find(sent) is ApiKey key ? new Caller(key, local)
            : throw new ServerProblemException(StatusCodes.Status401Unauthorized, "the API key is not one of this service, or was revoked");
    }

    /// <summary>The key that a request is sent with; null for none, or one that is not of this service.</summary>
    public static ApiKey? KeyOf(HttpContext context, ApiKeyStore keys) => KeyOf(context.Request.Headers) is string sent ? keys.Find(sent) : null;

    private static string? KeyOf(IHeaderDictionary headers)
    {
        const string Bearer = "Bearer ";
        string? authorization = headers.Authorization;
        return authorization?.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) == true ? authorization[Bearer.Length..].Trim()
            : headers.TryGetValue("X-API-Key", out StringValues key) ? key.ToString()
            : null;
    }

    // The Host must be this machine's too: a page of another site whose name was pointed at 127.0.0.1 (DNS rebinding) still sends its own.
    private static bool IsLocalRequest(HttpContext context)
    {
        string host = context.Request.Host.Host.Trim('[', ']');
        return context.Connection.RemoteIpAddress is IPAddress remote && IPAddress.IsLoopback(remote)
            && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? to) && IPAddress.IsLoopback(to)))
            && !Forwarding.Any(context.Request.Headers.ContainsKey);
    }
}
