using System.Diagnostics;
using UniFace.Gallery.Index.Search;
using UniFace.Gallery.Index.Storage;
using UniFace.Gallery.Shards;
using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests.Shards;

/// <summary>
/// A gallery whose index several processes hold gives the answers of one process: the same people, scores and order, at every moment. A process that
/// ends gives one clear error, and the next search works. The processes are real: this test program, started again.
/// </summary>
public sealed class ShardedGalleryTests : IDisposable
{
    private const string Contract = "contract-a";
    private const int Size = 24;

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(PersonScore.Best, true)]
    [InlineData(PersonScore.Mean, false)]
    public async Task Three_processes_answer_as_one_does_after_every_change(PersonScore scoring, bool stored)
    {
        string file = await NewAsync(400, scoring);
        await using SqliteGallery one = await SqliteGallery.OpenAsync(file);
        if (stored)
        {
            await one.StoreIndexAsync();
        }

        await using SqliteGallery three = await ShardedGalleries.OpenAsync(file, null, 3);
        float[][] more = Rows.Hard(60, Size, 9), probes = [.. Rows.Hard(10, Size, 2), .. Rows.Hard(400, Size, 1)[..10]];
        await CompareAsync();

        // Enrolled and removed through either; among them copies of templates that other processes hold.
        await three.EnrollAsync([.. more.Select((v, i) => new Enrollment($"person {i % 70}", v))], Contract);
        await CompareAsync();
        await one.EnrollAsync([new("copy", probes[^1]), new("another", probes[^1])], Contract);
        await CompareAsync();
        Assert.True(await three.RemoveAsync("person 3"));
        Assert.True(await one.RemoveAsync("person 11"));
        await CompareAsync();
        if (stored)
        {
            await three.StoreIndexAsync();
            Assert.Empty(await three.VerifyIntegrityAsync());
        }

        async Task CompareAsync()
        {
            foreach (int people in new[] { 1, 7, 5000 })
            {
                float[] all = [.. probes.SelectMany(p => p)];
                IReadOnlyList<IReadOnlyList<GalleryCandidate>> expected = await one.SearchAsync(all, Contract, people);
                Assert.Equal(expected, await three.SearchAsync(all, Contract, people));
                Assert.True(people < 5000 || expected.All(e => e.Count == (int)one.CountAsync().Result.People));
            }
        }
    }

    [Fact]
    public async Task Acknowledged_enrollments_are_found_at_once_while_others_enroll_remove_and_search()
    {
        string file = await NewAsync(100);
        await using SqliteGallery gallery = await ShardedGalleries.OpenAsync(file, null, 2);
        float[][] v = Rows.Random(40, Size, 5);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (int i = worker; i < v.Length; i += 4)
            {
                await gallery.EnrollAsync([new($"new {i}", v[i])], Contract);
                Assert.Equal($"new {i}", (await gallery.SearchAsync(v[i], Contract, 1))[0][0].Person);
                if (i % 8 < 4)
                {
                    Assert.True(await gallery.RemoveAsync($"new {i}"));
                    Assert.DoesNotContain($"new {i}", (await gallery.SearchAsync(v[i], Contract, 5))[0].Select(c => c.Person));
                }
            }
        })));
        using CancellationTokenSource stopped = new();
        await stopped.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gallery.SearchAsync(v[0], Contract, 1, stopped.Token));
        Assert.Equal("new 39", (await gallery.SearchAsync(v[39], Contract, 1))[0][0].Person);
    }

    [Fact]
    public async Task A_process_that_is_killed_gives_one_error_that_names_it_and_is_started_again()
    {
        string file = await NewAsync(100);
        await using SqliteGallery one = await SqliteGallery.OpenAsync(file), two = await ShardedGalleries.OpenAsync(file, null, 2);
        float[] probe = Rows.Random(1, Size, 7)[0];
        IReadOnlyList<GalleryCandidate> expected = (await one.SearchAsync(probe, Contract, 9))[0];
        Assert.Equal(expected, (await two.SearchAsync(probe, Contract, 9))[0]);
        using Process second = Process.GetProcessById(Processes(two)[1].ProcessId!.Value);

        // Stopped, so that the search is under way when the process is killed.
        using (Process stop = Process.Start("kill", ["-STOP", $"{second.Id}"]))
        {
            await stop.WaitForExitAsync();
        }

        Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> search = two.SearchAsync(probe, Contract, 9);
        Assert.True(SpinWait.SpinUntil(() => Processes(two)[1].Searches, TimeSpan.FromMinutes(1)));
        second.Kill();
        string message = (await Assert.ThrowsAsync<UniFaceException>(() => search)).Message;
        Assert.Contains("people.gallery: search process 2 of 2 (templates from 51) ended with code 137", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Equal(expected, (await two.SearchAsync(probe, Contract, 9))[0]);
        Assert.NotEqual(second.Id, Processes(two)[1].ProcessId);
    }

    [Fact]
    public async Task Processes_follow_the_gallery_to_another_model_and_end_with_it()
    {
        float[][] before = Rows.Random(30, Size, 3), after = Rows.Random(30, 12, 4);
        string file = Path.Combine(folder, "people.gallery");
        byte[] digits = new byte[32];
        GalleryKey key = GalleryKey.FromBytes(digits)!;
        SqliteGallery.Create(file, new GalleryInfo { ContractId = Contract, EmbeddingSize = Size, KeepsCrops = true }, key);
        SqliteGallery gallery = await ShardedGalleries.OpenAsync(file, key, 2);
        await gallery.EnrollAsync([.. before.Select((v, i) => new Enrollment($"p{i}", v, new byte[] { (byte)i }))], Contract);
        Assert.Equal("p7", (await gallery.SearchAsync(before[7], Contract, 1))[0][0].Person);
        await gallery.ReembedAsync(new GalleryModel("contract-b", 12, "b", crops => [.. crops.SelectMany(c => after[c[0]])]));
        Assert.Equal("p7", (await gallery.SearchAsync(after[7], "contract-b", 1))[0][0].Person);
        int[] running = [.. Processes(gallery).Select(p => p.ProcessId!.Value)];
        await gallery.DisposeAsync();
        Assert.All(running, id => Assert.Throws<ArgumentException>(() => Process.GetProcessById(id)));
    }

    [Fact]
    public async Task Each_process_opens_only_its_rows_of_the_stored_index()
    {
        string file = await NewAsync(333);
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(file);
        await gallery.StoreIndexAsync();
        (long first, long last) = await gallery.ReadIdsAsync(default);
        List<long> seen = [];
        foreach (IndexRange range in IndexRange.Divide(first, last, 5))
        {
            using UniFace.Gallery.Index.ExactIndex part = UniFace.Gallery.Index.ExactIndex.Open(file + ".index", out _, range);
            IndexHit[] hits = part.Search(Rows.Random(1, Size, 3)[0], 1000)[0];
            Assert.Equal(part.Count, hits.Length);
            Assert.InRange(part.Count, 60, 72);
            Assert.All(hits, h => Assert.True(range.Contains(h.Id)));
            seen.AddRange(hits.Select(h => h.Id));
        }

        Assert.Equal(Enumerable.Range((int)first, (int)(last - first + 1)).Select(i => (long)i), seen.Order());
    }

    [Fact]
    public async Task Errors_in_an_address_or_a_start_are_one_line()
    {
        foreach (string address in new[] { "shards:", "shards:0:a", "shards:2", "shards:x:a", "shards:2:", "shards:1000:a" })
        {
            Assert.Contains("expected shards:N:FILE", Assert.Throws<UniFaceException>(() => ShardedGalleries.Parse(address)).Message, StringComparison.Ordinal);
        }

        Assert.Equal((4, "C:people.gallery"), ShardedGalleries.Parse("shards:4:C:people.gallery"));
        ProcessStartInfo missing = new(Path.Combine(folder, "none"));
        await using SqliteGallery gallery = await ShardedGalleries.OpenAsync(await NewAsync(10), null, 2, () => missing);
        await ErrorAssert.ContainsAsync("search process 1 of 2", () => gallery.SearchAsync(Rows.Random(1, Size, 3)[0], Contract, 1));
    }

    private static IReadOnlyList<ShardProcess> Processes(SqliteGallery gallery) => ((ShardedSearch)gallery.Search!).Processes;

    private async Task<string> NewAsync(int templates, PersonScore scoring = PersonScore.Best)
    {
        string file = Path.Combine(folder, "people.gallery");
        SqliteGallery.Create(file, new GalleryInfo { ContractId = Contract, EmbeddingSize = Size, Scoring = scoring });
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(file);
        await gallery.EnrollAsync([.. Rows.Hard(templates, Size, 1).Select((v, i) => new Enrollment($"person {i * 7 % 90}", v))], Contract);
        return file;
    }
}
