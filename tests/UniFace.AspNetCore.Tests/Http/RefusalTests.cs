using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UniFace.AspNetCore.Audit;

namespace UniFace.AspNetCore.Tests.Http;

/// <summary>Error responses carry the security headers, and are logged without names.</summary>
public sealed class RefusalTests
{
    [Fact]
    public async Task An_error_response_has_the_headers_of_every_response()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage good = await server.Client.GetAsync("/v1/people");
        Dictionary<string, string> expected = Guards(good);
        Assert.Equal(6, expected.Count);
        Assert.Equal("no-store", good.Headers.CacheControl?.ToString());

        using HttpResponseMessage nobody = await server.Client.GetAsync("/v1/people/Nobody"), nowhere = await server.Client.GetAsync("/v1/nothing");
        using HttpResponseMessage wrong = await server.PostAsync("/v1/detect", new { photo = new byte[] { 1 } });
        using HttpResponseMessage unknown = await WithKeyAsync(server, "ufk_0_0");
        foreach ((HttpResponseMessage answer, HttpStatusCode status) in new[]
        {
            (nobody, HttpStatusCode.NotFound),
            (nowhere, HttpStatusCode.NotFound),
            (wrong, HttpStatusCode.BadRequest),
            (unknown, HttpStatusCode.Unauthorized),
        })
        {
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal(expected, Guards(answer));
            Assert.True(answer.Headers.CacheControl?.NoStore);
        }

        Assert.Equal("Bearer", unknown.Headers.WwwAuthenticate.ToString());
        using HttpResponseMessage page = await server.Client.GetAsync("/css/style.css");
        Assert.Equal((true, false), (page.Headers.CacheControl?.NoCache, page.Headers.CacheControl?.NoStore));
    }

    [Fact]
    public async Task A_failed_request_is_logged_without_names()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using Lines lines = new();
        server.Services.GetRequiredService<ILoggerFactory>().AddProvider(lines);
        await server.GetAsync("/v1/people/Ann-of-the-lines", HttpStatusCode.NotFound);
        using HttpResponseMessage refused = await WithKeyAsync(server, "ufk_0_0");

        // A line is written after its response was sent.
        for (int tries = 0; lines.Written.Count(l => l.StartsWith("GET ", StringComparison.Ordinal)) < 2 && tries < 6000; tries++)
        {
            await Task.Delay(20);
        }

        Assert.Contains(
            lines.Written,
            l => l.StartsWith("GET /v1/people/{person} 404 ", StringComparison.Ordinal) && l.Contains(" local ", StringComparison.Ordinal));
        Assert.Contains(
            lines.Written,
            l => l.StartsWith("GET /v1/people/ 401 ", StringComparison.Ordinal) && l.Contains(" anonymous ", StringComparison.Ordinal));
        Assert.DoesNotContain(lines.Written, l => l.Contains("Ann", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Log_metric_and_health_report_an_unwritable_audit_log()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using Lines lines = new();
        server.Services.GetRequiredService<ILoggerFactory>().AddProvider(lines);
        await server.EnrollAsync("Ann", 1);
        await server.GetAsync("/health/ready");

        // A folder in place of the log: even root cannot write to it.
        string log = Path.Combine(server.Folder, "data", "audit.jsonl");
        File.Move(log, log + ".aside");
        Directory.CreateDirectory(log);
        object probe = new { photo = RunningServer.Face(1), aligned = true };
        await server.PostAsync("/v1/identify", probe, HttpStatusCode.OK);
        HttpResponseMessage ready = await server.Client.GetAsync("/health/ready");
        for (int tries = 0; ready.StatusCode == HttpStatusCode.OK && tries < 6000; tries++)
        {
            await Task.Delay(20);
            ready = await server.Client.GetAsync("/health/ready");
        }

        Assert.Contains(
            "audit log",
            (await RunningServer.ReadAsync(ready, HttpStatusCode.ServiceUnavailable)).GetProperty("detail").GetString(),
            StringComparison.Ordinal);
        await server.GetAsync("/health/recognition", HttpStatusCode.ServiceUnavailable);
        Assert.Single(lines.Written, l => l.Contains("audit log cannot be written", StringComparison.Ordinal));
        Assert.Contains("uniface_audit_lost", await server.Client.GetStringAsync("/metrics"), StringComparison.Ordinal);

        Directory.Delete(log);
        File.Move(log + ".aside", log);
        await server.GetAsync("/health/ready");
        await server.PostAsync("/v1/verify", new { a = RunningServer.Face(1), b = RunningServer.Face(1), aligned = true }, HttpStatusCode.OK);
        await server.EnrollAsync("Bob", 2);
        Assert.Equal(
            (6L, (string?)null),
            (AuditTrail.Verify(Path.Combine(server.Folder, "data")).Lines, AuditTrail.Verify(Path.Combine(server.Folder, "data")).Fault));
    }

    private static Dictionary<string, string> Guards(HttpResponseMessage answer) => answer.Headers
        .Where(
            h => h.Key is "Content-Security-Policy" or "X-Content-Type-Options" or "Referrer-Policy" or "Permissions-Policy"
                || h.Key.StartsWith("Cross-Origin", StringComparison.Ordinal))
        .ToDictionary(h => h.Key, h => string.Join('\n', h.Value));

    private static async Task<HttpResponseMessage> WithKeyAsync(RunningServer server, string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/people");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await server.Client.SendAsync(request);
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Written { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
