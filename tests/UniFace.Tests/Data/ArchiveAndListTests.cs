using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using CsCheck;
using UniFace.Data;
using UniFace.Data.Archives;

namespace UniFace.Tests.Data;

/// <summary>A set is the same in a folder, tgz or zip, and a damaged archive or list is an error in one line with bounded memory.</summary>
public sealed class ArchiveAndListTests : IDisposable
{
    private static readonly string[] Names = ["Zoe/2.jpg", "Ann/b.png", "Ann/a.jpg", "böb x/1.bmp"];

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("set.tgz", "")]
    [InlineData("set.tar.gz", "lfw/")]
    [InlineData("set.zip", "")]
    [InlineData("train data.zip", "sets/lfw/")]
    public void An_archive_opens_like_the_folder(string name, string prefix)
    {
        foreach (string picture in Names)
        {
            folder.Write("set/" + picture, Content(picture));
        }

        string path = folder.Write(name, name.EndsWith(".zip", StringComparison.Ordinal) ? Zip(prefix) : Tgz(prefix));
        using FaceDataset plain = FaceDatasets.Open(folder["set"]), packed = FaceDatasets.Open(path);
        Assert.Equal(plain.People, packed.People);
        Assert.Equal(plain.Samples, packed.Samples);
        Assert.Equal(plain.ComputeHash(), packed.ComputeHash()); // read from several threads at once
        using PhotoSet photos = PhotoSet.Open(path);
        Assert.Equal(Names.Select(picture => prefix + picture).Order(StringComparer.Ordinal), photos.Names);
        Assert.Equal(Content("Ann/a.jpg"), photos.Read(0));
    }

    [Fact]
    public void A_RecordIO_set_in_a_zip_is_refused_with_advice()
    {
        string path = folder.Write("set.zip", Zip("", ("train.rec", [1])));
        Assert.Contains("unpack it first", Assert.Throws<UniFaceException>(() => FaceDatasets.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_that_claims_more_bytes_than_it_has_allocates_no_memory()
    {
        byte[] zip = Zip("");
        int central = zip.AsSpan().LastIndexOf("PK\x1\x2"u8);
        BitConverter.GetBytes(0x7FFFFFF0).CopyTo(zip, central + 24);
        string path = folder.Write("set.zip", zip);
        using PhotoSet photos = PhotoSet.Open(path);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(
            "claims",
            Assert.Throws<UniFaceException>(() => Enumerable.Range(0, photos.Names.Count).Sum(i => photos.Read(i).Length)).Message,
            StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 << 20);
    }

    [Fact]
    public void A_small_tgz_that_unpacks_to_a_huge_file_is_refused()
    {
        using MemoryStream bomb = new();
        using (GZipStream gzip = new(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(new byte[(1 << 20) + 1]);
        }

        string path = folder.Write("set.tgz", bomb.ToArray());
        Assert.Contains(
            "unpacks to more than", Assert.Throws<UniFaceException>(() => TarArchive.OpenCompressed(path, 1 << 20)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_zip_or_tgz_is_an_error_and_never_another_exception()
    {
        byte[][] archives = [Zip(""), Tgz("")];
        Gen.Select(Gen.Int[0, 1], Gen.Select(Gen.Int[0, 1 << 20], Gen.Byte).Array[1, 4]).Sample((which, changes) =>
        {
            byte[] bytes = [.. archives[which]];
            foreach ((int at, byte value) in changes)
            {
                bytes[at % bytes.Length] = value;
            }

            string path = folder.Write($"damaged-{Environment.CurrentManagedThreadId}.bin", bytes);
            try
            {
                using FaceDataset dataset = FaceDatasets.Open(path);
                for (int i = 0; i < dataset.Samples.Count; i++)
                {
                    dataset.Read(i);
                }
            }
            catch (UniFaceException)
            {
                // Expected for damage.
            }
        }, iter: 1000);
    }

    [Fact]
    public void A_list_names_images_beside_it_and_people_by_their_labels()
    {
        foreach (string picture in Names)
        {
            folder.Write(picture, Content(picture));
        }

        string list = folder.Write("train.lst", "0\t7.000000\tZoe/2.jpg\n1\t3\tAnn/a.jpg\r\n\n2\t3\t0.5\tAnn\\b.png\n"u8);
        using FaceDataset dataset = FaceDatasets.Open(list);
        Assert.Equal(["3", "7"], dataset.People);
        Assert.Equal([("Zoe/2.jpg", 1), ("Ann/a.jpg", 0), ("Ann/b.png", 0)], dataset.Samples.Select(sample => (sample.Name, sample.Label)));
        Assert.Equal(Content("Ann/b.png"), dataset.Read(2));
        Assert.Contains("labels are not 0 to 1", Assert.Single(dataset.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("0\t1\ta\0.jpg\n", "expected INDEX TAB LABEL TAB PATH")]
    [InlineData("0\t1\n", "line 1 is '0\t1', expected INDEX TAB LABEL TAB PATH")]
    [InlineData("0\t1\ta.jpg\n1\t0.5\tb.jpg\n", "line 2")]
    [InlineData("0\t-1\ta.jpg\n", "line 1")]
    [InlineData("0\t1e9\ta.jpg\n", "line 1")]
    public void A_list_of_another_form_is_refused_with_the_line_number(string text, string expected)
    {
        string list = folder.Write("train.lst", Encoding.UTF8.GetBytes(text));
        Assert.Contains(expected, Assert.Throws<UniFaceException>(() => FaceDatasets.Open(list)).Message, StringComparison.Ordinal);
    }

    private static byte[] Content(string name) => [.. Enumerable.Repeat(Encoding.UTF8.GetBytes(name), name.Length * 9).SelectMany(b => b)];

    private static byte[] Zip(string prefix, params (string Name, byte[] Bytes)[] more)
    {
        using MemoryStream stream = new();
        using (ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] bytes) in Names.Select(name => (prefix + name, Content(name))).Concat(more))
            {
                using Stream entry = zip.CreateEntry(name).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    private static byte[] Tgz(string prefix)
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true))
        using (TarWriter tar = new(gzip, TarEntryFormat.Pax))
        {
            foreach (string name in Names)
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, prefix + name) { DataStream = new MemoryStream(Content(name)) });
            }
        }

        return stream.ToArray();
    }
}
