using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>A copy is consistent, and a restored or rekeyed gallery contains no old bytes, whenever processes are killed.</summary>
public sealed class GalleryBackupTests : IDisposable
{
    private const string Contract = GalleryFolder.Contract;

    private static readonly GalleryKey Other = GalleryKey.FromText(new string('1', 64), "test");

    private readonly GalleryFolder folder = new();
    private readonly float[][] rows = Rows.Random(400, 64, 3);

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_backup_during_enrollments_is_consistent_and_restores_its_state(bool encrypted)
    {
        GalleryKey? key = encrypted ? GalleryFolder.Key : null;
        string path = folder.Create(crops: true, key: key, size: 64), backup = Path.Combine(folder.Root, "copies", "b.gallery");
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key);
        await EnrollAsync(gallery, 0, 100);
        await gallery.StoreIndexAsync();
        using CancellationTokenSource done = new();
        Task<int> writer = Task.Run(async () =>
        {
            int next = 100;
            for (; !done.IsCancellationRequested && next < rows.Length; next += 2)
            {
                await EnrollAsync(gallery, next, 2);
            }

            return next;
        });
        await gallery.BackupAsync(backup);
        await done.CancelAsync();
        int enrolled = await writer;
        await Errors.ContainAsync("exists already", () => gallery.BackupAsync(backup));
        Assert.Equal(["b.gallery"], Directory.GetFiles(Path.GetDirectoryName(backup)!).Select(Path.GetFileName));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(backup));
        }

        // The copy holds whole batches, and nobody who was enrolled later.
        long kept;
        await using (SqliteGallery copy = await SqliteGallery.OpenAsync(backup, key))
        {
            kept = (await copy.CountAsync()).Templates;
            Assert.True(kept >= 100 && kept <= enrolled && kept % 2 == 0);
            Assert.Empty(await copy.VerifyIntegrityAsync());
        }

        // A new person is enrolled, then the backup is restored: the index and open galleries notice it.
        await gallery.EnrollAsync([new Enrollment("Somebody-New", rows[399].Select(v => -v).ToArray(), new byte[] { 1 })], Contract);
        await gallery.StoreIndexAsync();
        await Errors.ContainAsync("overwrite it", () => SqliteGallery.RestoreAsync(backup, path, key));
        await SqliteGallery.RestoreAsync(backup, path, key, overwrite: true);
        await Errors.ContainAsync("open it again", () => gallery.SearchAsync(rows[1], Contract, 1));
        await Errors.ContainAsync("open it again", () => EnrollAsync(gallery, 1, 1));
        Assert.Empty(folder.FilesWith(rows[399].Select(v => -v).ToArray()));
        Assert.Empty(folder.FilesWith("Somebody-New"));
        string second = Path.Combine(folder.Root, "second.gallery");
        await SqliteGallery.RestoreAsync(backup, second, key);
        foreach (string restored in new[] { path, second })
        {
            await using SqliteGallery opened = await SqliteGallery.OpenAsync(restored, key);
            Assert.Equal(kept, (await opened.CountAsync()).Templates);
            Assert.Equal("Name-of-007", (await opened.IdentifyAsync(rows[7], Contract, 0.99)).Person);
            await EnrollAsync(opened, 399, 1);
            Assert.Empty(await opened.VerifyIntegrityAsync());
        }
    }

    [Fact]
    public async Task A_backup_deletes_the_temporary_files_of_a_killed_one_but_not_of_a_running_one()
    {
        await using SqliteGallery gallery = await folder.New(size: 64);
        await EnrollAsync(gallery, 0, 10);
        string copies = Directory.CreateDirectory(Path.Combine(folder.Root, "copies")).FullName, backup = Path.Combine(copies, "b.gallery");

        // In a container every service has the same process number, so a killed process may have had the number of this one.
        string own = $"{backup}.{Environment.ProcessId}.tmp";
        string[] dead = [$"{backup}.{int.MaxValue}.tmp", own, own + "-lock", backup + ".7.tmp-journal"];
        string running = backup + ".9.tmp", others = Path.Combine(copies, "c.gallery.7.tmp");
        foreach (string file in (IEnumerable<string>)[.. dead, running, others])
        {
            File.WriteAllText(file, "x");
        }

        using (new FileStream(running + "-lock", FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await gallery.BackupAsync(backup);
        }

        Assert.Equal([backup, running, running + "-lock", others], Directory.GetFiles(copies).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_damaged_gallery_is_not_copied_and_a_damaged_backup_is_not_restored()
    {
        string path = folder.Create(size: 64), backup = Path.Combine(folder.Root, "b.gallery");
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
        await EnrollAsync(gallery, 0, 100);
        await gallery.BackupAsync(backup);
        byte[] bytes = File.ReadAllBytes(backup);
        bytes[bytes.AsSpan().IndexOf(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(rows[9])[..16])] ^= 1;
        File.WriteAllBytes(backup, bytes);
        await Errors.ContainAsync("template 10 of Name-of-009", () => SqliteGallery.RestoreAsync(backup, path, overwrite: true));
        await using SqliteGallery damaged = await SqliteGallery.OpenAsync(backup);
        await Assert.ThrowsAsync<UniFaceException>(() => damaged.BackupAsync(Path.Combine(folder.Root, "none")));
        Assert.False(File.Exists(Path.Combine(folder.Root, "none")));
        Assert.Equal("Name-of-007", (await gallery.IdentifyAsync(rows[7], Contract, 0.99)).Person);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task A_new_key_opens_everything_and_no_old_bytes_are_left_even_after_a_kill(bool before, bool after)
    {
        GalleryKey? old = before ? GalleryFolder.Key : null, next = after ? Other : null;
        string path = folder.Create(crops: true, key: old, size: 64), killed = Directory.CreateDirectory(Path.Combine(folder.Root, "killed")).FullName;
        byte[] ciphertext;
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, old))
        {
            await EnrollAsync(gallery, 0, 300);
            await gallery.StoreIndexAsync();
            await gallery.EraseAsync();
        }

        using (GalleryDatabase database = await GalleryDatabase.OpenAsync(path))
        {
            ciphertext = (byte[])(await database.ReadAsync(session => session.ScalarAsync("SELECT embedding FROM template WHERE id = 200"), default))!;
        }

        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, old))
        {
            gallery.Step = step =>
            {
                if (step == "rekeyed")
                {
                    foreach (string file in Directory.GetFiles(folder.Root).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)))
                    {
                        File.Copy(file, Path.Combine(killed, Path.GetFileName(file)));
                    }
                }
            };
            await gallery.RekeyAsync(next);
            await Assert.ThrowsAsync<UniFaceException>(() => EnrollAsync(gallery, 300, 1));
        }

        foreach (string place in new[] { path, Path.Combine(killed, Path.GetFileName(path)) })
        {
            await Assert.ThrowsAsync<UniFaceException>(() => SqliteGallery.OpenAsync(place, old));
            await using SqliteGallery opened = await SqliteGallery.OpenAsync(place, next);
            foreach (string file in Directory.GetFiles(Path.GetDirectoryName(place)!).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)))
            {
                using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                byte[] all = new byte[stream.Length];
                stream.ReadExactly(all);
                Assert.True(all.AsSpan().IndexOf(ciphertext.AsSpan(40, 16)) < 0, file);
                Assert.True(next is null || all.AsSpan().IndexOf("Name-of-1"u8) < 0, file);
            }

            Assert.Equal(after, opened.Info.Encrypted);
            Assert.Empty(await opened.VerifyIntegrityAsync());
            StoredPerson person = (await opened.ReadPersonAsync("Name-of-199"))!;
            Assert.Equal(("photo-199", 199), (person.Templates[0].Source, person.Templates[0].Crop.Span[0]));
            Assert.Equal("Name-of-199", (await opened.IdentifyAsync(rows[199], Contract, 0.99)).Person);
            Assert.True(await opened.RemoveAsync("Name-of-199"));
        }
    }

    private Task<IReadOnlyList<long>> EnrollAsync(SqliteGallery gallery, int first, int count) =>
        gallery.EnrollAsync([.. Enumerable.Range(first, count).Select(Person)], Contract);

    private Enrollment Person(int i) => new($"Name-of-{i:D3}", rows[i], new byte[] { (byte)i }, $"photo-{i}", i.ToString("x64", null));
}
