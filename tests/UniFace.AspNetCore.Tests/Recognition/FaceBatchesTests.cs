using System.Collections.Concurrent;
using UniFace.AspNetCore.Recognition;
using UniFace.Faces;
using UniFace.Gallery;

namespace UniFace.AspNetCore.Tests.Recognition;

/// <summary>All requests share the embedding batches, and a gallery that does not answer holds up only those who search it.</summary>
public sealed class FaceBatchesTests
{
    private static readonly RgbImage Face = new(1, 1);

    [Fact]
    public async Task Faces_of_all_requests_share_an_embedding_batch_and_one_search()
    {
        using ManualResetEventSlim embedding = new(false);
        ConcurrentQueue<int> embedded = [], searched = [];
        await using FaceBatches batches = new(
            faces =>
            {
                embedding.Wait();
                embedded.Enqueue(faces.Count);
                return Embed(faces);
            },
            (probes, candidates) =>
            {
                searched.Enqueue(probes.Count);
                return Task.FromResult(Find(probes, candidates));
            },
            maxBatch: 8);
        Task<float[]> first = batches.EmbedAsync(Face, "", default); // holds the embedder, so that the others wait together
        Task<float[]>[] embeds = [.. Enumerable.Range(0, 3).Select(_ => batches.EmbedAsync(Face, "", default))];
        Task<IReadOnlyList<GalleryCandidate>>[] searches = [.. Enumerable.Range(1, 4).Select(i => batches.SearchAsync(Face, i, "", default))];
        embedding.Set();
        await Task.WhenAll([first, .. embeds]);
        IReadOnlyList<GalleryCandidate>[] found = await Task.WhenAll(searches);
        Assert.Equal([1, 2, 3, 4], found.Select(f => f.Count)); // as many candidates as each asked for
        Assert.Equal(8, embedded.Sum());
        Assert.InRange(embedded.Count, 1, 2);
        Assert.InRange(searched.Count, 1, 3); // the second batch's probes may be searched in two parts if the searcher is awake when they are added
    }

    [Fact]
    public async Task A_gallery_that_does_not_answer_does_not_delay_requests_that_only_embed()
    {
        TaskCompletionSource answers = new();
        await using FaceBatches batches = new(
            Embed,
            async (probes, candidates) =>
            {
                await answers.Task;
                return Find(probes, candidates);
            },
            maxBatch: 2);
        Task<IReadOnlyList<GalleryCandidate>>[] searches = [.. Enumerable.Range(0, 6).Select(_ => batches.SearchAsync(Face, 1, "", default))];
        for (int i = 0; i < 6; i++)
        {
            Assert.Single(await batches.EmbedAsync(Face, "", default).WaitAsync(TimeSpan.FromMinutes(1)));
        }

        Assert.DoesNotContain(searches, s => s.IsCompleted);
        answers.SetResult();
        Assert.All(await Task.WhenAll(searches), found => Assert.Single(found));
    }

    [Fact]
    public async Task A_search_that_fails_fails_its_requests_only()
    {
        await using FaceBatches batches = new(Embed, (_, _) => throw new UniFaceException("the store fails"), maxBatch: 4);
        await Assert.ThrowsAsync<UniFaceException>(() => batches.SearchAsync(Face, 1, "", default));
        Assert.Single(await batches.EmbedAsync(Face, "", default));
    }

    private static IReadOnlyList<float[]> Embed(IReadOnlyList<RgbImage> faces) => [.. faces.Select(_ => new float[] { 1 })];

    private static IReadOnlyList<IReadOnlyList<GalleryCandidate>> Find(IReadOnlyList<float[]> probes, int candidates) =>
        [.. probes.Select(_ => (IReadOnlyList<GalleryCandidate>)[.. Enumerable.Range(0, candidates).Select(i => new GalleryCandidate($"person {i}", 0.5))])];
}
