using System.Formats.Tar;
using System.Text;
using UniFace.Data;
using UniFace.Data.Identity;
using UniFace.Data.Indexing;
using UniFace.TestSupport;

namespace UniFace.Tests.Data;

/// <summary>A set opened by its index is the set that was indexed; an index of another set, or a damaged one, is refused.</summary>
public class DatasetIndexTests
{
    [Fact]
    public void An_indexed_RecordIO_set_is_the_set()
    {
        using TempFolder folder = new();
        string set = Records().Save(folder.Root);
        using FaceDataset plain = FaceDatasets.Open(set);
        (string index, int people, int images) = DatasetIndexBuilder.Build(set);
        Assert.Equal((folder["train.ufindex"], 3, 40), (index, people, images));
        foreach (string path in new[] { set, folder["train.rec"] })
        {
            using FaceDataset indexed = FaceDatasets.Open(path);
            AssertSame(plain, indexed);
        }
    }

    [Fact]
    public void An_indexed_tar_or_folder_of_tars_is_the_folder()
    {
        string[] pictures = ["Zoe/2.jpg", "Ann/b.png", "Ann/a.jpg", "böb x/1.bmp"];
        using TempFolder folder = new();
        foreach (string picture in pictures)
        {
            folder.Write("folder/" + picture, Content(picture));
        }

        string tar = Tar(folder, "all.tar", pictures);
        Tar(folder, "shards/0.tar", pictures[..2]);
        Tar(folder, "shards/1.tar", pictures[2..]);
        folder.Write("shards/README.md", [1]);
        using FaceDataset plain = FaceDatasets.Open(folder["folder"]);
        foreach (string path in new[] { tar, folder["shards"] })
        {
            using (FaceDataset unindexed = FaceDatasets.Open(path))
            {
                AssertSame(plain, unindexed);
            }

            DatasetIndexBuilder.Build(path);
            using FaceDataset indexed = FaceDatasets.Open(path);
            Assert.IsType<IndexedDataset>(indexed);
            AssertSame(plain, indexed);
        }
    }

    [Fact]
    public void An_image_in_two_shards_is_refused()
    {
        using TempFolder folder = new();
        Tar(folder, "shards/0.tar", ["Ann/1.jpg"]);
        Tar(folder, "shards/1.tar", ["Ann/1.jpg", "Bob/1.jpg"]);
        string message = Assert.Throws<UniFaceException>(() => FaceDatasets.Open(folder["shards"])).Message;
        Assert.Contains("Ann/1.jpg is in 0.tar and in 1.tar", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_of_another_level_is_not_used()
    {
        using TempFolder folder = new();
        string tar = Tar(folder, "all.tar", ["x/Ann/1.jpg", "y/Bob/1.jpg"]);
        DatasetIndexBuilder.Build(tar, personLevel: 1);
        using FaceDataset top = FaceDatasets.Open(tar, 1);
        using FaceDataset second = FaceDatasets.Open(tar, 2);
        Assert.Equal(["x", "y"], top.People);
        Assert.Equal(["Ann", "Bob"], second.People);
    }

    [Fact]
    public void An_index_of_changed_records_is_refused()
    {
        using TempFolder folder = new();
        Records().Save(folder.Root);
        DatasetIndexBuilder.Build(folder["train.rec"]);
        Records(change: 1).Save(folder.Root); // The labels alone.
        AssertRefused("does not belong to", folder);
        string other = folder.Write("other.rec", File.ReadAllBytes(folder["train.rec"]));
        File.Copy(folder["train.ufindex"], folder["other.ufindex"]);
        Assert.Contains("an index of train.rec", Assert.Throws<UniFaceException>(() => FaceDatasets.Open(other)).Message, StringComparison.Ordinal);
        File.AppendAllText(folder["train.rec"], "more");
        AssertRefused("is another file", folder);
    }

    [Fact]
    public void An_index_that_is_cut_or_changed_anywhere_is_refused()
    {
        using TempFolder folder = new();
        Records().Save(folder.Root);
        (string path, _, _) = DatasetIndexBuilder.Build(folder["train.rec"]);
        byte[] good = File.ReadAllBytes(path);
        for (int at = 0; at < good.Length; at += 7)
        {
            File.WriteAllBytes(path, good[..at]);
            Assert.Throws<UniFaceException>(() => DatasetIndex.Open(path).Dispose());
            byte[] bad = [.. good];
            bad[at] ^= 0x41;
            File.WriteAllBytes(path, bad);
            Assert.Throws<UniFaceException>(() => DatasetIndex.Open(path).Dispose());
        }
    }

    [Fact]
    public void A_set_without_positions_is_not_indexed()
    {
        using TempFolder folder = new();
        folder.Write("Ann/1.jpg", [1]);
        folder.Write("Bob/1.jpg", [2]);
        Assert.Contains("cannot be indexed", Assert.Throws<UniFaceException>(() => DatasetIndexBuilder.Build(folder.Root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_fingerprint_tells_sizes_labels_and_contents_apart_and_not_a_folder_from_its_tar()
    {
        string[] pictures = ["Ann/1.jpg", "Ann/2.jpg", "Bob/1.jpg"];
        using TempFolder folder = new();
        foreach (string picture in pictures)
        {
            folder.Write("set/" + picture, Content(picture));
        }

        string expected = Fingerprint(folder["set"]);
        Assert.Equal(expected, Fingerprint(Tar(folder, "set.tar", pictures)));
        folder.Write("set/Bob/1.jpg", Content("other/1.jpg"));
        string longer = Fingerprint(folder["set"]);
        folder.Write("set/Bob/1.jpg", Content("Bab/1.jpg")); // of the same size
        string changed = Fingerprint(folder["set"]);
        Assert.Equal(3, new HashSet<string> { expected, longer, changed }.Count);

        static string Fingerprint(string path)
        {
            using FaceDataset dataset = FaceDatasets.Open(path);
            return DatasetFingerprint.Compute(dataset);
        }
    }

    private static RecordIOWriter Records(int change = 0)
    {
        RecordIOWriter writer = new();
        for (int i = 0; i < 40; i++)
        {
            writer.AddImage(i + 1, Content($"{i}"), 5 * ((i + (i is > 2 and < 37 ? change : 0)) % 3));
        }

        return writer;
    }

    private static string Tar(TempFolder folder, string name, string[] pictures)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        using TarWriter writer = new(File.Create(folder[name]), TarEntryFormat.Pax);
        foreach (string picture in pictures)
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, picture) { DataStream = new MemoryStream(Content(picture)) });
        }

        return folder[name];
    }

    private static byte[] Content(string name) => Encoding.UTF8.GetBytes("image of " + name);

    private static void AssertRefused(string words, TempFolder folder) =>
        Assert.Contains(words, Assert.Throws<UniFaceException>(() => FaceDatasets.Open(folder.Root)).Message, StringComparison.Ordinal);

    private static void AssertSame(FaceDataset expected, FaceDataset actual)
    {
        Assert.Equal(expected.People, actual.People);
        Assert.Equal(expected.Samples, actual.Samples);
        Assert.All(Enumerable.Range(0, expected.Samples.Count), i =>
        {
            Assert.Equal(expected.Read(i), actual.Read(i));
            Assert.Equal(expected.Read(i).Length, actual.SizeOf(i));
            Assert.Equal(expected.Samples[i].Label, actual.LabelOf(i));
        });
        Assert.Equal(expected.ComputeHash(), actual.ComputeHash());
        Assert.Equal(DatasetFingerprint.Compute(expected), DatasetFingerprint.Compute(actual));
    }
}
