using UniFace.IO;
using UniFace.Tests.Data;

namespace UniFace.Tests.IO;

/// <summary>A lock has one holder at a time and is released when its process ends; a written file is complete and has the requested permissions.</summary>
public sealed class FileLockTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_second_holder_waits_and_then_fails_with_the_path_of_the_lock()
    {
        string path = folder["sub/keys.json"];
        using (FileLock.AcquireFor(path))
        {
            Assert.True(FileLock.IsHeld(path + ".lock"));
            Assert.Null(FileLock.TryAcquire(path + ".lock"));
            UniFaceException e = Assert.Throws<UniFaceException>(() => FileLock.AcquireFor(path, TimeSpan.FromMilliseconds(30)));
            Assert.Contains("keys.json.lock", e.Message, StringComparison.Ordinal);
        }

        Assert.False(FileLock.IsHeld(path + ".lock"));
        FileLock.AcquireFor(path, TimeSpan.Zero).Dispose();
    }

    [Fact]
    public void No_update_under_the_lock_is_lost()
    {
        string path = folder["count.txt"];
        AtomicFile.WriteText(path, "0");
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 10; i++)
            {
                using FileLock held = FileLock.AcquireFor(path, TimeSpan.FromMinutes(10)); // a slow disk, and others first
                int count = int.Parse(File.ReadAllText(path), System.Globalization.CultureInfo.InvariantCulture);
                AtomicFile.WriteText(path, FormattableString.Invariant($"{count + 1}"));
            }
        });
        Assert.Equal("80", File.ReadAllText(path));
        Assert.Equal(["count.txt", "count.txt.lock"], Directory.GetFiles(folder.Root).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_file_is_readable_at_every_moment_while_it_is_replaced()
    {
        string path = folder["keys.json"];
        AtomicFile.WriteText(path, "0");
        using CancellationTokenSource ended = new();
        Task reading = Task.Run(() =>
        {
            while (!ended.IsCancellationRequested)
            {
                Assert.NotEmpty(File.ReadAllBytes(path));
            }
        });
        for (int i = 0; i < 300 && !reading.IsFaulted; i++)
        {
            AtomicFile.WriteText(path, FormattableString.Invariant($"{i}"));
        }

        await ended.CancelAsync();
        await reading;
    }

    [Fact]
    public void An_owner_only_file_is_owner_only_from_its_first_byte()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no Unix file modes.");
        string path = folder["secret"];
        UnixFileMode whileWritten = default;
        AtomicFile.Write(path, stream =>
        {
            whileWritten = OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(((FileStream)stream).Name);
            stream.WriteByte(1);
        }, ownerOnly: true);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, whileWritten);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path));
    }
}
