using System.Diagnostics;
using System.Net;

namespace UniFace.Client;

/// <summary>
/// Sends a request to one of several replicas, and again to the next one where it did not answer or was too busy (429, 502, 503, 504). A request
/// whose answer was lost may so be done twice: of an enrolment that leaves a second template of the same photo, which changes no answer.
/// </summary>
internal sealed class ReplicaHandler(IReadOnlyList<Uri> replicas, TimeSpan patience) : DelegatingHandler(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    private const string EventStream = "text/event-stream";

    private int turn;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        string path = request.RequestUri!.PathAndQuery;
        byte[]? body = request.Content is null ? null : await request.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        for (int tries = 1; ; tries++)
        {
            request.RequestUri = new Uri(replicas[(int)((uint)Volatile.Read(ref turn) % replicas.Count)], path);
            if (body is not null)
            {
                // A content is read once.
                ByteArrayContent content = new(body);
                content.Headers.ContentType = request.Content!.Headers.ContentType;
                request.Content = content;
            }

            TimeSpan wait = Pause;
            try
            {
                HttpResponseMessage answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (answer.Content.Headers.ContentType?.MediaType != EventStream)
                {
                    await WholeAsync(answer, cancellationToken).ConfigureAwait(false); // A replica may end in the middle of its answer.
                }

                if (answer.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout) || Stopwatch.GetElapsedTime(start) > patience)
                {
                    return answer;
                }

                wait = answer.Headers.RetryAfter?.Delta is TimeSpan asked && asked < LongestPause ? asked : Pause;
                answer.Dispose();
            }
            catch (Exception e) when (e is HttpRequestException or IOException && Stopwatch.GetElapsedTime(start) <= patience)
            {
            }

            Interlocked.Increment(ref turn);

            // The next replica is asked at once; all of them again only after a while.
            if (tries % replicas.Count == 0)
            {
                await Task.Delay(wait, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task WholeAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        try
        {
            await answer.Content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }
}
