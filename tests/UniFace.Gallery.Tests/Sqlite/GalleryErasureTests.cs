using System.Runtime.InteropServices;
using UniFace.Gallery.Index;
using UniFace.Gallery.Index.Storage;
using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Stores;
using UniFace.Gallery.Tests.Index;
using UniFace.IO;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>When a removed template is noted as erased, no file of the gallery contains it, whenever processes are killed.</summary>
public sealed class GalleryErasureTests : IDisposable
{
    private const string Contract = GalleryFolder.Contract;
    private const int Size = 64;

    private readonly GalleryFolder folder = new();
    private readonly float[][] rows = Rows.Random(40, Size, 3);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task An_index_that_another_process_truncates_is_rebuilt_from_the_database()
    {
        string path = folder.Create(size: 64);
        float[][] v = Rows.Random(2, Size, 3);
        await using (SqliteGallery first = await SqliteGallery.OpenAsync(path))
        {
            await first.EnrollAsync([new Enrollment("ann", v[0]), new Enrollment("bob", v[1])], GalleryFolder.Contract);
            await first.StoreIndexAsync();
        }

        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
        Assert.Equal("ann", (await gallery.IdentifyAsync(v[0], GalleryFolder.Contract, 0.9)).Person);
        File.WriteAllBytes(path + ".index", []);
        Assert.Equal("bob", (await gallery.IdentifyAsync(v[1], GalleryFolder.Contract, 0.9)).Person);
    }

    [Theory]
    [InlineData(PersonScore.Best)]
    [InlineData(PersonScore.Mean)]
    public async Task The_next_process_that_opens_the_gallery_finishes_what_a_kill_interrupted(PersonScore scoring)
    {
        string path = folder.Create(scoring, size: Size);
        List<(string Step, string Folder)> kills = [];
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path))
        {
            // Copies all files after each step, as a kill leaves them.
            gallery.Step = step => kills.Add(($"{step}", Copy($"{kills.Count}")));
            await gallery.EnrollAsync([.. rows.Select((v, i) => new Enrollment($"Name-of-{i:D2}", v))], Contract);
            await gallery.StoreIndexAsync();
            await gallery.EnrollAsync([new Enrollment("Late", rows[0])], Contract);
            await gallery.RebuildIndexAsync();
            Assert.True(await gallery.RemoveAsync("Name-of-07"));
        }

        Assert.Equal(["IndexStored", "IndexStored", "Removed", "IndexErased", "LogEmptied", "MarkedAsErased"], kills.Select(k => k.Step));

        // A kill while the index is stored or the gallery is restored leaves temporary files. A kill of an earlier version between two renames leaves
        // two index files that do not match.
        string whole = Path.Combine(kills[1].Folder, "g0.gallery.index");
        string[] leftovers =
        [
            ".g0.gallery.index.1.1.tmp", "g0.gallery.index.rows", "g0.gallery.index.codes", "g0.gallery.restore", "g0.gallery.restore.7.tmp",
            "g0.gallery.7.tmp-wal", "g0.gallery.7.tmp-journal", "g0.gallery.7.tmp-lock",
        ];
        foreach (string left in leftovers)
        {
            kills.Add((left, Copy(left, kills[1].Folder)));
            File.Copy(whole, Path.Combine(kills[^1].Folder, left));
        }

        // A kill during erasing: some pages are written and others are not, or the ids by which rows are found are damaged.
        byte[] bytes = File.ReadAllBytes(whole);
        foreach (int at in new[] { 4096 + 8, bytes.Length - 4096 })
        {
            string torn = Copy($"torn{at}", kills[2].Folder);
            kills.Add(("torn", torn));
            using FileStream file = new(Path.Combine(torn, "g0.gallery.index"), FileMode.Open);
            file.Position = at;
            file.Write(new byte[64]);
        }

        string halfway = Copy("halfway", kills[2].Folder), index = Path.Combine(halfway, "g0.gallery.index");
        kills.Add(("halfway", halfway));
        byte[] erasing = File.ReadAllBytes(index);
        IndexHeader header = IndexHeader.Parse(erasing.AsSpan(0, IndexHeader.Size), index);
        (header with { GroupsChecksum = IndexHeader.Erasing }).ToBytes().CopyTo(erasing, 0);
        File.WriteAllBytes(index, erasing);

        foreach ((string step, string killed) in kills)
        {
            string gallery = Path.Combine(killed, "g0.gallery");
            bool removed;
            await using (SqliteGallery opened = await SqliteGallery.OpenAsync(gallery))
            {
                removed = await opened.ReadPersonAsync("Name-of-07") is null;
                Assert.Equal(step is "Removed" or "IndexErased" or "LogEmptied" or "MarkedAsErased" or "torn" or "halfway", removed);
                if (removed)
                {
                    // Opening has erased.
                    Assert.Empty(Holders(killed));
                }

                Assert.Equal(!removed, await opened.RemoveAsync("Name-of-07"));
                Assert.Empty(Holders(killed));
                Assert.Equal("Name-of-08", (await opened.IdentifyAsync(rows[8], Contract, 0.99)).Person);
                Assert.DoesNotContain(await opened.VerifyIntegrityAsync(), p => step != "torn" || !p.Contains("index", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public async Task A_process_with_an_older_state_does_not_store_a_removed_person_again()
    {
        string path = folder.Create(size: Size);
        await using SqliteGallery storing = await SqliteGallery.OpenAsync(path), removing = await SqliteGallery.OpenAsync(path);
        await storing.EnrollAsync([.. rows.Select((v, i) => new Enrollment($"Name-of-{i:D2}", v))], Contract);
        await storing.SearchAsync(rows[0], Contract, 1);

        // Another process holds the index's lock: the removal is committed, and erasing waits.
        Task<bool> removal;
        using (FileLock.AcquireFor(path + ".index"))
        {
            using ManualResetEventSlim committed = new();
            removing.Step = step =>
            {
                if (step == GalleryStep.Removed)
                {
                    committed.Set();
                }
            };
            removal = Task.Run(() => removing.RemoveAsync("Name-of-07"));
            await Task.Run(committed.Wait);
            await Task.WhenAny(removal, Task.Delay(200));
            Assert.False(removal.IsCompleted);
            using ExactIndex stale = new(Size);
            stale.Add(8, 8, rows[7]);
            stale.Save(path + ".index", new IndexStamp($"{storing.Info.Id} Best", Contract, 40));
        }

        Assert.True(await removal);
        Assert.Empty(Holders(folder.Root));
        await storing.StoreIndexAsync();
        Assert.Empty(Holders(folder.Root));
        Assert.Empty(await storing.VerifyIntegrityAsync());
    }

    private string Copy(string name, string? from = null)
    {
        string to = Directory.CreateDirectory(Path.Combine(folder.Root, "killed " + name)).FullName;
        foreach (string file in Directory.GetFiles(from ?? folder.Root).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)))
        {
            using FileStream source = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using FileStream target = File.Create(Path.Combine(to, Path.GetFileName(file)));
            source.CopyTo(target);
        }

        return to;
    }

    // Files with the template of the removed person.
    private List<string> Holders(string where) =>
    [
        .. Directory.GetFiles(where).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)).Where(f =>
        {
            using FileStream stream = new(f, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] all = new byte[stream.Length];
            stream.ReadExactly(all);
            return all.AsSpan().IndexOf(MemoryMarshal.AsBytes<float>(rows[7])[..16]) >= 0 || all.AsSpan().IndexOf("Name-of-07"u8) >= 0;
        }),
    ];
}
