using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Pipes;
using UniFace.Data;
using UniFace.Data.Pairs;

namespace UniFace.Tests.Data;

/// <summary>Every file of a folder or tar is an image, is listed with the reason why it is not used, or is counted; none is listed twice.</summary>
public class ImageListingTests
{
    private static readonly byte[] Jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. "JFIF"u8, 0];

    private static readonly (string Name, byte[] Bytes)[] Files =
    [
        ("Ann/1.jpg", Jpeg),
        ("Ann/2.JFIF", Jpeg),
        ("Ann/3.jpe", Jpeg),
        ("Ann/4.mpo", Jpeg),
        ("Ann/IMG_0005", Jpeg),
        ("Ann/6.photo", [0x89, .. "PNG\r\n\x1A\n"u8]),
        ("Bob/iphone.heic", [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8]),
        ("Bob/a.avif", [0, 0, 0, 24, .. "ftypavif"u8, 0, 0, 0, 0, .. "mif1avif"u8]),
        ("Bob/scan.tiff", [.. "II*\0"u8, 8, 0, 0, 0]),
        ("Bob/drawing.psd", [.. "8BPS"u8, 0, 1]),
        ("Bob/page", [.. "%PDF-1.7"u8]),
        ("Bob/empty", []),
        ("Bob/notes.doc", [1, 2, 3]),
        ("Bob/2.gif", [.. "GIF89a"u8, 1, 0, 1, 0]),
        ("Bob/notes.txt", Jpeg),
        ("Thumbs.db", [1]),
        ("contact-sheet.jpg", Jpeg),
        ("align-report.json", [1]),
        (".DS_Store", [1]),
        (".cache/x.jpg", Jpeg),
        ("__MACOSX/._1.jpg", Jpeg),
    ];

    private static readonly string[] Pictures =
        ["Ann/1.jpg", "Ann/2.JFIF", "Ann/3.jpe", "Ann/4.mpo", "Ann/6.photo", "Ann/IMG_0005", "Bob/2.gif", "Bob/a.avif", "Bob/iphone.heic"];

    private static readonly string[] LeftOut = ["Bob/drawing.psd", "Bob/empty", "Bob/notes.doc", "Bob/page", "Bob/scan.tiff"];

    [Fact]
    public void Images_are_recognized_by_content_and_other_files_are_listed_or_counted()
    {
        using TempFolder folder = new();
        foreach ((string name, byte[] bytes) in Files)
        {
            folder.Write("set/" + name, bytes);
        }

        string tar = folder["set.tar"];
        using (TarWriter writer = new(File.Create(tar)))
        {
            foreach ((string name, byte[] bytes) in Files)
            {
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
            }
        }

        foreach (string path in new[] { folder["set"], tar })
        {
            using PhotoSet photos = PhotoSet.Open(path);
            Assert.Equal(Pictures, photos.Names);
            Assert.Equal(LeftOut, photos.Skipped.Select(file => file.Name));
            Assert.Equal(["a Photoshop file", "empty"], photos.Skipped.Take(2).Select(file => file.Reason));
            Assert.Equal(Jpeg, photos.Read(5));
            using FaceDataset dataset = FaceDatasets.Open(path);
            Assert.Equal(Pictures, dataset.Samples.Select(sample => sample.Name));
            Assert.Equal(LeftOut, dataset.Skipped.Select(file => file.Name));
            Assert.Equal(Jpeg, dataset.Read(5));
            Assert.Contains(
                "5 files skipped: Bob/drawing.psd (a Photoshop file), Bob/empty (empty), Bob/notes.doc",
                dataset.Warnings[^1],
                StringComparison.Ordinal);

            // A hidden folder is one; a tar lists the files in it.
            Assert.Equal(7, photos.IgnoredFiles);
            Assert.Equal(7, dataset.IgnoredFiles);
        }
    }

    [Fact]
    public void A_folder_without_readable_images_is_refused_with_its_content()
    {
        using TempFolder folder = new();
        folder.Write("Bob/scan.tiff", [.. "II*\0"u8, 8, 0, 0, 0]);
        Assert.Contains(
            "skipped: Bob/scan.tiff (a TIFF image",
            Assert.Throws<UniFaceException>(() => PhotoSet.Open(folder.Root)).Message,
            StringComparison.Ordinal);
        string tgz = folder.Write("x.tgz", [0x1F, 0x8B, 8, 0]);
        Assert.Contains("cannot be unpacked", Assert.Throws<UniFaceException>(() => PhotoSet.Open(tgz)).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be unpacked", Assert.Throws<UniFaceException>(() => FaceDatasets.Open(tgz)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Links_are_followed_and_list_nothing_twice()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links take a privilege on Windows");
        using TempFolder folder = new();
        folder.Write("set/Ann/1.jpg", Jpeg);
        folder.Write("elsewhere/Bob/2.jpg", Jpeg);
        folder.Write("elsewhere/Carl/3.jpg", Jpeg);
        Directory.CreateSymbolicLink(folder["set/Ann/up"], "..");
        Directory.CreateSymbolicLink(folder["set/Ann/again"], folder["set/Ann"]);
        Directory.CreateSymbolicLink(folder["set/Bob"], folder["elsewhere/Bob"]);
        Directory.CreateSymbolicLink(folder["set/Bobby"], "Bob");
        File.CreateSymbolicLink(folder["set/Ann/1b.jpg"], "1.jpg");
        File.CreateSymbolicLink(folder["set/Ann/3.jpg"], folder["elsewhere/Carl/3.jpg"]);
        File.CreateSymbolicLink(folder["set/Ann/4.jpg"], "3.jpg");
        File.CreateSymbolicLink(folder["set/Ann/lost.jpg"], "absent.jpg");
        using PhotoSet photos = PhotoSet.Open(folder["set"]);
        Assert.Equal(["Ann/1.jpg", "Ann/3.jpg", "Bob/2.jpg"], photos.Names);
        Assert.Equal(Jpeg, photos.Read(1));
        Assert.Equal(["Ann/1b.jpg", "Ann/4.jpg", "Ann/again", "Ann/lost.jpg", "Ann/up", "Bobby"], photos.Skipped.Select(file => file.Name));
        using FaceDataset dataset = FaceDatasets.Open(folder["set"]);
        Assert.Equal(photos.Names, dataset.Samples.Select(sample => sample.Name));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_pipe_named_like_an_image_does_not_block()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "other systems have no such files");
        using TempFolder folder = new();
        folder.Write("Ann/1.jpg", Jpeg);
        using (Process made = Process.Start("mkfifo", [folder["Ann/2.jpg"]]))
        {
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await Task.Run(
            () =>
            {
                using PhotoSet photos = PhotoSet.Open(folder.Root);
                Assert.Contains("is empty", Assert.Throws<UniFaceException>(() => photos.Read(1)).Message, StringComparison.Ordinal);
                using FaceDataset dataset = FaceDatasets.Open(folder.Root);
                Assert.Empty(dataset.Read(1));
            },
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_pipe_in_place_of_a_pairs_file_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc");
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        string path = $"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
        Assert.Contains("expected a file", Assert.Throws<UniFaceException>(() => PathPairs.TryRead(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_name_that_is_not_UTF8_is_reported_with_advice()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems have no such names");
        using TempFolder folder = new();
        folder.Write("Ann/1.jpg", Jpeg);
        folder.Write("Bj\uFFFDrk/2.jpg", Jpeg);
        Shell("mkdir");
        using PhotoSet photos = PhotoSet.Open(folder.Root);
        Shell("rmdir");
        Assert.Equal(["Ann/1.jpg", "Bj\uFFFDrk/2.jpg"], photos.Names);
        SkippedFile left = Assert.Single(photos.Skipped);
        Assert.Equal("Bj\uFFFDrn", left.Name);
        Assert.Contains("rename it", left.Reason, StringComparison.Ordinal);

        // .NET can neither make nor remove it.
        void Shell(string command)
        {
            using Process shell = Process.Start("sh", ["-c", $"{command} \"$0/$(printf 'Bj\\366rn')\"", folder.Root]);
            shell.WaitForExit();
        }
    }
}
