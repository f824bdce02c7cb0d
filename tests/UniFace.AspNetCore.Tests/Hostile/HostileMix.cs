using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.AspNetCore.Tests.Hostile;

/// <summary>
/// Requests made to break a service: damaged bodies and photos, huge bodies, odd headers and names, cut connections. The same seed gives the same requests.
/// </summary>
internal sealed class HostileMix(ServiceProcess server, int seed)
{
    private const int HugeBytes = 20 << 20;

    private static readonly string[] Paths = ["/v1/detect", "/v1/align", "/v1/embed", "/v1/verify", "/v1/identify", "/v1/people"];
    private static readonly string[] MediaTypes =
        ["application/json", "multipart/form-data; boundary=x", "image/png", "text/plain", "application/json; charset=utf-7"];

    private static readonly string[] Names =
    [
        "../../etc/passwd",
        "..\\..\\x",
        "%2e%2e%2f",
        "a\u0000b",
        "\ud83d\ude00",
        "'; DROP TABLE person;--",
        "<script>alert(1)</script>",
        new string('x', 5000),
        "CON",
        "a\r\nX-Injected: 1",
        "\u202e",
        " ",
        "",
    ];

    // The largest allowed number of pixels, in a file of 100 kB.
    private static readonly Lazy<byte[]> Bomb = new(() => ImageEncoder.Png(new RgbImage(5600, 5600)));

    private readonly Random random = new(seed);

    /// <summary>Number of responses by status; 0 if the connection was closed without one.</summary>
    public SortedDictionary<int, int> Statuses { get; } = [];

    /// <summary>Sends a number of requests, one after the other.</summary>
    public async Task SendAsync(int requests)
    {
        for (int i = 0; i < requests; i++)
        {
            int status = random.Next(500) == 0 ? await HugeAsync() : random.Next(8) == 0 ? await RawAsync() : await FormedAsync();
            Statuses[status] = Statuses.GetValueOrDefault(status) + 1;
            Assert.True(status is < 500 or 505, $"request {i} of seed {seed} was answered with {status}"); // 505: an unknown version of HTTP
        }
    }

    /// <summary>Sends the largest allowed photos, so that their memory is part of both measurements.</summary>
    public async Task BombsAsync(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(200, await StatusAsync(BombRequest()));
        }
    }

    private static HttpRequestMessage BombRequest() => new(HttpMethod.Post, "/v1/detect")
    {
        Content = new StringContent($"{{\"photo\":\"{Convert.ToBase64String(Bomb.Value)}\"}}", Encoding.UTF8, "application/json"),
    };

    // A chunked body above the limit, or a highly compressed photo.
    private async Task<int> HugeAsync()
    {
        if (random.Next(2) == 0)
        {
            return await StatusAsync(BombRequest());
        }

        HttpRequestMessage request = new(HttpMethod.Post, "/v1/detect") { Content = new StreamContent(new MemoryStream(new byte[HugeBytes])) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/json");
        request.Headers.TransferEncodingChunked = true;
        try
        {
            return await StatusAsync(request);
        }
        catch (HttpRequestException)
        {
            return 0; // closed while it was still sent
        }
    }

    private async Task<int> FormedAsync()
    {
        string name = Names[random.Next(Names.Length)], path = Paths[random.Next(Paths.Length)];
        byte[] photo = Photo();
        HttpRequestMessage request = random.Next(6) switch
        {
            0 => new(HttpMethod.Post, path)
            {
                Content = Json($"{{\"photo\":\"{Convert.ToBase64String(photo)}\",\"aligned\":{(random.Next(2) == 0 ? "true" : "false")}}}"),
            },
            1 => new(HttpMethod.Post, "/v1/people")
            {
                Content = Json(System.Text.Json.JsonSerializer.Serialize(
                    new { person = name, photos = new[] { photo }, aligned = random.Next(2) == 0, anyQuality = true })),
            },
            2 => new(HttpMethod.Post, path) { Content = Form(photo, name) },
            3 => new(
                random.Next(4) switch { 0 => HttpMethod.Get, 1 => HttpMethod.Delete, 2 => HttpMethod.Put, _ => HttpMethod.Patch },
                $"/v1/people/{Uri.EscapeDataString(name.Length == 0 ? "x" : name)}{(random.Next(3) == 0 ? "/export" : "")}"),
            4 => new(HttpMethod.Get, $"/v1/people?offset={random.Next(-5, 5)}{new string('9', random.Next(12))}&limit={random.Next(-2, 2000)}"),
            _ => new(HttpMethod.Post, path)
            {
                Content = new ByteArrayContent(Noise(random.Next(3000)))
                {
                    Headers = { ContentType = MediaTypeHeaderValue.Parse(MediaTypes[random.Next(MediaTypes.Length)]) },
                },
            },
        };
        return await StatusAsync(request);
    }

    private async Task<int> StatusAsync(HttpRequestMessage message)
    {
        using HttpRequestMessage request = message;
        using HttpResponseMessage answer = await AnswerAsync(request);
        Assert.False(answer.Headers.Contains("X-Injected"));
        await answer.Content.ReadAsByteArrayAsync();
        return (int)answer.StatusCode;
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpRequestMessage request)
    {
        try
        {
            return await server.Client.SendAsync(request);
        }
        catch (HttpRequestException e)
        {
            string body = request.Content is HttpContent content ? $"{content.Headers.ContentType} {content.Headers.ContentLength} bytes" : "no body";
            throw new HttpRequestException($"no answer to {request.Method} {request.RequestUri} ({body}); {server.State}", e);
        }
    }

    // Bytes that HttpClient would not send; 0 if the service closed the connection without a response.
    private async Task<int> RawAsync()
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
            _ => Encoding.Latin1.GetString(Noise(200)) + "\r\n\r\n",
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

    private StringContent Json(string text)
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

    private MultipartFormDataContent Form(byte[] photo, string name)
    {
        MultipartFormDataContent form = [];
        string[] fields = ["photo", "a", "b", "photos", "person", "aligned", "threshold", "candidates", "unknown", "Photo"];
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            string field = fields[random.Next(fields.Length)];
            form.Add(
                random.Next(2) == 0 ? new ByteArrayContent(photo) : new StringContent(
                    random.Next(2) == 0 ? name : random.Next().ToString(System.Globalization.CultureInfo.InvariantCulture)),
                field);
        }

        return form;
    }

    private byte[] Photo()
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
                // The header claims a huge size.
                face[16 + random.Next(8)] = (byte)random.Next(256);
                return face;
            case 3:
                return Noise(random.Next(500));
            case 4:
                return [];
            default:
                return face;
        }
    }

    private byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
