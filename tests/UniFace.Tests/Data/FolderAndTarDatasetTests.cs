using System.Formats.Tar;
using System.Text;
using CsCheck;
using UniFace.Data;
using UniFace.TestSupport;

namespace UniFace.Tests.Data;

/// <summary>A tar and the folder it was made from are the same data set; a damaged tar is an error, never a crash.</summary>
public class FolderAndTarDatasetTests
{
    private static readonly string[] Pictures = ["Zoe/2.jpg", "Ann/b.PNG", "Ann/a.jpg", "Ann/c.webp", "böb x/1.bmp", "Zoe/10.jpeg"];

    private static readonly string[] InOrder = ["Ann/a.jpg", "Ann/b.PNG", "Ann/c.webp", "Zoe/10.jpeg", "Zoe/2.jpg", "böb x/1.bmp"];

    [Fact]
    public void One_folder_per_person_opens_in_ordinal_order_and_other_files_are_skipped()
    {
        using TempFolder folder = new();
        foreach (string picture in Pictures)
        {
            folder.Write(picture, Content(picture));
        }

        folder.Write("Ann/notes.txt", [1]);
        folder.Write("Ann/._a.jpg", [1]);
        folder.Write(".cache/x.jpg", [1]);
        folder.Write("contact-sheet.png", [1]);
        Directory.CreateDirectory(folder["Nobody"]);
        using FaceDataset dataset = FaceDatasets.Open(folder.Root);
        AssertPictures(dataset);
        Assert.Contains("1 picture beside", dataset.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("Nobody", dataset.Warnings[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void A_tar_of_any_format_opens_like_the_folder_with_or_without_a_top_folder(TarEntryFormat format)
    {
        foreach (string prefix in new[] { "", "./", "lfw/", "./sets/lfw/" })
        {
            using TempFolder folder = new();
            string tar = Tar(folder, format, [.. Pictures.Select(picture => (prefix + picture, Content(picture)))]);
            using FaceDataset dataset = FaceDatasets.Open(tar);
            AssertPictures(dataset);
        }
    }

    [Theory]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void Names_longer_than_a_tar_header_are_read_completely(TarEntryFormat format)
    {
        string person = new('p', 90);
        string other = new('q', 90);
        using TempFolder folder = new();
        string tar = Tar(folder, format, [($"{person}/{new string('x', 60)}.jpg", [1]), ($"{other}/{new string('y', 60)}.jpg", [2, 2])]);
        using FaceDataset dataset = FaceDatasets.Open(tar);
        Assert.Equal([person, other], dataset.People);
        Assert.Equal($"{other}/{new string('y', 60)}.jpg", dataset.Samples[1].Name);
        Assert.Equal([2, 2], dataset.Read(1));
    }

    [Fact]
    public void A_folder_and_its_tar_have_the_same_hash_and_any_change_alters_it()
    {
        using TempFolder folder = new();
        foreach (string picture in Pictures)
        {
            folder.Write(Path.Combine("set", picture), Content(picture));
        }

        string tar = Tar(folder, TarEntryFormat.Pax, [.. Pictures.Select(picture => (picture, Content(picture)))]);
        string hash = Hash(folder["set"]);
        Assert.Equal(hash, Hash(tar));
        Assert.Matches("^[0-9a-f]{64}$", hash);
        folder.Write("set/Ann/a.jpg", [.. Content("Ann/a.jpg"), 0]);
        string content = Hash(folder["set"]);
        folder.Write("set/Ann/a.jpg", Content("Ann/a.jpg"));
        Assert.Equal(hash, Hash(folder["set"]));
        File.Move(folder["set/Ann/a.jpg"], folder["set/Ann/A.jpg"]);
        string name = Hash(folder["set"]);
        File.Move(folder["set/Ann/A.jpg"], folder["set/Zoe/a.jpg"]);
        Assert.Equal(4, new[] { hash, content, name, Hash(folder["set"]) }.Distinct().Count());
    }

    [Fact]
    public void A_tar_of_a_RecordIO_set_opens_as_the_set()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddRange(0, 3, 3).AddImage(1, [1, 2, 3], 0).AddImage(2, [4], 1);
        string tar = Tar(
            folder,
            TarEntryFormat.Gnu,
            [("faces/train.idx", writer.Index), ("faces/train.rec", writer.Records), ("faces/property", Encoding.ASCII.GetBytes("2,112,112"))]);
        using FaceDataset dataset = FaceDatasets.Open(tar);
        Assert.Equal(["record 1", "record 2"], dataset.Samples.Select(sample => sample.Name));
        Assert.Equal([1, 2, 3], dataset.Read(0));
        Assert.Empty(dataset.Warnings);
        string lonely = Tar(folder, TarEntryFormat.Ustar, [("faces/train.rec", writer.Records)]);
        using FaceDataset rebuilt = FaceDatasets.Open(lonely);
        Assert.Equal(["record 1", "record 2"], rebuilt.Samples.Select(sample => sample.Name));
        Assert.Contains("the index was rebuilt", rebuilt.Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Hard_links_in_a_tar_are_followed_and_the_later_of_two_entries_of_one_name_counts()
    {
        using TempFolder folder = new();
        string path = folder["set.tar"];
        using (TarWriter writer = new(File.Create(path), TarEntryFormat.Ustar))
        {
            Add(writer, "Ann/1.jpg", [1]);
            Add(writer, "Bob/1.jpg", [2]);
            Add(writer, "Ann/1.jpg", [3, 3]);
            writer.WriteEntry(new UstarTarEntry(TarEntryType.HardLink, "Bob/2.jpg") { LinkName = "Ann/1.jpg" });
            writer.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "Bob/3.jpg") { LinkName = "Ann/1.jpg" });
            writer.WriteEntry(new UstarTarEntry(TarEntryType.Directory, "Carl/"));
        }

        using FaceDataset dataset = FaceDatasets.Open(path);
        Assert.Equal(["Ann/1.jpg", "Bob/1.jpg", "Bob/2.jpg"], dataset.Samples.Select(sample => sample.Name));
        Assert.Equal([3, 3], dataset.Read(0));
        Assert.Equal([3, 3], dataset.Read(2));

        static void Add(TarWriter writer, string name, byte[] bytes) => writer.WriteEntry(
            new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
    }

    [Fact]
    public void A_path_that_is_not_a_data_set_is_refused_with_a_description_of_one()
    {
        using TempFolder folder = new();
        string[] wrongs =
        [
            folder["absent"], folder.Root, folder.Write("a.jpg", [1, 2]), folder.Write("flat/1.jpg", [1]),
            Path.GetDirectoryName(folder.Write("flat2/2.jpg", [1]))!, Path.GetDirectoryName(folder.Write("deep/Ann/x/1.jpg", [1])) + "/../..",
        ];
        foreach (string wrong in wrongs)
        {
            string path = wrong.EndsWith("1.jpg", StringComparison.Ordinal) ? Path.GetDirectoryName(wrong)! : wrong;
            if (path.EndsWith("../..", StringComparison.Ordinal))
            {
                folder.Write("deep/Bob/1.jpg", [1]);
            }

            UniFaceException error = Assert.Throws<UniFaceException>(() => FaceDatasets.Open(path).Dispose());
            Assert.Contains("a folder with one folder per person", error.Message, StringComparison.Ordinal);
            File.Delete(folder["a.jpg"]);
        }
    }

    [Fact]
    public void A_truncated_tar_is_an_error_or_has_every_file_that_it_names()
    {
        using TempFolder folder = new();
        byte[] whole = File.ReadAllBytes(Tar(folder, TarEntryFormat.Pax, [.. Pictures.Select(picture => (picture, Content(picture)))]));
        for (int length = 0; length < whole.Length; length += length % 512 is > 3 and < 506 ? 7 : 1)
        {
            string path = folder.Write("cut.tar", whole.AsSpan(0, length));
            try
            {
                using FaceDataset dataset = FaceDatasets.Open(path);
                for (int i = 0; i < dataset.Samples.Count; i++)
                {
                    Assert.Equal(Content(dataset.Samples[i].Name), dataset.Read(i));
                }
            }
            catch (UniFaceException)
            {
                // What a cut is for.
            }
        }
    }

    [Fact]
    public void A_damaged_tar_gives_an_error_or_another_value_never_another_exception()
    {
        using TempFolder source = new();
        byte[] pax = File.ReadAllBytes(Tar(source, TarEntryFormat.Pax, [.. Pictures.Take(2).Select(picture => (picture, Content(picture)))]));
        byte[] gnu = File.ReadAllBytes(Tar(source, TarEntryFormat.Gnu, [(new string('a', 120) + "/1.jpg", [1]), ("b/2.jpg", [2])]));
        Gen.Select(Gen.Bool, Gen.Select(Gen.Int[0, 1 << 20], Gen.Byte).Array[1, 3], Gen.Bool).Sample((first, changes, repair) =>
        {
            byte[] bytes = [.. first ? pax : gnu];
            foreach ((int at, byte value) in changes)
            {
                bytes[at % bytes.Length] = value;
            }

            if (repair)
            {
                RepairChecksums(bytes); // else nearly every change ends at the checksum
            }

            using TempFolder folder = new();
            try
            {
                using FaceDataset dataset = FaceDatasets.Open(folder.Write("x.tar", bytes));
                for (int i = 0; i < dataset.Samples.Count; i++)
                {
                    dataset.Read(i);
                }
            }
            catch (UniFaceException)
            {
                // What damage is for.
            }
        }, iter: 3000);
    }

    [Fact]
    public void The_CelebA_tar_of_the_research_data_opens_with_its_people_and_images()
    {
        using FaceDataset dataset = FaceDatasets.Open(SharedData.Require("data/celeba-faces.tar"));
        Assert.Equal(256, dataset.People.Count);
        Assert.Equal(5177, dataset.Samples.Count);
        Assert.Equal(162, dataset.SamplesByPerson().Count(samples => samples.Length >= 20));
        Assert.Equal([0xFF, 0xD8], dataset.Read(5176)[..2]);
    }

    private static void AssertPictures(FaceDataset dataset)
    {
        Assert.Equal(["Ann", "Zoe", "böb x"], dataset.People);
        Assert.Equal(InOrder, dataset.Samples.Select(sample => sample.Name));
        Assert.Equal([0, 0, 0, 1, 1, 2], dataset.Samples.Select(sample => sample.Label));
        for (int i = 0; i < InOrder.Length; i++)
        {
            Assert.Equal(Content(InOrder[i]), dataset.Read(i));
        }
    }

    private static byte[] Content(string name) => [.. Enumerable.Repeat(Encoding.UTF8.GetBytes(name), name.Length * 9).SelectMany(b => b)];

    private static string Hash(string path)
    {
        using FaceDataset dataset = FaceDatasets.Open(path);
        return dataset.ComputeHash();
    }

    private static string Tar(TempFolder folder, TarEntryFormat format, (string Name, byte[] Bytes)[] files)
    {
        string path = folder[$"{format}.tar"];
        using TarWriter writer = new(File.Create(path), format);
        foreach ((string name, byte[] bytes) in files)
        {
            MemoryStream data = new(bytes);
            writer.WriteEntry(format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name) { DataStream = data },
                TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                _ => new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
            });
        }

        return path;
    }

    private static void RepairChecksums(byte[] tar)
    {
        for (int at = 0; at + 512 <= tar.Length; at += 512)
        {
            if (tar.AsSpan(at + 257, 5).SequenceEqual("ustar"u8))
            {
                tar.AsSpan(at + 148, 8).Fill((byte)' ');
                int sum = 0;
                foreach (byte b in tar.AsSpan(at, 512))
                {
                    sum += b;
                }

                Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(tar, at + 148);
            }
        }
    }
}
