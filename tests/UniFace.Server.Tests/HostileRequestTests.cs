using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace UniFace.Server.Tests;

/// <summary>
/// Requests made to break the service: damaged bodies and pictures, odd headers, paths and names, cut connections. None may make it fail (5xx; 505 answers an unknown version of HTTP), and
/// none may leave a file outside the data folder. A moment in the suite; UNIFACE_HOSTILE_REQUESTS sets how many (tests/hostile.sh).
/// </summary>
public sealed class HostileRequestTests
{
    private static readonly string[] Paths = ["/v1/detect", "/v1/align", "/v1/embed", "/v1/verify", "/v1/identify", "/v1/people"];
    private static readonly string[] Names = ["../../etc/passwd", "..\\..\\x", "%2e%2e%2f", "a\u0000b", "\ud83d\ude00", "'; DROP TABLE person;--", "<script>alert(1)</script>", new string('x', 5000), "CON", "a\r\nX-Injected: 1", "\u202e", " ", ""];

    [Fact]
    public async Task No_request_makes_it_fail_or_write_outside_its_folder()
    {
        int requests = int.TryParse(Environment.GetEnvironmentVariable("UNIFACE_HOSTILE_REQUESTS"), out int asked) ? asked : 400;
        await using RunningServer server = await RunningServer.StartAsync(o => o with { MaxRequestBytes = 1 << 20, RequestTimeout = TimeSpan.FromSeconds(10) });
        string[] before = Outside(server);
        SortedDictionary<int, int> statuses = [];
        Random random = new(20261124);
        for (int i = 0; i < requests; i++)
        {
            int status = random.Next(8) == 0 ? await RawAsync(server, random) : await FormedAsync(server, random);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            Assert.True(status is < 500 or 505, $"request {i} was answered with {status}");
        }

        TestContext.Current.SendDiagnosticMessage("statuses: " + string.Join(", ", statuses.Select(s => $"{s.Key}: {s.Value}")));
        Assert.Equal(before, Outside(server));
        await server.EnrolAsync("Still well", 5);
        Assert.Equal("Still well", (await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(5), aligned = true }, HttpStatusCode.OK)).GetProperty("person").GetString());
        Assert.Null(Security.AuditTrail.Verify(Path.Combine(server.Folder, "data")).Wrong);
    }

    private static string[] Outside(RunningServer server) =>
        [.. Directory.EnumerateFileSystemEntries(server.Folder, "*", SearchOption.AllDirectories).Where(f => !f.StartsWith(Path.Combine(server.Folder, "data") + "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static async Task<int> FormedAsync(RunningServer server, Random random)
    {
        string name = Names[random.Next(Names.Length)], path = Paths[random.Next(Paths.Length)];
        byte[] photo = Photo(random);
        using HttpRequestMessage request = random.Next(6) switch
        {
            0 => new(HttpMethod.Post, path) { Content = Json($"{{\"photo\":\"{Convert.ToBase64String(photo)}\",\"aligned\":{(random.Next(2) == 0 ? "true" : "false")}}}", random) },
            1 => new(HttpMethod.Post, "/v1/people") { Content = Json(System.Text.Json.JsonSerializer.Serialize(new { person = name, photos = new[] { photo }, aligned = random.Next(2) == 0, anyQuality = true }), random) },
            2 => new(HttpMethod.Post, path) { Content = Form(random, photo, name) },
            3 => new(random.Next(4) switch { 0 => HttpMethod.Get, 1 => HttpMethod.Delete, 2 => HttpMethod.Put, _ => HttpMethod.Patch }, $"/v1/people/{Uri.EscapeDataString(name.Length == 0 ? "x" : name)}{(random.Next(3) == 0 ? "/export" : "")}"),
            4 => new(HttpMethod.Get, $"/v1/people?offset={random.Next(-5, 5)}{new string('9', random.Next(12))}&limit={random.Next(-2, 2000)}"),
            _ => new(HttpMethod.Post, path) { Content = new ByteArrayContent(Noise(random, random.Next(3000))) { Headers = { ContentType = MediaTypeHeaderValue.Parse(new[] { "application/json", "multipart/form-data; boundary=x", "image/png", "text/plain", "application/json; charset=utf-7" }[random.Next(5)]) } } },
        };
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        Assert.False(answer.Headers.Contains("X-Injected"));
        await answer.Content.ReadAsByteArrayAsync();
        return (int)answer.StatusCode;
    }

    // Bytes that HttpClient would not send; 0 where the service closed the connection without a word.
    private static async Task<int> RawAsync(RunningServer server, Random random)
    {
        string text = random.Next(8) switch
        {
            0 => "GET / HTTP/9.9\r\n\r\n",
            1 => "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999999999999999\r\n\r\n{}",
            2 => "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n",
            3 => $"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            4 => $"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {new string('b', 40_000)}\r\n\r\n",
            5 => "GET /../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
            6 => "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
            _ => Encoding.Latin1.GetString(Noise(random, 200)) + "\r\n\r\n",
        };
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        try
        {
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
            client.Client.Shutdown(SocketShutdown.Send);
            using StreamReader reader = new(stream, Encoding.Latin1);
            string? line = await reader.ReadLineAsync();
            string rest = await reader.ReadToEndAsync();
            Assert.DoesNotContain("root:", rest, StringComparison.Ordinal);
            return line?.Split(' ') is [_, string status, ..] && int.TryParse(status, out int number) ? number : 0;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return 0;
        }
    }

    private static StringContent Json(string text, Random random)
    {
        // Half of them damaged: cut, or a character changed.
        string body = random.Next(4) switch
        {
            0 => text[..random.Next(text.Length)],
            1 => text.Remove(random.Next(text.Length), 1).Insert(random.Next(text.Length - 1), ((char)random.Next(32, 127)).ToString()),
            _ => text,
        };
        return new StringContent(body, Encoding.UTF8, "application/json");
    }

    private static MultipartFormDataContent Form(Random random, byte[] photo, string name)
    {
        MultipartFormDataContent form = [];
        string[] fields = ["photo", "a", "b", "photos", "person", "aligned", "threshold", "candidates", "unknown", "Photo"];
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            string field = fields[random.Next(fields.Length)];
            form.Add(random.Next(2) == 0 ? new ByteArrayContent(photo) : new StringContent(random.Next(2) == 0 ? name : random.Next().ToString(System.Globalization.CultureInfo.InvariantCulture)), field);
        }

        return form;
    }

    private static byte[] Photo(Random random)
    {
        byte[] face = RunningServer.Face(random.Next(20));
        switch (random.Next(6))
        {
            case 0:
                return face[..random.Next(face.Length)];
            case 1:
                face[random.Next(face.Length)] ^= (byte)random.Next(256);
                return face;
            case 2:
                // The header says that it is huge.
                face[16 + random.Next(8)] = (byte)random.Next(256);
                return face;
            case 3:
                return Noise(random, random.Next(500));
            case 4:
                return [];
            default:
                return face;
        }
    }

    private static byte[] Noise(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
