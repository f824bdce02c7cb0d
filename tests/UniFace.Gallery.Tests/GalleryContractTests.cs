using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests;

/// <summary>Every gallery answers as an exhaustive search does, and keeps whole batches or nothing, whatever its store.</summary>
public abstract class GalleryContractTests
{
    protected const string Contract = "contract-a";

    /// <summary>Creates a gallery; returns its location.</summary>
    protected abstract Task<string> CreateAsync(PersonScore scoring = PersonScore.Best, bool crops = false, int size = 8);

    /// <summary>Opens a gallery.</summary>
    private protected abstract Task<ITemplateGallery> OpenGalleryAsync(string gallery);

    [Theory]
    [InlineData(8)]
    [InlineData(100)]
    public Task Searches_equal_brute_force_including_ties(int size) => PeopleFoundAsync(PersonScore.Best, size);

    /// <summary>Enrolls, removes, searches, and compares with brute force.</summary>
    protected async Task PeopleFoundAsync(PersonScore scoring, int size)
    {
        await using ITemplateGallery gallery = await OpenGalleryAsync(await CreateAsync(scoring, size: size));
        float[][] vectors = Rows.Hard(600, size, 1), probes = [.. Rows.Hard(12, size, 2), .. vectors[..12]];
        List<Enrollment> enrolled = [.. vectors.Select((v, i) => new Enrollment($"person {i * 7 % 90}", v))];

        // More copies of one face than a search requests: of different people, and of one person.
        enrolled.AddRange(Enumerable.Range(0, 150).Select(i => new Enrollment(i % 2 == 0 ? $"copy {i}" : "copies", vectors[0])));
        IReadOnlyList<long> ids = [.. await gallery.EnrollAsync(enrolled[..300], Contract), .. await gallery.EnrollAsync(enrolled[300..], Contract)];
        Assert.Equal(ids.Order().Distinct(), ids);
        foreach (string removed in new[] { "person 3", "copy 20" })
        {
            Assert.True(await gallery.RemoveAsync(removed));
            Assert.False(await gallery.RemoveAsync(removed));
            enrolled.RemoveAll(e => e.Person == removed);
        }

        List<(string Person, float[][] Templates)> people =
            [.. enrolled.GroupBy(e => e.Person).Select(g => (g.Key, g.Select(e => e.Embedding.ToArray()).ToArray()))];
        Assert.Equal(people.Select(p => new GalleryPerson(p.Person, p.Templates.Length)), await gallery.ListAsync().ToListAsync());
        Assert.Equal(new GalleryCounts(people.Count, enrolled.Count), await gallery.CountAsync());
        foreach (int k in new[] { 1, 5, 200 })
        {
            IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await gallery.SearchAsync(probes.SelectMany(p => p).ToArray(), Contract, k);
            Assert.Equal(probes.Length, found.Count);
            for (int p = 0; p < probes.Length; p++)
            {
                IEnumerable<GalleryCandidate> expected = scoring == PersonScore.Best
                    ? enrolled.Select((e, at) => (e.Person, Score: Rows.Score(probes[p], e.Embedding.ToArray()), At: at))
                        .OrderByDescending(e => e.Score).ThenBy(e => e.At).DistinctBy(e => e.Person)
                        .Select(e => new GalleryCandidate(e.Person, Math.Clamp(e.Score, -1, 1)))
                    : people.Select(x => new GalleryCandidate(x.Person, Math.Clamp(Rows.Score(probes[p], Mean(x.Templates)), -1, 1)))
                        .OrderByDescending(x => x.Score);
                Assert.Equal(expected.Take(k), found[p]);
            }
        }

        if (gallery is StoredGallery stored)
        {
            Assert.Empty(await stored.VerifyIntegrityAsync());
        }

        float[] Mean(float[][] templates) => [.. Enumerable.Range(0, size).Select(i => (float)(templates.Sum(t => (double)t[i]) / templates.Length))];
    }

