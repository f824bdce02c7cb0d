using Microsoft.Data.Sqlite;
using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Stores;
using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>No file of a gallery holds bytes of a removed person, or anything in the clear of an encrypted gallery.</summary>
public sealed class GalleryPrivacyTests : IDisposable
{
    private const string Contract = GalleryFolder.Contract;

    private readonly GalleryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(PersonScore.Best)]
    [InlineData(PersonScore.Mean)]
    public async Task A_removed_person_leaves_no_bytes_in_any_file(PersonScore scoring)
    {
        await using SqliteGallery gallery = await folder.New(scoring, crops: true, size: 64);
        float[][] v = Rows.Random(600, 64, 3);
        string Name(int person) => $"Name-of-person-{person:D4}";
        byte[] Crop(int i)
        {
            byte[] crop = new byte[3000];
            new Random(i).NextBytes(crop);
            return crop;
        }

        // Two templates each, enrolled in two rounds; the index is stored in between, so that its file holds most of them.
        for (int round = 0; round < 2; round++)
        {
            Enrollment Person(int p) => new(Name(p), v[(round * 300) + p], Crop((round * 300) + p), $"Photo-of-{p:D4}-{round}");
            await gallery.EnrollAsync([.. Enumerable.Range(0, 300).Select(Person)], Contract);
            await gallery.StoreIndexAsync();
        }

        int[] leaving = [0, 17, 18, 19, 150, 299];
        foreach (int p in leaving)
        {
            Assert.NotEmpty(folder.FilesWith(v[p]));
            Assert.NotEmpty(folder.FilesWith(Name(p)));
            Assert.NotEmpty(folder.FilesWith(Crop(p).AsSpan(1000, 16)));
            Assert.True(await gallery.RemoveAsync(Name(p)));
            foreach (int i in new[] { p, 300 + p })
            {
                Assert.Empty(folder.FilesWith(v[i]));
                for (int at = 0; at < 3000 - 16; at += 500)
                {
                    Assert.Empty(folder.FilesWith(Crop(i).AsSpan(at, 16)));
                }
            }

            Assert.Empty(folder.FilesWith(Name(p)));
            Assert.Empty(folder.FilesWith($"Photo-of-{p:D4}"));
        }

        if (scoring == PersonScore.Mean)
        {
            float[] mean = [.. v[17].Zip(v[317], (a, b) => (float)(((double)a + b) / 2))];
            Assert.Empty(folder.FilesWith(mean));
        }

        Assert.Empty(await gallery.VerifyIntegrityAsync());
        Assert.Equal(294, (await gallery.CountAsync()).People);
    }

    [Fact]
    public async Task A_removal_that_a_reader_prevents_from_erasing_reports_it_and_the_next_one_erases()
    {
        string path = folder.Create(size: 64);
        float[][] v = Rows.Random(2, 64, 3);
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
        await gallery.EnrollAsync([new Enrollment("Anna-Anna-Anna", v[0]), new Enrollment("bob", v[1])], Contract);
        await using (SqliteConnection other = new($"Data Source={path};Pooling=False"))
        {
            other.Open();
            using SqliteTransaction reading = other.BeginTransaction(deferred: true);
            using (SqliteCommand command = other.CreateCommand())
            {
                command.CommandText = "SELECT count(*) FROM template";
                command.ExecuteScalar();
            }

            for (int removed = 1; removed >= 0; removed--)
            {
                UniFaceException reported = await Assert.ThrowsAsync<UniFaceException>(() => gallery.RemoveAsync("Anna-Anna-Anna"));
                Assert.Contains("still in its log", reported.Message, StringComparison.Ordinal);
                Assert.Equal(removed == 1, Assert.IsType<NotErasedException>(reported.InnerException).Removed);
            }

            Assert.Contains("not erased", Assert.Single(await gallery.VerifyIntegrityAsync()), StringComparison.Ordinal);
        }

        Assert.False(await gallery.RemoveAsync("Anna-Anna-Anna"));
        Assert.Empty(folder.FilesWith(v[0]));
        Assert.Empty(folder.FilesWith("Anna-Anna"));
        Assert.Empty(await gallery.VerifyIntegrityAsync());
    }

    [Fact]
    public async Task The_log_is_emptied_when_all_readers_are_done()
    {
        string path = folder.Create();
        using GalleryDatabase database = await GalleryDatabase.OpenAsync(path);
        await using SqliteConnection other = new($"Data Source={path};Pooling=False");
        other.Open();
        foreach (bool ours in new[] { true, false })
        {
            using ManualResetEventSlim reading = new(), done = new();
            async Task ReadAsync(SqlSession session)
            {
                await session.ScalarAsync("SELECT count(*) FROM meta");
                reading.Set();
                done.Wait();
            }

            Task reader = ours ? database.ReadAsync(ReadAsync, default) : Task.Run(async () =>
            {
                await using SqliteTransaction transaction = other.BeginTransaction(deferred: true);
                await ReadAsync(new SqlSession(other, default));
            });
            await Task.Run(reading.Wait);
            await database.WriteAsync(session => session.SetMetaAsync("written", $"while {ours} read"), default);

            // The own reader is waited for without a limit; the log of other readers is retried.
            Task<bool> emptied = database.TruncateLogAsync(ours ? TimeSpan.Zero : TimeSpan.FromMinutes(5), default);
            await Task.WhenAny(emptied, Task.Delay(300));
            Assert.False(emptied.IsCompleted);
            done.Set();
            Assert.True(await emptied);
            await reader;
            Assert.Equal(0, new FileInfo(path + "-wal").Length);
        }
    }

    [Fact]
    public async Task The_next_removal_deletes_what_a_killed_process_left_of_an_index()
    {
        string path = folder.Create();
        float[] v = Rows.Random(1, 8, 3)[0];
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
        await gallery.EnrollAsync([new Enrollment("ann", v)], Contract);

        // No process has the largest number. In a container the killed process had the same number as this one.
        string Left(string file, int process) => Path.Combine(folder.Root, $".{Path.GetFileName(path)}.index{file}.{process}.tmp");
        string[] dead = [Left("", int.MaxValue), Left("", Environment.ProcessId), Left(".rows", 7), path + ".index.codes", path + ".index.rows"];
        foreach (string file in dead)
        {
            File.WriteAllText(file, "x");
        }

        IO.AtomicFile.Write(path + ".index", stream =>
        {
            stream.WriteByte(1);
            UniFaceException reported = Assert.Throws<UniFaceException>(() => gallery.RemoveAsync("ann").GetAwaiter().GetResult());
            Assert.True(Assert.IsType<NotErasedException>(reported.InnerException).Removed);
        });
        Assert.True(File.Exists(path + ".index"));
        Assert.False(await gallery.RemoveAsync("ann"));
        Assert.DoesNotContain(dead, File.Exists);
        Assert.False(File.Exists(path + ".index")); // It could not be read, so it was deleted.
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite)]
    public async Task A_new_gallery_is_private_and_its_other_files_have_its_mode(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("modes are of Unix");
            return;
        }

        string path = folder.Create();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        File.SetUnixFileMode(path, mode);
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
        await gallery.EnrollAsync([new Enrollment("ann", Rows.Random(1, 8, 3)[0])], Contract);
        await gallery.StoreIndexAsync();
        string[] files = Directory.GetFiles(folder.Root);
        Assert.Superset(new HashSet<string>([path, path + "-wal", path + "-shm", path + ".index"]), files.ToHashSet());
        Assert.All(files, file => Assert.Equal((file, mode), (file, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(file))));
    }

    [Fact]
    public async Task An_encrypted_gallery_stores_no_name_embedding_crop_or_source_in_the_clear()
    {
        string path = folder.Create(crops: true, key: GalleryFolder.Key, size: 64);
        float[][] v = Rows.Random(20, 64, 3);
        byte[] crop = new byte[500];
        new Random(1).NextBytes(crop);
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, GalleryFolder.Key))
        {
            await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment($"Name-of-person-{i}", x, crop, "Photo-of-person"))], Contract);
            await gallery.StoreIndexAsync();
            Assert.All(v, x => Assert.Empty(folder.FilesWith(x)));
            Assert.Empty(folder.FilesWith("Name-of"));
            Assert.Empty(folder.FilesWith("Photo-of"));
            Assert.Empty(folder.FilesWith(crop.AsSpan(100, 16)));
        }

        await using SqliteGallery again = await SqliteGallery.OpenAsync(path, GalleryFolder.Key);
        Assert.Equal("Name-of-person-3", (await again.IdentifyAsync(v[3], Contract, 0.99)).Person);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"Name-of-person-{i}"), (await again.ListAsync().ToListAsync()).Select(p => p.Name));
        Assert.True(await again.RemoveAsync("Name-of-person-3"));
        Assert.Empty(await again.VerifyIntegrityAsync());
    }

    [Fact]
    public async Task A_wrong_missing_or_unneeded_key_is_refused()
    {
        string path = folder.Create(key: GalleryFolder.Key), open = folder.Create();
        GalleryKey other = GalleryKey.FromText(new string('1', 64), "test");
        await Errors.ContainAsync("not the gallery's key", () => SqliteGallery.OpenAsync(path, other));
        await Errors.ContainAsync("give its key", () => SqliteGallery.OpenAsync(path));
        await Errors.ContainAsync("leave it out", () => SqliteGallery.OpenAsync(open, other));
        Assert.Throws<UniFaceException>(() => GalleryKey.FromText("12", "test"));
        Assert.Throws<UniFaceException>(() => GalleryKey.FromFile(Path.Combine(folder.Root, "none")));
        Assert.Throws<UniFaceException>(() => GalleryKey.FromEnvironment("UNIFACE_TEST_NO_SUCH_KEY"));
    }

    [Fact]
    public async Task A_record_moved_to_another_person_is_not_read()
    {
        string path = folder.Create(key: GalleryFolder.Key);
        float[][] v = Rows.Random(2, 8, 3);
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, GalleryFolder.Key))
        {
            await gallery.EnrollAsync([new Enrollment("ann", v[0]), new Enrollment("bob", v[1])], Contract);
        }

        await using (SqliteConnection connection = new($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = new("UPDATE template SET person = 3 - person", connection);
            command.ExecuteNonQuery();
        }

        await using SqliteGallery opened = await SqliteGallery.OpenAsync(path, GalleryFolder.Key);
        Assert.Empty((await opened.IdentifyAsync(v[0], Contract, 0.5)).Candidates);
        Assert.All(opened.Damage, d => Assert.Contains("cannot be decrypted", d, StringComparison.Ordinal));
        Assert.Equal(2, opened.Damage.Count);
    }
}
