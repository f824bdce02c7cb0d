using System.Diagnostics;
using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>A gallery that cannot be written is searched, and no file is created beside it.</summary>
public sealed class ReadOnlyGalleryTests : IDisposable
{
    private const string Contract = GalleryFolder.Contract;

    private readonly GalleryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_gallery_that_cannot_be_written_is_searched_also_one_of_an_older_version(bool old)
    {
        string path = folder.Create(crops: true);
        float[][] v = Rows.Random(20, 8, 3);
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path))
        {
            await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment("p" + i, x, new byte[] { 1 }))], Contract);
        }

        if (old)
        {
            using SqliteDatabase database = await SqliteDatabase.OpenAsync(path);
            await database.WriteAsync(
                session => session.RunAsync("ALTER TABLE template DROP COLUMN photo; ALTER TABLE template DROP COLUMN enrolled;"), default);
        }

        string[] files = Directory.GetFiles(folder.Root);
        await using (SqliteGallery opened = await SqliteGallery.OpenAsync(await SqliteDatabase.OpenReadOnlyAsync(path), null, default))
        {
            Assert.Equal("p7", (await opened.IdentifyAsync(v[7], Contract, 0.99)).Person);
            Assert.Equal(20, (await opened.CountAsync()).Templates);
            Assert.Single((await opened.ReadPersonAsync("p3"))!.Templates);
            Assert.Equal([null], (await opened.GetPhotosAsync("p3")).Values);
            Assert.Empty(await opened.VerifyIntegrityAsync());
            await opened.StoreIndexAsync();
            Func<Task>[] writes =
            [
                () => opened.EnrollAsync([new Enrollment("x", v[0], new byte[] { 1 })], Contract),
                () => opened.RemoveAsync("p3"),
                () => opened.RebuildIndexAsync(),
            ];
            foreach (Func<Task> write in writes)
            {
                await ErrorAssert.ContainsAsync("cannot be written", write);
            }

            Assert.Equal(files, Directory.GetFiles(folder.Root));
        }
    }

    [Fact]
    public async Task A_gallery_on_a_read_only_mount_is_searched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mounts a folder");
        string path = folder.Create(), mounted = Directory.CreateTempSubdirectory("uniface-").FullName;
        float[][] v = Rows.Random(20, 8, 3);
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path))
        {
            await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment("p" + i, x))], Contract);
            await gallery.StoreIndexAsync();
        }

        try
        {
            Assert.SkipUnless(Run("mount", "--bind", folder.Root, mounted) && Run("mount", "-o", "remount,ro,bind", mounted), "may not mount");
            await using SqliteGallery opened = await SqliteGallery.OpenAsync(Path.Combine(mounted, Path.GetFileName(path)));
            Assert.Equal("p7", (await opened.IdentifyAsync(v[7], Contract, 0.99)).Person);
            await ErrorAssert.ContainsAsync("cannot be written", () => opened.RemoveAsync("p7"));
        }
        finally
        {
            Run("umount", "--lazy", mounted); // The child process of another test may still hold it.
            Directory.Delete(mounted);
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