    [Fact]
    public async Task A_probe_below_the_threshold_or_in_an_empty_gallery_is_unknown()
    {
        await using ITemplateGallery gallery = await OpenGalleryAsync(await CreateAsync());
        float[][] v = Rows.Random(2, 8, 3);
        Assert.Null((await gallery.IdentifyAsync(v[0], Contract, -1)).Person);
        await gallery.EnrollAsync([new Enrollment("ann", v[0])], Contract);
        Identification self = await gallery.IdentifyAsync(v[0], Contract, 0.9);
        Assert.Equal(("ann", true, 1.0), (self.Person, self.IsMatch, Math.Round(self.Candidates[0].Score, 6)));
        double score = (await gallery.IdentifyAsync(v[1], Contract, 1)).Candidates[0].Score;
        Assert.Equal("ann", (await gallery.IdentifyAsync(v[1], Contract, score)).Person);
        Assert.Null((await gallery.IdentifyAsync(v[1], Contract, Math.BitIncrement(score))).Person);
        await Assert.ThrowsAsync<UniFaceException>(() => gallery.IdentifyAsync(v[0], Contract, double.NaN));
    }

    [Fact]
    public async Task Embeddings_of_another_model_size_or_norm_are_refused_with_their_whole_batch()
    {
        await using ITemplateGallery gallery = await OpenGalleryAsync(await CreateAsync());
        float[] good = Rows.Random(1, 8, 3)[0];
        await ErrorAssert.ContainsAsync("contract", () => gallery.EnrollAsync([new Enrollment("a", good)], "contract-b"));
        await Assert.ThrowsAsync<UniFaceException>(() => gallery.SearchAsync(good, "contract-b", 1));
        foreach (float[] bad in new float[][] { good[..7], [.. good.Select(x => x * 2)], [float.NaN, .. good[1..]], [] })
        {
            await Assert.ThrowsAsync<UniFaceException>(() => gallery.EnrollAsync([new Enrollment("a", good), new Enrollment("b", bad)], Contract));
            await Assert.ThrowsAsync<UniFaceException>(() => gallery.SearchAsync(bad, Contract, 1));
        }

        await Assert.ThrowsAsync<UniFaceException>(() => gallery.EnrollAsync([new Enrollment("", good)], Contract));
        Assert.Equal(new GalleryCounts(0, 0), await gallery.CountAsync());
    }

    [Fact]
    public async Task A_stopped_enrollment_keeps_nothing_and_ids_are_never_reused()
    {
        await using ITemplateGallery gallery = await OpenGalleryAsync(await CreateAsync());
        float[] v = Rows.Random(1, 8, 3)[0];
        using CancellationTokenSource stop = new();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gallery.EnrollAsync([new Enrollment("a", v)], Contract, stop.Token));
        Assert.Equal(0, (await gallery.CountAsync()).Templates);
        IReadOnlyList<long> first = await gallery.EnrollAsync([new Enrollment("a", v), new Enrollment("a", v)], Contract);
        await gallery.RemoveAsync("a");
        IReadOnlyList<long> second = await gallery.EnrollAsync([new Enrollment("a", v)], Contract);
        Assert.All(second, id => Assert.True(id > first.Max()));
    }

    [Fact]
    public async Task The_next_search_finds_what_another_process_wrote()
    {
        string path = await CreateAsync();
        float[][] v = Rows.Random(3, 8, 3);
        await using ITemplateGallery a = await OpenGalleryAsync(path), b = await OpenGalleryAsync(path);
        await a.EnrollAsync([new Enrollment("ann", v[0])], Contract);
        Assert.Equal("ann", (await b.IdentifyAsync(v[0], Contract, 0.99)).Person);
        await b.EnrollAsync([new Enrollment("bob", v[1])], Contract);
        Assert.Equal("bob", (await a.IdentifyAsync(v[1], Contract, 0.99)).Person);
        await b.RemoveAsync("ann");
        Assert.Null((await a.IdentifyAsync(v[0], Contract, 0.99)).Person);
    }
}
