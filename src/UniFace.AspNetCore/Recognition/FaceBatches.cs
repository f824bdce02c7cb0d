namespace UniFace.AspNetCore.Recognition;

/// <summary>
/// Embeds the faces of all requests in shared batches, and searches the gallery in batches of its own: a gallery that does not answer holds up only
/// those who search. The faces of one embedding batch are searched together; searched as their requests continue, they would go one by one.
/// </summary>
internal sealed class FaceBatches : IAsyncDisposable
{
    private const int MaxWaiting = 512;

    private readonly MicroBatcher<Face, Embedded> embeddings;
    private readonly MicroBatcher<Probe, IReadOnlyList<GalleryCandidate>> searches;

    /// <summary>Starts both batchers.</summary>
    /// <param name="embed">The embedding of each face.</param>
    /// <param name="search">The most similar people of each embedding, as many as given.</param>
    /// <param name="maxBatch">Largest batch.</param>
    public FaceBatches(
        Func<IReadOnlyList<RgbImage>, IReadOnlyList<float[]>> embed,
        Func<IReadOnlyList<float[]>, int, Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>>> search,
        int maxBatch)
    {
        searches = new(probes => SearchAsync(search, probes), maxBatch, MaxWaiting);
        embeddings = new(faces => Task.FromResult<IReadOnlyList<Embedded>>(Embed(embed, faces)), maxBatch, MaxWaiting);
    }

    /// <summary>The embedding of a face, [D].</summary>
    public async Task<float[]> EmbedAsync(RgbImage face, string caller, CancellationToken stop) =>
        (await embeddings.RunAsync(new Face(face, 0, caller, stop), caller, stop)).Embedding;

    /// <summary>The people most similar to a face, best first.</summary>
    public async Task<IReadOnlyList<GalleryCandidate>> SearchAsync(RgbImage face, int candidates, string caller, CancellationToken stop) =>
        await (await embeddings.RunAsync(new Face(face, candidates, caller, stop), caller, stop)).Search!;

    /// <summary>The people most similar to an embedding, best first.</summary>
    public Task<IReadOnlyList<GalleryCandidate>> SearchAsync(float[] embedding, int candidates, string caller, CancellationToken stop) =>
        searches.RunAsync(new Probe(embedding, candidates), caller, stop);

    public async ValueTask DisposeAsync()
    {
        await embeddings.DisposeAsync(); // first: it adds searches
        await searches.DisposeAsync();
    }

    private Embedded[] Embed(Func<IReadOnlyList<RgbImage>, IReadOnlyList<float[]>> embed, IReadOnlyList<Face> faces)
    {
        Embedded[] all = [.. embed([.. faces.Select(f => f.Image)]).Select(e => new Embedded(e, null))];
        int[] searched = [.. Enumerable.Range(0, all.Length).Where(i => faces[i].Candidates > 0)];
        Task<IReadOnlyList<GalleryCandidate>>[] found = searches.RunAsync(
            [.. searched.Select(i => (new Probe(all[i].Embedding, faces[i].Candidates), faces[i].Caller, faces[i].Stop))]);
        for (int i = 0; i < found.Length; i++)
        {
            all[searched[i]] = all[searched[i]] with { Search = found[i] };
        }

        return all;
    }

    private static async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(
        Func<IReadOnlyList<float[]>, int, Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>>> search, IReadOnlyList<Probe> probes)
    {
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await search([.. probes.Select(p => p.Embedding)], probes.Max(p => p.Candidates));
        return [.. probes.Zip(found, (probe, people) => (IReadOnlyList<GalleryCandidate>)[.. people.Take(probe.Candidates)])];
    }

    private sealed record Face(RgbImage Image, int Candidates, string Caller, CancellationToken Stop);

    private sealed record Embedded(float[] Embedding, Task<IReadOnlyList<GalleryCandidate>>? Search);

    private sealed record Probe(float[] Embedding, int Candidates);
}
