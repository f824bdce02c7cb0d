using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace UniFace.Server.Security;

/// <summary>Who makes a request: the holder of a key, somebody at this machine, or nobody we know.</summary>
/// <param name="Key">The key, working or not; null for a request without one.</param>
/// <param name="IsLocal">Made at this machine, to this machine, through no proxy.</param>
internal sealed record Caller(ApiKey? Key, bool IsLocal)
{
    /// <summary>What callers and probes are told; where the file is and what is wrong with it stands in the log.</summary>
    public const string KeysUnreadable =
        "keys.json of this service cannot be read, so every API key is refused until it is repaired; the service's log says more";

    private static readonly string[] Forwarding = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"];

    /// <summary>As the audit log names it.</summary>
    public string Name => Key is not null ? "key:" + Key.Id : IsLocal ? "local" : "anonymous";

    /// <summary>Who makes this request; a key that they send may no longer work.</summary>
    /// <exception cref="ServerProblemException">A key is given that is none, or keys cannot be read.</exception>
    public static Caller Of(HttpContext context, ApiKeyStore keys)
    {
        ApiKey? key = KeyOf(context, keys);
        return key is not null || KeyOf(context.Request.Headers) is null
            ? new Caller(key, IsLocalRequest(context))
            : throw new ServerProblemException(StatusCodes.Status401Unauthorized, "the API key is not one of this service");
    }

    /// <summary>The key that a request is sent with; null for none, or one that is not of this service.</summary>
    /// <exception cref="ServerProblemException">Keys cannot be read.</exception>
    public static ApiKey? KeyOf(HttpContext context, ApiKeyStore keys)
    {
        try
        {
            return KeyOf(context.Request.Headers) is string sent ? keys.Find(sent) : null;
        }
        catch (UniFaceException)
        {
            throw new ServerProblemException(StatusCodes.Status503ServiceUnavailable, KeysUnreadable);
        }
    }

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
