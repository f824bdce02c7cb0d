using UniFace.Gallery.Tests.Index;
using UniFace.Gallery.VectorData;

namespace UniFace.Gallery.Tests.VectorData;

/// <summary>A gallery in a vector store is exact if its store is, and bound to one model.</summary>
public sealed class VectorStoreGalleryTests : GalleryContractTests, IDisposable
{
    private readonly MemoryVectorStore store = new();
    private readonly Dictionary<string, int> sizes = [];

    public void Dispose() => store.Dispose();

    protected override async Task<string> CreateAsync(PersonScore scoring = PersonScore.Best, bool crops = false, int size = 8)
    {
        string name = $"g{sizes.Count}";
        sizes.Add(name, size);
        GalleryInfo info = new() { ContractId = Contract, EmbeddingSize = size, Package = "models/a|b", Scoring = scoring, KeepsCrops = crops };
        await VectorStoreGallery.CreateAsync(store, name, info);
        return name;
    }

    private protected override async Task<ITemplateGallery> OpenGalleryAsync(string gallery) =>
        await VectorStoreGallery.OpenAsync(store, gallery, (Contract, sizes[gallery]));

    [Fact]
    public async Task A_gallery_is_bound_to_its_model_and_reports_wrong_collections()
    {
        string name = await CreateAsync();
        await using (ITemplateGallery gallery = await OpenGalleryAsync(name))
        {
            Assert.Equal((Contract, 8, "models/a|b", 32), (gallery.Info.ContractId, gallery.Info.EmbeddingSize, gallery.Info.Package, gallery.Info.Id.Length));
        }

        await ErrorAssert.ContainsAsync("cannot be compared", () => VectorStoreGallery.OpenAsync(store, name, ("contract-b", 8)));
        await ErrorAssert.ContainsAsync("8 values", () => VectorStoreGallery.OpenAsync(store, name, (Contract, 9)));
        await ErrorAssert.ContainsAsync("no such collection", () => VectorStoreGallery.OpenAsync(store, "none", (Contract, 8)));
        GalleryInfo info = new() { ContractId = Contract, EmbeddingSize = 8 };
        await ErrorAssert.ContainsAsync("already exists", () => VectorStoreGallery.CreateAsync(store, name, info));
        await ErrorAssert.ContainsAsync("best template", () => CreateAsync(PersonScore.Mean));
        await ErrorAssert.ContainsAsync("no crops", () => CreateAsync(crops: true));
        store.Collections["other"] = [];
        await ErrorAssert.ContainsAsync("not a gallery", () => VectorStoreGallery.OpenAsync(store, "other", (Contract, 8)));
    }

    [Fact]
    public async Task A_record_of_another_model_in_the_collection_is_an_error()
    {
        string mine = await CreateAsync(), theirs = await CreateAsync();
        float[][] v = Rows.Random(2, 8, 3);
        await using ITemplateGallery gallery = await OpenGalleryAsync(mine), other = await OpenGalleryAsync(theirs);
        await gallery.EnrollAsync([new Enrollment("ann", v[0])], Contract);
        await other.EnrollAsync([new Enrollment("bob", v[1])], Contract);
        foreach ((object key, Dictionary<string, object?> record) in store.Collections[theirs])
        {
            store.Collections[mine].TryAdd(key, record);
        }

        await ErrorAssert.ContainsAsync("another model or gallery (bob)", () => gallery.SearchAsync(v[0], Contract, 1));
    }

    [Fact]
    public async Task An_enrollment_that_fails_halfway_is_rolled_back_and_reported_in_one_line()
    {
        await using ITemplateGallery gallery = await OpenGalleryAsync(await CreateAsync());
        float[][] v = Rows.Random(30, 8, 3);
        await gallery.EnrollAsync([new Enrollment("ann", v[0])], Contract);
        store.Takes = 17;
        await ErrorAssert.ContainsAsync("the disk is full", () => gallery.EnrollAsync([.. v.Select(x => new Enrollment("bob", x))], Contract));
        store.Takes = -1;
        Assert.Equal([new GalleryPerson("ann", 1)], await gallery.ListAsync().ToListAsync());
    }

    [Fact]
    public async Task A_failed_enrollment_keeps_earlier_records_of_the_same_photo()
    {
        await using ITemplateGallery gallery = await OpenGalleryAsync(await CreateAsync());
        float[][] v = Rows.Random(30, 8, 3);
        string sha256 = new('a', 64);
        Enrollment ann = new("ann", v[0], default, null, sha256);
        Enrollment[] photos = [ann with { Source = "x/a.jpg" }, ann with { Source = "y/a.jpg" }, ann with { Person = "bob" }];
        IReadOnlyList<long> ids = await gallery.EnrollAsync(photos, Contract);
        Assert.Equal((ids[0], false), (ids[1], ids[0] == ids[2]));
        Assert.Equal([ids[0]], await gallery.EnrollAsync([ann], Contract));
        store.Takes = 17;
        await ErrorAssert.ContainsAsync("the disk is full", () => gallery.EnrollAsync([ann, .. v.Select(x => new Enrollment("bob", x))], Contract));
        store.Takes = -1;
        Assert.Equal([new GalleryPerson("ann", 1), new GalleryPerson("bob", 1)], await gallery.ListAsync().ToListAsync());
    }

    [Fact]
    public async Task A_removal_ends_when_the_store_returns_no_record_of_the_person()
    {
        string name = await CreateAsync();
        await using ITemplateGallery gallery = await OpenGalleryAsync(name);
        float[][] v = Rows.Random(2500, 8, 3);
        await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment(i % 2 == 0 ? "ann" : $"p{i}", x))], Contract);
        store.Lagging = 3;
        Assert.True(await gallery.RemoveAsync("ann"));
        Assert.DoesNotContain(store.Collections[name].Values, r => "ann".Equals(r["person"]));
        Assert.Equal(new GalleryCounts(1250, 1250), await gallery.CountAsync());
        Assert.False(await gallery.RemoveAsync(""));
        await using ITemplateGallery again = await OpenGalleryAsync(name);
        Assert.Equal("p1", (await again.IdentifyAsync(v[1], Contract, 0.999)).Person);
    }

    [Fact]
    public async Task Templates_that_share_an_id_are_all_listed_and_keys_can_be_guids()
    {
        VectorStoreGalleryOptions guids = new() { KeyType = typeof(Guid), LargestSearch = 50 };
        await VectorStoreGallery.CreateAsync(store, "guids", new GalleryInfo { ContractId = Contract, EmbeddingSize = 8 }, guids);
        await using VectorStoreGallery gallery = await VectorStoreGallery.OpenAsync(store, "guids", (Contract, 8), guids);
        float[][] v = Rows.Random(1500, 8, 3);
        await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment($"p{i}", x))], Contract);
        Assert.All(store.Collections["guids"].Keys, k => Assert.IsType<Guid>(k));

        // Pages have 1,000 records: ids that two processes assigned at once lie across the end of a page.
        Dictionary<string, object?>[] inOrder =
            [.. store.Collections["guids"].Values.Where(r => (string)r["person"]! != "").OrderBy(r => (long)r["template"]!)];
        for (int i = 995; i < 1004; i++)
        {
            inOrder[i]["template"] = inOrder[995]["template"];
        }

        Assert.Equal(new GalleryCounts(1500, 1500), await gallery.CountAsync());

        // No search requests more records than the limit.
        Assert.Equal(40, (await gallery.SearchAsync(v[0], Contract, 40))[0].Count);
        Assert.Equal(50, store.Asked.Max());
    }
}
