using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using UniFace.AspNetCore.Http;
using UniFace.AspNetCore.Recognition;
using UniFace.AspNetCore.Security;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Vision.Imaging;

namespace UniFace.AspNetCore.Tests.Http;

/// <summary>Overload, large bodies, slow senders and many requests are refused without harm to other callers.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Overload_is_refused_at_once_with_retry_after_and_ends()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { MaxConcurrentRequests = 1 });

        // The stalled sender holds the only place. If our own request held it, the sender was refused and sends again.
        TcpClient slow = await StoppedSenderAsync(server);
        HttpResponseMessage answer = await server.PostAsync("/v1/detect", new { photo = RunningServer.Face(1), aligned = true });
        for (int tries = 0; answer.StatusCode == HttpStatusCode.OK && tries < 6000; tries++)
        {
            await Task.Delay(20);
            if (slow.Available > 0)
            {
                slow.Dispose();
                slow = await StoppedSenderAsync(server);
                await Task.Delay(20);
            }

            answer = await server.PostAsync("/v1/detect", new { photo = RunningServer.Face(1), aligned = true });
        }

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (answer.StatusCode, answer.Headers.RetryAfter?.ToString()));
        slow.Dispose();
        for (int tries = 0; answer.StatusCode != HttpStatusCode.OK && tries < 6000; tries++)
        {
            await Task.Delay(20);
            answer = await server.PostAsync("/v1/detect", new { photo = RunningServer.Face(1), aligned = true });
        }

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Large_requests_and_images_are_refused_before_memory_is_allocated()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { MaxRequestBytes = 200_000, MaxPixels = 10_000 });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await server.PostAsync("/v1/detect", new { photo = new byte[300_000] })).StatusCode);
        object large = new { photo = ImageEncoder.Png(new RgbImage(200, 100)) };
        JsonElement refused = await server.PostAsync("/v1/detect", large, HttpStatusCode.BadRequest);
        Assert.Contains("200x100", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json", " 413 ")]
    [InlineData("text/plain", " 415 ")] // refused before it is read
    public async Task A_chunked_body_that_is_too_large_is_refused_with_connection_close(string type, string status)
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { MaxRequestBytes = 100_000 });
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        NetworkStream stream = client.GetStream();
        string chunk = $"{50_000:x}\r\n{new string(' ', 50_000)}\r\n";
        string start = $"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n";
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(start + chunk + chunk + chunk));
        }
        catch (IOException)
        {
            // Answered and closed before all of it was sent.
        }

        using StreamReader reader = new(stream);
        Assert.Contains(status, await reader.ReadLineAsync(), StringComparison.Ordinal);
        List<string> headers = [];
        for (string? line = await reader.ReadLineAsync(); line is { Length: > 0 }; line = await reader.ReadLineAsync())
        {
            headers.Add(line);
        }

        Assert.Contains("Connection: close", headers);
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_aborted()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequestTimeout = TimeSpan.FromMilliseconds(300) });
        using TcpClient slow = await StoppedSenderAsync(server);
        using StreamReader reader = new(slow.GetStream());
        Assert.Contains(" 503 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behind_a_proxy_on_this_machine_each_key_has_a_rate_of_its_own()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequireKey = true, RequestsPerSecond = 1 });
        ApiKeyStore keys = new(Path.Combine(server.Folder, "data"));
        string busy = keys.Create("busy", [Scope.Read]).Secret, quiet = keys.Create("quiet", [Scope.Read]).Secret;
        HttpStatusCode[] many = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => StatusAsync(busy)));
        Assert.Contains(HttpStatusCode.OK, many);
        Assert.Contains(HttpStatusCode.TooManyRequests, many);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(quiet));

        // Invalid keys share one rate; health probes have none.
        Assert.Contains(HttpStatusCode.TooManyRequests, await Task.WhenAll(Enumerable.Range(0, 60).Select(i => StatusAsync("ufk_" + i))));
        foreach (int _ in Enumerable.Range(0, 10))
        {
            await server.GetAsync("/health/ready");
        }

        async Task<HttpStatusCode> StatusAsync(string key)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, "/v1/people");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using HttpResponseMessage answer = await server.Client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task An_export_may_take_longer_than_other_requests()
    {
        await using RunningServer server = await RunningServer.StartAsync(
            o => o with { RequestTimeout = TimeSpan.FromMilliseconds(1), MaxConcurrentRequests = 1 });
        StoredGallery gallery = server.Services.GetRequiredService<RecognizerSlot>().Loaded!.Gallery;
        float[] embedding = new float[gallery.Info.EmbeddingSize];
        embedding[0] = 1;
        await gallery.EnrollAsync(
            [.. Enumerable.Range(0, 1000).Select(i => new Enrollment($"person {i}", embedding, ReadOnlyMemory<byte>.Empty, "test"))],
            gallery.Info.ContractId,
            default);
        Assert.Equal(1000, (await server.GetAsync("/v1/gallery/export")).GetArrayLength());

        // It is not counted against the recognition limit.
        Endpoint export = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.Single(
            e => e.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName == "exportGallery");
        Assert.Null(export.Metadata.GetMetadata<RecognitionLimit>());
    }

    private static async Task<TcpClient> StoppedSenderAsync(RunningServer server)
    {
        TcpClient slow = new();
        await slow.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        await slow.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes("POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"));
        return slow;
    }
}
