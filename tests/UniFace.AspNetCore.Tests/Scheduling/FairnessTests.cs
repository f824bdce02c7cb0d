using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using UniFace.AspNetCore.Scheduling;
using UniFace.AspNetCore.Security;
using UniFace.AspNetCore.Tests.Hostile;

namespace UniFace.AspNetCore.Tests.Scheduling;

/// <summary>However much one caller asks for, another gets an equal share of decoders, batches and places.</summary>
public sealed class FairnessTests
{
    [Fact]
    public void A_caller_with_one_item_goes_before_the_rest_of_a_caller_with_many()
    {
        FairQueue<string> queue = new(100);
        Assert.All(Enumerable.Range(0, 20), i => Assert.True(queue.TryAdd("greedy", 1, $"greedy {i}")));
        Assert.Equal(["greedy 0", "greedy 1"], Take(queue, 2));
        Assert.True(queue.TryAdd("modest", 1, "modest"));
        Assert.Contains("modest", Take(queue, 2));
    }

    [Fact]
    public void Callers_share_by_the_work_not_by_the_number_of_their_photos()
    {
        FairQueue<string> queue = new(1000);
        for (int i = 0; i < 50; i++)
        {
            queue.TryAdd("large", 10, "large");
            queue.TryAdd("small", 1, "small");
        }

        string[] first = Take(queue, 33);
        Assert.InRange(first.Count(f => f == "large"), 3, 4); // 10 units each, like 30 small ones
    }

    [Fact]
    public async Task A_gate_admits_callers_in_turn_and_drops_cancelled_waiters()
    {
        FairGate gate = new(1);
        ConcurrentQueue<string> order = [];
        IDisposable first = await gate.EnterAsync("greedy", 1, default);
        using CancellationTokenSource impatient = new();
        Task given = gate.EnterAsync("greedy", 1, impatient.Token);
        Task[] greedy = [.. Enumerable.Range(0, 5).Select(_ => PassAsync("greedy"))];
        Task modest = PassAsync("modest");
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        first.Dispose();
        await Task.WhenAll([.. greedy, modest]);
        Assert.Contains("modest", order.Take(2));

        async Task PassAsync(string caller)
        {
            using IDisposable place = await gate.EnterAsync(caller, 1, default);
            order.Enqueue(caller);
        }
    }

    [Fact]
    public void One_caller_never_has_every_place()
    {
        FairLimiter places = new(64);
        IDisposable[] held = [.. Enumerable.Range(0, 100).Select(_ => places.TryEnter("greedy")).OfType<IDisposable>()];
        Assert.Equal(48, held.Length);
        Assert.InRange(Enumerable.Range(0, 100).Count(_ => places.TryEnter("second") is not null), 8, 15);
        Assert.All(held, place => place.Dispose());
        Assert.NotNull(places.TryEnter("second"));
    }

    [Fact]
    public async Task A_photo_of_too_much_work_is_refused_before_it_is_decoded()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement refused = await server.PostAsync("/v1/detect", new { photo = ManyScans.Jpeg(8000, 4000, 99) }, HttpStatusCode.BadRequest);
        string detail = refused.GetProperty("detail").GetString()!;
        Assert.StartsWith("photo: 8000x4000 pixels in 99 scans, more work than one photo may take", detail, StringComparison.Ordinal);
        JsonElement small = await server.PostAsync("/v1/detect", new { photo = ManyScans.Jpeg(400, 300, 99) }, HttpStatusCode.OK);
        Assert.Equal((400, 300), (small.GetProperty("width").GetInt32(), small.GetProperty("height").GetInt32()));
    }

    [Fact]
    public async Task One_key_with_many_large_photos_does_not_keep_another_key_waiting()
    {
        // As many photos are decoded at once as there are processors; one key may have 48 requests in progress.
        Assert.SkipWhen(Environment.ProcessorCount > 12, "so many processors decode all photos at once");
        int photos = Math.Clamp(4 * Environment.ProcessorCount, 16, 48);
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequireKey = true, RequestsPerSecond = 1000 });
        ApiKeyStore keys = new(Path.Combine(server.Folder, "data"));
        string greedy = keys.Create("greedy", [Scope.Read]).Secret, modest = keys.Create("modest", [Scope.Read]).Secret;
        object large = new { photo = ManyScans.Jpeg(1500, 1200, 40) }, small = new { photo = RunningServer.Face(1), aligned = true };
        int done = 0, before = photos;

        // Again if this process was held up between two lines.
        for (int attempt = 0; attempt < 5 && before >= photos * 3 / 4; attempt++)
        {
            done = 0;
            Task<HttpStatusCode>[] many = [.. Enumerable.Range(0, photos).Select(_ => LargeAsync())];
            while (Volatile.Read(ref done) < 2)
            {
                await Task.Delay(5);
            }

            Assert.Equal(HttpStatusCode.OK, await PostAsync(modest, "/v1/identify", small));
            before = Volatile.Read(ref done);
            Assert.All(await Task.WhenAll(many), status => Assert.Equal(HttpStatusCode.OK, status));
        }

        Assert.True(before < photos * 3 / 4, $"{before} of the {photos} large photos came first");

        async Task<HttpStatusCode> LargeAsync()
        {
            try
            {
                return await PostAsync(greedy, "/v1/detect", large);
            }
            finally
            {
                Interlocked.Increment(ref done);
            }
        }

        async Task<HttpStatusCode> PostAsync(string key, string path, object body)
        {
            using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using HttpResponseMessage answer = await server.Client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    private static string[] Take(FairQueue<string> queue, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => queue.TryTake(out string? item) ? item : "nothing")];
}
