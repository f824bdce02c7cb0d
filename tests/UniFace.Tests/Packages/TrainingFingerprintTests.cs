using UniFace.Data;
using UniFace.Evaluation;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Tests.Data;

namespace UniFace.Tests.Packages;

/// <summary>A fingerprint recognizes what a model was trained on, by content, by the photo of a crop and by name, and nothing else.</summary>
public sealed class TrainingFingerprintTests : IDisposable
{
    private static readonly byte[] Jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xDA, 9, 9, 0xFF, 0xD9];
    private static readonly byte[] Png = [0x89, .. "PNG\r\n\u001a\n"u8, .. new byte[25], .. "rest"u8];

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("0", true)]
    [InlineData("000123", true)]
    [InlineData("person-0001", true)]
    [InlineData("Person_A", true)]
    [InlineData("id_12", true)]
    [InlineData("n000002", true)]
    [InlineData("face id 7", true)]
    [InlineData("unknown", true)]
    [InlineData("", true)]
    [InlineData("Ann", false)]
    [InlineData("George_W_Bush", false)]
    [InlineData("Ann Lee 2", false)]
    [InlineData("Li Na", false)]
    [InlineData("王芳", false)]
    public void A_generic_name_never_counts_as_an_overlap(string name, bool generic)
    {
        Assert.Equal(generic, TrainingFingerprint.IsGeneric(name));
        TrainingFingerprint trained = new();
        trained.Add(name, "picture"u8);
        Assert.Equal(!generic, trained.HasPerson(name));
        Assert.Equal(!generic, trained.HasPerson(name.ToUpperInvariant().Replace(' ', '_')));
        Assert.Equal(!generic, trained.HasPerson(name.Replace('_', '-').Replace(" ", ". ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_saved_fingerprint_knows_what_was_added_and_lists_neither_images_nor_names()
    {
        TrainingFingerprint trained = new();
        trained.Add("Ann Lee", "one"u8);
        string path = folder["training.hashes"];
        trained.Save(path);
        TrainingFingerprint read = TrainingFingerprint.Load(path);
        Assert.True(read.Complete && read.HasImage("one"u8) && read.HasPerson("ann_lee"));
        Assert.False(read.HasImage("two"u8) || read.HasPerson("Ann Lea"));
        Assert.Equal(2, read.Count);
        Assert.Equal(52 + (2 * 16) + 32, new FileInfo(path).Length);
        read.Save(path + "2");
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(path + "2"));

        TrainingFingerprint other = new(complete: false);
        other.Add("Ann Lee", "one"u8);
        other.Save(path + "3");
        Assert.NotEqual(File.ReadAllBytes(path)[52..84], File.ReadAllBytes(path + "3")[52..84]); // its own salt
        Assert.False(TrainingFingerprint.Load(path + "3").Complete);
    }

    [Fact]
    public void A_crop_is_recognized_as_its_photo_in_every_container()
    {
        byte[] photo = [.. "a photo"u8];
        foreach (byte[] plain in (byte[][])[Jpeg, Png])
        {
            byte[] crop = CropSource.Write(plain, Sha256.HashBytes(photo));
            Assert.Equal(Sha256.HashBytes(photo), CropSource.Read(crop));
            Assert.Null(CropSource.Read(plain));
            Assert.Null(CropSource.Read(crop.AsSpan(0, 60)));
            TrainingFingerprint ofCrop = new(), ofPhoto = new();
            ofCrop.Add("0", crop);
            ofPhoto.Add("0", photo);
            Assert.True(ofCrop.HasImage(photo) && ofCrop.HasImage(crop) && ofPhoto.HasImage(crop));
            Assert.True(ofCrop.HasImage(CropSource.Write([.. plain, 1], Sha256.HashBytes(photo)))); // another crop of it
            Assert.False(ofCrop.HasImage(plain));
        }

        Assert.Equal(photo, CropSource.Write(photo, Sha256.HashBytes(photo)));
    }

    [Fact]
    public void A_damaged_file_is_a_one_line_error_and_allocates_no_memory()
    {
        TrainingFingerprint trained = new();
        trained.Add("Ann Lee", "one"u8);
        trained.Save(folder["t"]);
        byte[] good = File.ReadAllBytes(folder["t"]);
        foreach (int at in (int[])[7, 8, 13, 15, 30, 60, good.Length - 1])
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x40;
            Assert.Contains("t: ", Assert.Throws<UniFaceException>(() => TrainingFingerprint.Load(folder.Write("t", bad))).Message, StringComparison.Ordinal);
        }

        trained.Add("Bob Lee", "two"u8);
        byte[] unordered = trained.ToBytes()[..^32];
        (byte[] first, byte[] second) = (unordered[52..68], unordered[68..84]);
        second.CopyTo(unordered, 52);
        first.CopyTo(unordered, 68);
        UniFaceException e = Assert.Throws<UniFaceException>(
            () => TrainingFingerprint.Load(folder.Write("t", [.. unordered, .. System.Security.Cryptography.SHA256.HashData(unordered)])));
        Assert.Contains("order", e.Message, StringComparison.Ordinal);
        Assert.Contains("missing", Assert.Throws<UniFaceException>(() => TrainingFingerprint.Load(folder["none"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_overlap_is_found_by_content_and_by_name_with_the_hash_of_the_set()
    {
        folder.Write("set/Ann Lee/1.jpg", "new"u8);
        folder.Write("set/person-1/1.jpg", "known"u8);
        folder.Write("set/person-2/1.jpg", "also new"u8);
        TrainingFingerprint trained = new();
        trained.Add("person-2", "known"u8);
        trained.Add("ANN_LEE", "other photo"u8);
        using FaceDataset set = FaceDatasets.Open(folder["set"]);
        (string hash, OverlapFound? found) = OverlapCheck.Read(set, trained);
        Assert.Equal(set.ComputeHash(), hash);
        Assert.Equal(new OverlapFound(1, 1, "person-1/1.jpg"), found);
        Assert.Equal(new OverlapFound(0, 1, "Ann Lee"), OverlapCheck.Read(set, trained, sample => sample.Label != 1).Overlap);
        Assert.Null(OverlapCheck.Read(set, trained, sample => sample.Label == 2).Overlap);
        Assert.Null(OverlapCheck.Read(set, null).Overlap);
    }
}
