using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using UniFace.Server.Recognition;
using UniFace.Server.Security;

namespace UniFace.Server.Http;

/// <summary>
/// How much at once: so many recognition requests under way, of which one caller never has all (503 beyond), so many requests a second of one address
/// beyond this machine, or behind a proxy on it of one key (429 beyond), so long a request. Refusing is quick and says when to come again.
/// </summary>
internal static class RequestLimits
{
    /// <summary>Name of the policy of recognition requests.</summary>
    public const string Recognition = "recognition";

    public static void AddRequestLimits(this IServiceCollection services, ServerOptions options)
    {
        services.AddRequestTimeouts(timeouts => timeouts.DefaultPolicy = new RequestTimeoutPolicy { Timeout = options.RequestTimeout, TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable });
        services.AddRateLimiter(limits =>
        {
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => SenderOf(context, options) is string sender
                ? RateLimitPartition.GetTokenBucketLimiter(sender, _ => new TokenBucketRateLimiterOptions
                {
                    TokenLimit = 2 * options.RequestsPerSecond,
                    TokensPerPeriod = options.RequestsPerSecond,
                    ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                })
                : RateLimitPartition.GetNoLimiter(""));
            FairPlaces places = new(options.MaxConcurrentRequests);
            limits.AddPolicy(Recognition, context => RateLimitPartition.Get(CallerOf(context), _ => places.NewCaller()));
            limits.OnRejected = (rejected, _) => rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait)
                ? RefuseAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests, Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)), "too many requests of one address or key")
                : RefuseAsync(rejected.HttpContext, StatusCodes.Status503ServiceUnavailable, 1, "too many requests at once");
        });
    }

    /// <summary>Among whom scarce work is shared: keys, and without a key addresses.</summary>
    public static string CallerOf(HttpContext context) =>
        (context.Features.Get<Caller>()?.Key ?? Caller.KeyOf(context, context.RequestServices.GetRequiredService<ApiKeyStore>())) is ApiKey key
            ? "key:" + key.Id
            : context.Connection.RemoteIpAddress is IPAddress remote ? NetworkOf(remote).ToString()
            : "";

    private static async ValueTask RefuseAsync(HttpContext context, int status, int seconds, string why)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new() { Status = status, Detail = $"{why}; try again in {seconds} s" },
        });
    }

    // Whose requests are counted together; null for those that are not counted.
    private static string? SenderOf(HttpContext context, ServerOptions options)
    {
        if (context.Connection.RemoteIpAddress is IPAddress remote && !IPAddress.IsLoopback(remote))
        {
            return NetworkOf(remote).ToString();
        }

        // A proxy on this machine has one address for all who come through it: a key tells them apart, all without one are one. Probes
        // must not find a healthy service too busy.
        return options.RequireKey && !context.Request.Path.StartsWithSegments("/health")
            ? "key:" + Caller.KeyOf(context, context.RequestServices.GetRequiredService<ApiKeyStore>())?.Id
            : null;
    }

    // An IPv6 customer has a /64.
    private static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        byte[] bytes = address.GetAddressBytes();
        Array.Clear(bytes, bytes.Length == 16 ? 8 : 4, bytes.Length == 16 ? 8 : 0);
        return new IPAddress(bytes);
    }
}
