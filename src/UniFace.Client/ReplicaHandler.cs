using System.Net;

namespace UniFace.Client;

/// <summary>
/// Sends a request to one of several replicas, and to the next if that one does not answer or is too busy (429, 502, 503, 504). A request whose response was
/// lost may be executed twice. A photo that is enrolled again keeps its template.
/// </summary>
internal sealed class ReplicaHandler(IReadOnlyList<Uri> replicas, TimeSpan patience) : DelegatingHandler(
    new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
{
    private static readonly HttpStatusCode[] Busy =
        [HttpStatusCode.TooManyRequests, HttpStatusCode.BadGateway, HttpStatusCode.ServiceUnavailable, HttpStatusCode.GatewayTimeout];

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100), MaxPause = TimeSpan.FromSeconds(5);

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
                // Content can be sent only once.
                ByteArrayContent content = new(body);
                content.Headers.ContentType = request.Content!.Headers.ContentType;
                request.Content = content;
            }

            TimeSpan wait = Pause;
            try
            {
                HttpResponseMessage answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (answer.Content.Headers.ContentType?.MediaType != "text/event-stream")
                {
                    await BufferAsync(answer, cancellationToken).ConfigureAwait(false); // a replica may fail in the middle of its response
                }

                if (!Busy.Contains(answer.StatusCode) || Stopwatch.GetElapsedTime(start) > patience)
                {
                    return answer;
                }

                wait = answer.Headers.RetryAfter?.Delta is TimeSpan asked && asked < MaxPause ? asked : Pause;
                answer.Dispose();
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException
                && !cancellationToken.IsCancellationRequested && Stopwatch.GetElapsedTime(start) <= patience)
            {
                // An OperationCanceledException here is a connect timeout: the machine of the replica is down.
            }

            Interlocked.Increment(ref turn);

            // The next replica is tried at once; after all have been tried, wait.
            if (tries % replicas.Count == 0)
            {
                await Task.Delay(wait, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task BufferAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
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
