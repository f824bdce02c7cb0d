using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests;

/// <summary>Every gallery that owns its store keeps everything about a person, enrolls a photo once, and moves to another model completely.</summary>
public abstract class StoredGalleryContractTests : GalleryContractTests
{
    /// <summary>Opens a gallery.</summary>
    private protected abstract Task<StoredGallery> OpenAsync(string gallery);

    private protected override async Task<ITemplateGallery> OpenGalleryAsync(string gallery) => await OpenAsync(gallery);

    [Theory]
    [InlineData(8)]
    [InlineData(100)]
    public Task Searches_by_the_mean_template_equal_brute_force(int size) => PeopleFoundAsync(PersonScore.Mean, size);

    [Fact]
    public async Task Export_returns_all_data_and_retention_uses_the_newest_template()
    {
        float[][] rows = Rows.Random(3, 8, 5);
        await using StoredGallery gallery = await OpenAsync(await CreateAsync(crops: true));
        DateTimeOffset before = DateTimeOffset.UtcNow.AddSeconds(-2);
        IReadOnlyList<long> ids = await gallery.EnrollAsync(
            [new("Ann", rows[0], new byte[] { 1 }, "a.jpg"), new("Bob", rows[1], new byte[] { 2 }), new("Ann", rows[2], new byte[] { 3 })], Contract);
        DateTimeOffset after = DateTimeOffset.UtcNow.AddSeconds(2);
        StoredPerson ann = (await gallery.ReadPersonAsync("Ann"))!;
        Assert.Equal([(ids[0], "a.jpg", (byte)1), (ids[2], null, (byte)3)], ann.Templates.Select(t => (t.Id, t.Source, t.Crop.Span[0])));
        Assert.Equal([rows[0], rows[2]], ann.Templates.Select(t => t.Embedding.ToArray()));
        Assert.All(ann.Templates, t => Assert.InRange(t.Enrolled, before, after));
        Assert.Null(await gallery.ReadPersonAsync("Carl"));
        Assert.Empty(await gallery.ListEnrolledBeforeAsync(before));
        Assert.Equal(["Ann", "Bob"], await gallery.ListEnrolledBeforeAsync(after));
        Assert.False(await gallery.RemoveEnrolledBeforeAsync("Ann", before));
        Assert.False(await gallery.RemoveEnrolledBeforeAsync("Carl", after));
        Assert.Equal(2, (await gallery.CountAsync()).People);
        Assert.True(await gallery.RemoveEnrolledBeforeAsync("Ann", after));
        Assert.Equal(["Bob"], await gallery.ListEnrolledBeforeAsync(after));
        await gallery.EraseAsync();
        Assert.Empty(await gallery.VerifyIntegrityAsync());
    }

    [Fact]
    public async Task Reembedding_resumes_after_a_stop_and_the_old_model_answers_until_then()
    {
        const int People = 150;
        float[][] before = Rows.Random(People + 1, 8, 3), after = Rows.Random(People + 1, 12, 4);
        Enrollment Person(int i) => new($"p{i}", before[i], new byte[] { (byte)i, 1, 2 });
        List<int> embedded = [];
        GalleryModel model = new("contract-b", 12, "models/b", crops =>
        {
            embedded.AddRange(crops.Select(c => (int)c[0]));
            return [.. crops.SelectMany(c => after[c[0]])];
        });
        string path = await CreateAsync(crops: true);
        await using (StoredGallery gallery = await OpenAsync(path))
        {
            await gallery.EnrollAsync([.. Enumerable.Range(0, People).Select(Person)], Contract);
            using CancellationTokenSource stop = new();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gallery.ReembedAsync(model, (_, _) => stop.Cancel(), stop.Token));
            Assert.Equal("p5", (await gallery.IdentifyAsync(before[5], Contract, 0.99)).Person);
            Assert.InRange(embedded.Count, 1, People - 1);
        }

        await using (StoredGallery gallery = await OpenAsync(path), other = await OpenAsync(path))
        {
            await gallery.EnrollAsync([Person(People)], Contract);
            await gallery.RemoveAsync("p7");
            await gallery.ReembedAsync(model);
            Assert.Equal(Enumerable.Range(0, People + 1), embedded.Order());
            await Assert.ThrowsAsync<GalleryChangedException>(() => other.EnrollAsync([Person(7)], Contract));
            await Assert.ThrowsAsync<GalleryChangedException>(() => other.SearchAsync(before[5], Contract, 1));
        }

