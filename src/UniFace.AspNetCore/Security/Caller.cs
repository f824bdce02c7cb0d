using System.Net;
using Microsoft.Extensions.Primitives;

namespace UniFace.AspNetCore.Security;

/// <summary>The sender of a request: the holder of a key, a user of this machine, or an unknown client.</summary>
/// <param name="Key">The key, valid or not; null for a request without one.</param>
/// <param name="IsLocal">Sent from this machine to this machine, through no proxy.</param>
internal sealed record Caller(ApiKey? Key, bool IsLocal)
{
    /// <summary>Error message for callers and probes; the log names the file and the fault.</summary>
    public const string KeysUnreadable =
        "keys.json of this service cannot be read, so every API key is refused until it is repaired; see the service log";

    private const int MaxUserLength = 200; // An audit line is short.

    private static readonly string[] ProxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"];

    /// <summary>The user whom the application has authenticated; null in the service, which has keys.</summary>
    public string? User { get; init; }

    /// <summary>The caller's name in the audit log.</summary>
    public string Name =>
        User is not null ? "user:" + User[..Math.Min(User.Length, MaxUserLength)] : Key is not null ? "key:" + Key.Id : IsLocal ? "local" : "anonymous";

    /// <summary>Identifies the sender of a request. The key may be revoked or expired.</summary>
    /// <exception cref="ProblemException">The key is unknown, or keys cannot be read.</exception>
    public static Caller Identify(HttpContext context, ApiKeyStore keys)
    {
        ApiKey? key = FindKey(context, keys);
        return key is not null || ReadKey(context.Request.Headers) is null
            ? new Caller(key, IsLocalRequest(context))
            : throw new ProblemException(Status401Unauthorized, "the API key is not one of this service");
    }

    /// <summary>The key of a request; null if it has none or an unknown one.</summary>
    /// <exception cref="ProblemException">Keys cannot be read.</exception>
    public static ApiKey? FindKey(HttpContext context, ApiKeyStore keys)
    {
        try
        {
            return ReadKey(context.Request.Headers) is string sent ? keys.Find(sent) : null;
        }
        catch (UniFaceException)
        {
            throw new ProblemException(Status503ServiceUnavailable, KeysUnreadable);
        }
    }

    /// <summary>Names the share that the work of an admitted request counts against: its key's, or without a key its network's.</summary>
    public static string GetFairShare(HttpContext context) =>
        context.Features.Get<Caller>() is Caller caller && (caller.Key is not null || caller.User is not null) ? caller.Name
        : context.Connection.RemoteIpAddress is IPAddress remote ? GetNetwork(remote)
        : "";

    /// <summary>The network that counts as one caller: an IPv4 address, or the /64 of an IPv6 address.</summary>
    public static string GetNetwork(IPAddress address)
    {
        byte[] bytes = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
        bytes.AsSpan(Math.Min(bytes.Length, 8)).Clear();
        return new IPAddress(bytes).ToString();
    }

    private static string? ReadKey(IHeaderDictionary headers)
    {
        const string Bearer = "Bearer ";
        string? authorization = headers.Authorization;
        return authorization?.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) == true ? authorization[Bearer.Length..].Trim()
            : headers.TryGetValue("X-API-Key", out StringValues key) ? key.ToString()
            : null;
    }

    // The Host must be this machine too: a page of another site whose name resolves to 127.0.0.1 (DNS rebinding) still sends its own name.
    internal static bool IsLocalRequest(HttpContext context)
    {
        string host = context.Request.Host.Host.Trim('[', ']');
        return context.Connection.RemoteIpAddress is IPAddress remote && IPAddress.IsLoopback(remote)
            && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? to) && IPAddress.IsLoopback(to)))
            && !ProxyHeaders.Any(context.Request.Headers.ContainsKey);
    }
}
