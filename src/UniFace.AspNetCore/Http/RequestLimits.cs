using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.Timeouts;

namespace UniFace.AspNetCore.Http;

/// <summary>Endpoint metadata: the request counts against the limit of recognition requests in progress.</summary>
internal sealed class RecognitionLimit;

/// <summary>
/// Limits of recognition requests in progress (503 beyond), of requests per second from one remote address or, behind a proxy, from one key (429 beyond),
/// and of the time a request may take. A refusal says when to try again.
/// </summary>
internal static class RequestLimits
{
    public static void AddRequestLimits(this IServiceCollection services, ServerOptions options)
    {
        services.AddRequestTimeouts(timeouts => timeouts.DefaultPolicy =
            new RequestTimeoutPolicy { Timeout = options.RequestTimeout, TimeoutStatusCode = Status503ServiceUnavailable });
        services.AddRateLimiter(limits =>
        {
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => FindSender(context, options) is string sender
                ? RateLimitPartition.GetTokenBucketLimiter(sender, _ => new TokenBucketRateLimiterOptions
                {
                    TokenLimit = 2 * options.RequestsPerSecond,
                    TokensPerPeriod = options.RequestsPerSecond,
                    ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                })
                : RateLimitPartition.GetNoLimiter(""));
            limits.OnRejected = (rejected, _) =>
            {
                rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait);
                int seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
                return new(RefuseAsync(rejected.HttpContext, Status429TooManyRequests, seconds, "too many requests of one address or key"));
            };
        });
    }

    /// <summary>Handles a request, or refuses it if it is a recognition request beyond the limit of those in progress.</summary>
    public static async Task LimitRecognitionAsync(this HttpContext context, RequestDelegate handle)
    {
        bool isLimited = context.GetEndpoint()?.Metadata.GetMetadata<RecognitionLimit>() is not null;
        FairLimiter places = context.RequestServices.GetRequiredService<FairLimiter>();
        using IDisposable? place = isLimited ? places.TryEnter(Caller.GetFairShare(context)) : null;
        await (isLimited && place is null
            ? RefuseAsync(context, Status503ServiceUnavailable, seconds: 1, "too many requests at once")
            : handle(context));
    }

    private static async Task RefuseAsync(HttpContext context, int status, int seconds, string why)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new() { Status = status, Detail = $"{why}; try again in {seconds} s" },
        });
    }

    // The sender whose requests per second are counted; null for no limit.
    private static string? FindSender(HttpContext context, ServerOptions options)
    {
        if (context.Connection.RemoteIpAddress is IPAddress remote && !IPAddress.IsLoopback(remote))
        {
            return Caller.GetNetwork(remote);
        }

        // All clients of a proxy on this machine share its address: they are told apart by key, and those without one count as one.
        // Health probes are not limited.
        return options.RequireKey && !context.Request.Path.StartsWithSegments("/health")
            ? "key:" + Caller.FindKey(context, context.RequestServices.GetRequiredService<ApiKeyStore>())?.Id
            : null;
    }
}