        await using StoredGallery opened = await OpenAsync(path);
        Assert.Equal(("contract-b", 12, "models/b"), (opened.Info.ContractId, opened.Info.EmbeddingSize, opened.Info.Package));
        for (int i = 0; i <= People; i += 1)
        {
            Assert.Equal(i == 7 ? null : $"p{i}", (await opened.IdentifyAsync(after[i], "contract-b", 0.99)).Person);
        }

        Assert.Empty(await opened.VerifyIntegrityAsync());
    }

    [Fact]
    public async Task Sources_are_kept_and_crops_are_required_if_the_gallery_keeps_them()
    {
        await using StoredGallery gallery = await OpenAsync(await CreateAsync(crops: true));
        float[][] v = Rows.Random(3, 8, 3);
        const string Strange = "Zoë 'x\"; DROP";
        Enrollment ann = new("ann", v[0], new byte[] { 1 }, "a.jpg"), bob = new("bob", v[1]), strange = new(Strange, v[2], new byte[] { 2 }, "z'.jpg");
        await Assert.ThrowsAnyAsync<UniFaceException>(() => gallery.EnrollAsync([ann, bob], Contract));
        await gallery.EnrollAsync([ann, bob with { Crop = new byte[] { 2 } }, strange], Contract);
        StoredPerson?[] people = await Task.WhenAll(new[] { "ann", "bob", Strange }.Select(p => gallery.ReadPersonAsync(p)));
        Assert.Equal(["a.jpg", null, "z'.jpg"], people.Select(p => p!.Templates[0].Source));
        Assert.Equal(Strange, (await gallery.IdentifyAsync(v[2], Contract, 0.99)).Person);
    }

    [Fact]
    public async Task A_photo_is_one_template_of_its_person_by_content_and_not_by_name()
    {
        string path = await CreateAsync();
        float[][] v = Rows.Random(4, 8, 9);
        string x = new('a', 64), y = new('b', 64);
        await using StoredGallery gallery = await OpenAsync(path), other = await OpenAsync(path);
        Enrollment[] photos =
        [
            new("Ann", v[0], default, "photo.jpg", x),
            new("Ann", v[1], default, "photo.jpg", y),
            new("Ann", v[0], default, "copy.jpg", x),
            new("Bob", v[0], default, null, x),
        ];
        IReadOnlyList<long> ids = await gallery.EnrollAsync(photos, Contract);
        Assert.Equal((ids[0], 3), (ids[2], ids.Distinct().Count()));
        Assert.Equal([ids[1], ids[0]], await other.EnrollAsync([new("Ann", v[1], default, null, y), new("Ann", v[0], default, null, x)], Contract));
        Assert.Equal([(ids[0], x), (ids[1], y)], (await other.GetPhotosAsync("Ann")).OrderBy(p => p.Key).Select(p => (p.Key, p.Value)));
        Assert.Empty(await other.GetPhotosAsync("Carl"));
        Assert.Equal(x, (await gallery.ReadPersonAsync("Bob"))!.Templates.Single().PhotoSha256);

        // Two processes at once: one of them enrolls it.
        Enrollment dan = new("Dan", v[2], default, null, x), eve = new("Eve", v[3], default, null, x);
        long[] both = [.. (await Task.WhenAll(new[] { gallery, other }.Select(g => Task.Run(() => g.EnrollAsync([dan], Contract))))).SelectMany(i => i)];
        Assert.Equal(both[0], both[1]);

        // A template without a hash is recognized by its embedding, and gets the hash.
        long old = (await gallery.EnrollAsync([new("Eve", v[3])], Contract))[0];
        Assert.Equal([old, old], [.. await gallery.EnrollAsync([eve], Contract), .. await gallery.EnrollAsync([eve], Contract)]);
        Assert.Equal(5, (await gallery.CountAsync()).Templates);
        await Assert.ThrowsAnyAsync<UniFaceException>(() => gallery.EnrollAsync([new("Ann", v[0], default, null, "ABC")], Contract));

        Assert.True(await gallery.RemoveAsync("Ann"));
        Assert.DoesNotContain(ids[0], await gallery.EnrollAsync([new("Ann", v[0], default, null, x)], Contract));
        Assert.Empty(await gallery.VerifyIntegrityAsync());
    }
}
