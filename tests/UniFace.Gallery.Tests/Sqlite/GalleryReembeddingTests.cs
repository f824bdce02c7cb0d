using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>A gallery file moves to another model completely or not at all, and continues after a stop.</summary>
public sealed class GalleryReembeddingTests : IDisposable
{
    private const string Contract = GalleryFolder.Contract;
    private const int People = 200;

    private readonly GalleryFolder folder = new();
    private readonly float[][] before = Rows.Random(People + 1, 8, 3), after = Rows.Random(People + 1, 12, 4);

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stopped_move_continues_and_until_its_end_the_old_model_answers(bool encrypted)
    {
        GalleryKey? key = encrypted ? GalleryFolder.Key : null;
        string path = folder.Create(crops: true, key: key);
        List<int> embedded = [];
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key))
        {
            await gallery.EnrollAsync([.. Enumerable.Range(0, People).Select(Person)], Contract);
            await gallery.StoreIndexAsync();
            using CancellationTokenSource stop = new();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gallery.ReembedAsync(Model(embedded), (done, all) =>
            {
                if (done > 100)
                {
                    stop.Cancel();
                }
            }, stop.Token));
            Assert.Equal("p5", (await gallery.IdentifyAsync(before[5], Contract, 0.99)).Person);
            Assert.InRange(embedded.Count, 101, People - 1);
        }

        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key))
        {
            // Enrollments and removals during the move take effect.
            await gallery.EnrollAsync([Person(People)], Contract);
            await gallery.RemoveAsync("p7");
            await gallery.ReembedAsync(Model(embedded));
            Assert.Equal(Enumerable.Range(0, People + 1), embedded.Order());
            await Check(gallery);
        }

        await using SqliteGallery opened = await SqliteGallery.OpenAsync(path, key);
        await Check(opened);
        Assert.Empty(await opened.VerifyIntegrityAsync());
        Assert.All(before, v => Assert.Empty(folder.FilesWith(v)));
    }

    [Fact]
    public async Task A_gallery_without_crops_or_of_the_same_model_does_not_move()
    {
        await using SqliteGallery bare = await folder.CreateAsync(), kept = await folder.CreateAsync(crops: true);
        await ErrorAssert.ContainsAsync("keeps no crops", () => bare.ReembedAsync(Model([])));
        await ErrorAssert.ContainsAsync("already", () => kept.ReembedAsync(Model([]) with { ContractId = Contract }));
        await Assert.ThrowsAnyAsync<UniFaceException>(() => kept.EnrollAsync([new Enrollment("a", before[0])], Contract));
    }

    [Fact]
    public async Task Searches_during_a_move_answer_by_the_old_model_until_their_probes_are_refused()
    {
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(folder.Create(crops: true));
        await gallery.EnrollAsync([.. Enumerable.Range(0, People).Select(Person)], Contract);
        Task[] searches = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    Assert.Equal("p5", (await gallery.IdentifyAsync(before[5], Contract, 0.99)).Person);
                }
            }
            catch (UniFaceException)
            {
                // The gallery has the new model.
            }
        }))];
        await gallery.ReembedAsync(Model([]));
        await Task.WhenAll(searches);
        Assert.Equal("p5", (await gallery.IdentifyAsync(after[5], "contract-b", 0.99)).Person);
    }

    private async Task Check(SqliteGallery gallery)
    {
        Assert.Equal(("contract-b", 12, "models/b"), (gallery.Info.ContractId, gallery.Info.EmbeddingSize, gallery.Info.Package));
        for (int i = 0; i <= People; i += 1)
        {
            Assert.Equal(i == 7 ? null : $"p{i}", (await gallery.IdentifyAsync(after[i], "contract-b", 0.99)).Person);
        }

        await Assert.ThrowsAnyAsync<UniFaceException>(() => gallery.IdentifyAsync(before[0], Contract, 0));
    }

    // The crop's first two bytes are the number of the face.
    private Enrollment Person(int i) => new($"p{i}", before[i], new byte[] { (byte)i, (byte)(i >> 8), 3 });

    private GalleryModel Model(List<int> embedded) => new("contract-b", 12, "models/b", crops =>
    {
        embedded.AddRange(crops.Select(c => c[0] + (c[1] << 8)));
        return [.. crops.SelectMany(c => after[c[0] + (c[1] << 8)])];
    });
}
