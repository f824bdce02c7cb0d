using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace UniFace.AspNetCore.Tests.Hostile;

/// <summary>Clients that hold a connection without sending or reading: the service must close it.</summary>
internal static class SlowClients
{
    // How long the service may keep one: its own limits are 5 s for what falls below the rate, 10 s for headers, 30 s for all. In half seconds and
    // counted, not timed: a busy machine that stops for a while stops both sides.
    private const int MostHalfSeconds = 180;

    /// <summary>Runs a number of clients of each kind at once.</summary>
    /// <returns>Per kind, the status lines and the seconds until the service closed the last connection.</returns>
    public static async Task<IReadOnlyList<string>> RunAsync(int port, int each)
    {
        (string Kind, Func<int, Task<string>> Act)[] kinds =
        [
            ("headers that never end", HeadersAsync),
            ("a body of two bytes a second", BodyAsync),
            ("chunks of a byte", ChunksAsync),
            ("a body that stops", StoppedAsync),
            ("answers that nobody reads", UnreadAsync),
            ("a request and a closed half", p => HalfClosedAsync(p, whole: true)),
            ("half a request and a closed half", p => HalfClosedAsync(p, whole: false)),
            ("a connection that says nothing", SilentAsync),
        ];
        return await Task.WhenAll(kinds.Select(async kind =>
        {
            Stopwatch watch = Stopwatch.StartNew();
            string[] ends = await Task.WhenAll(Enumerable.Range(0, each).Select(_ => kind.Act(port)));
            return $"{kind.Kind}: {string.Join(", ", ends.GroupBy(e => e).Select(g => $"{g.Count()} {g.Key}"))} in {watch.Elapsed.TotalSeconds:0.0} s";
        }));
    }

    private static Task<string> HeadersAsync(int port) => DripAsync(port, "GET /v1/gallery HTTP/1.1\r\nHost: localhost\r\n", i => $"X-{i}: y\r\n");

    private static Task<string> BodyAsync(int port) =>
        DripAsync(port, "POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", _ => " ");

    private static Task<string> StoppedAsync(int port) =>
        DripAsync(port, "POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", _ => "");

    private static Task<string> ChunksAsync(int port) =>
        DripAsync(
            port,
            "POST /v1/people HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            _ => "1\r\n \r\n");

    // Sends a piece every half second until the service answers or closes.
    private static async Task<string> DripAsync(int port, string start, Func<int, string> piece)
    {
        using TcpClient client = await ConnectAsync(port);
        NetworkStream stream = client.GetStream();
        using StreamReader reader = new(stream, Encoding.Latin1);
        Task<string?> first = reader.ReadLineAsync();
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(start));
            for (int i = 0; !first.IsCompleted; i++)
            {
                Assert.True(i < MostHalfSeconds, $"after {i} pieces the service still waits for the end of {start.Split('\r')[0]}");
                await Task.WhenAny(first, Task.Delay(500));
                await stream.WriteAsync(Encoding.ASCII.GetBytes(piece(i)));
            }

            return Status(await first);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return first.IsCompletedSuccessfully ? Status(await first) : "closed";
        }
    }

    // Requests large responses and never reads one, until the service closes the connection.
    private static async Task<string> UnreadAsync(int port)
    {
        using TcpClient client = new() { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, port);
        NetworkStream stream = client.GetStream();
        byte[] request = Encoding.ASCII.GetBytes("GET /openapi/v1.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
        try
        {
            for (int stuck = 0; ;)
            {
                Assert.True(stuck < MostHalfSeconds, $"after {stuck} half seconds the service still waits for somebody to read its answers");
                using CancellationTokenSource moment = new(TimeSpan.FromMilliseconds(500));
                try
                {
                    await stream.WriteAsync(request, moment.Token);
                }
                catch (OperationCanceledException)
                {
                    stuck++; // it takes no more, as it should
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return "closed";
        }
    }

    private static async Task<string> HalfClosedAsync(int port, bool whole)
    {
        string body = $"{{\"photo\":\"{Convert.ToBase64String(RunningServer.Face(5))}\",\"aligned\":true}}";
        using TcpClient client = await ConnectAsync(port);
        NetworkStream stream = client.GetStream();
        string headers = $"POST /v1/identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(headers + (whole ? body : body[..100])));
        client.Client.Shutdown(SocketShutdown.Send);
        using StreamReader reader = new(stream, Encoding.Latin1);
        try
        {
            string text = await reader.ReadToEndAsync(); // to the end: the service closes the other half
            return Status(text.Split('\r')[0]);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return "closed";
        }
    }

    // Within the time in which a browser's idle connection is kept, so the client closes first, without sending.
    private static async Task<string> SilentAsync(int port)
    {
        using TcpClient client = await ConnectAsync(port);
        client.LingerState = new LingerOption(true, 0);
        await Task.Delay(8000);
        return "left";
    }

    private static async Task<TcpClient> ConnectAsync(int port)
    {
        TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    private static string Status(string? line) => line?.Split(' ') is [_, string status, ..] ? status : "closed";
}
