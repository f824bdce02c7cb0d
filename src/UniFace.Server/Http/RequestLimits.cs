using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;

namespace UniFace.Server.Http;

/// <summary>
/// How much at once: so many recognition requests under way (503 beyond), so many requests a second of one address beyond this machine
/// (429 beyond), so long a request. Refusing is quick and says when to come again.
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
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, IPAddress>(context => context.Connection.RemoteIpAddress is IPAddress remote && !IPAddress.IsLoopback(remote)
                ? RateLimitPartition.GetTokenBucketLimiter(NetworkOf(remote), _ => new TokenBucketRateLimiterOptions
                {
                    TokenLimit = 2 * options.RequestsPerSecond,
                    TokensPerPeriod = options.RequestsPerSecond,
                    ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                })
                : RateLimitPartition.GetNoLimiter(IPAddress.Loopback));
            limits.AddPolicy(Recognition, _ => RateLimitPartition.GetConcurrencyLimiter(0, _ => new ConcurrencyLimiterOptions { PermitLimit = options.MaxConcurrentRequests }));
            limits.OnRejected = (rejected, _) => rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait)
                ? RefuseAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests, Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)), "too many requests of one address")
                : RefuseAsync(rejected.HttpContext, StatusCodes.Status503ServiceUnavailable, 1, "too many requests at once");
        });
    }

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
