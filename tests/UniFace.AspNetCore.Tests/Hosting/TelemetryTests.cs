using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace UniFace.AspNetCore.Tests.Hosting;

/// <summary>An OpenTelemetry collector receives no name, face or embedding. Not parallel: sets environment variables that other services would read.</summary>
[CollectionDefinition(nameof(TelemetryTests), DisableParallelization = true)]
[Collection(nameof(TelemetryTests))]
public sealed class TelemetryTests
{
    private const string Person = "Zenobia Quillfeather";

    [Fact]
    public async Task Traces_and_metrics_reach_a_collector_and_hold_no_name_face_or_embedding()
    {
        ConcurrentDictionary<string, ConcurrentQueue<byte[]>> received = new();
        await using WebApplication collector = await CollectorAsync(received);
        Dictionary<string, string> variables = new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.First(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_SERVICE_NAME"] = "uniface-at-the-door",
        };
        float[] embedding;
        byte[] face = RunningServer.Face(7);
        try
        {
            foreach ((string name, string value) in variables)
            {
                Environment.SetEnvironmentVariable(name, value);
            }

            await using RunningServer server = await RunningServer.StartAsync();
            await server.EnrollAsync(Person, 7);
            object probe = new { photo = face, aligned = true, threshold = 0.5 };
            Assert.Equal(Person, (await server.PostAsync("/v1/identify", probe, HttpStatusCode.OK)).GetProperty("person").GetString());
            embedding = [.. (await server.PostAsync(
                "/v1/embed",
                new { photo = face, aligned = true },
                HttpStatusCode.OK)).GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle())];

            // Names in paths, in a query, in an unknown path, and in a header that traces contain.
            string path = Uri.EscapeDataString(Person);
            await server.GetAsync($"/v1/people/{path}/export");
            await server.GetAsync($"/v1/people?limit=1&person={path}");
            await server.GetAsync($"/v1/nothing/{path}", HttpStatusCode.NotFound);
            await server.PostAsync("/v1/people", new { person = Person, photos = new[] { new byte[] { 1, 2, 3 } } }, HttpStatusCode.BadRequest);
            using HttpResponseMessage erased = await server.Client.DeleteAsync($"/v1/people/{path}");
            Assert.Equal(HttpStatusCode.NoContent, erased.StatusCode);
        }
        finally
        {
            // The service is closed, so everything has been sent.
            foreach (string name in variables.Keys)
            {
                Environment.SetEnvironmentVariable(name, null);
            }
        }

        byte[] traces = [.. received.GetValueOrDefault("/v1/traces", []).SelectMany(b => b)];
        byte[] metrics = [.. received.GetValueOrDefault("/v1/metrics", []).SelectMany(b => b)];
        foreach (string expected in new[] { "uniface-at-the-door", "POST /v1/identify", "DELETE /v1/people/{person}", "detect", "embed", "embed and search" })
        {
            Assert.True(Holds(traces, Encoding.UTF8.GetBytes(expected)), $"no '{expected}' in {traces.Length} bytes of traces: {Readable(traces)}");
        }

        foreach (string expected in new[] { "uniface-at-the-door", "uniface.embedding.batch", "http.server.request.duration" })
        {
            Assert.True(Holds(metrics, Encoding.UTF8.GetBytes(expected)), $"no '{expected}' in {metrics.Length} bytes of metrics");
        }

        foreach (byte[] sent in new[] { traces, metrics })
        {
            foreach (string secret in new[] { "Zenobia", "Quillfeather", Convert.ToBase64String(face)[..40], JsonSerializer.Serialize(embedding)[1..9] })
            {
                Assert.False(Holds(sent, Encoding.UTF8.GetBytes(secret)), $"'{secret}' is in it: {Readable(sent)}");
            }

            Assert.False(Holds(sent, face.AsSpan(60, 40)), "the photo is in it");
            Assert.False(embedding.Any(v => Holds(sent, Bytes(v)) && v != 0), "the embedding is in it");
        }
    }

    // A minimal collector: receives OTLP over HTTP and keeps the bytes.
    private static async Task<WebApplication> CollectorAsync(ConcurrentDictionary<string, ConcurrentQueue<byte[]>> received)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication collector = builder.Build();
        collector.Run(async context =>
        {
            using MemoryStream body = new();
            await context.Request.Body.CopyToAsync(body);
            received.GetOrAdd(context.Request.Path.Value!, _ => []).Enqueue(body.ToArray());
            Assert.Equal("application/x-protobuf", context.Request.ContentType);
            context.Response.StatusCode = StatusCodes.Status200OK;
        });
        await collector.StartAsync();
        return collector;
    }

    private static byte[] Bytes(float value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        return bytes;
    }

    private static bool Holds(byte[] all, ReadOnlySpan<byte> part) => all.AsSpan().IndexOf(part) >= 0;

    private static string Readable(byte[] bytes) => new([.. bytes.Select(b => b is >= 32 and < 127 ? (char)b : ' ')]);
}
