using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Photos;

/// <summary>People are never merged by folder names, no input is overwritten by a result, and every skipped file is reported.</summary>
public sealed class PhotoFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Folders_below_the_person_folders_are_not_people()
    {
        string gallery = At("g.gallery"), model = TestPackage.Write(At("package"));
        Photo("n/Ann/2020/a.png", 1);
        CliProcess.Run("gallery", "create", gallery, model).Expect(0);
        string[] enroll = ["gallery", "enroll", gallery, At("n"), "--aligned", "--any-quality", "--json"];
        Assert.Contains("(level 1 is Ann, 2 is 2020)", CliProcess.Run(enroll).Expect(2).Error, StringComparison.Ordinal);
        Photo("n/Bob/2020/b.png", 2);
        Assert.Contains("Ann/2020/a.png lies deeper than PERSON/IMAGE", CliProcess.Run(enroll).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("lies deeper", CliProcess.Run("data", "info", At("n")).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains(
            "lies deeper", CliProcess.Run("cluster", model, At("n"), At("sorted"), "--aligned", "--threshold", "0.5", "--labelled").Expect(2).Error,
            StringComparison.Ordinal);
        Assert.Equal(0, List(gallery).GetArrayLength());

        Assert.Equal(2, CliProcess.Run([.. enroll, "--person-level", "1"]).Expect(0).Json().GetProperty("enrolledPeople").GetInt32());
        Assert.Equal(["Ann", "Bob"], List(gallery).EnumerateArray().Select(person => person.GetProperty("person").GetString()));
        Assert.Equal(2, CliProcess.Run("data", "info", At("n"), "--person-level", "1", "--json").Expect(0).Json().GetProperty("people").GetInt32());
        Assert.Contains("expected 1 or more", CliProcess.Run("data", "info", At("n"), "--person-level", "0").Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Photo_beside_the_person_folders_is_refused_before_anyone_is_enrolled()
    {
        string gallery = At("g.gallery");
        CliProcess.Run("gallery", "create", gallery, TestPackage.Write(At("package"))).Expect(0);
        for (int i = 0; i < 70; i++)
        {
            Photo($"n/Ann/{i}.png", i);
        }

        Photo("n/loose.png", 99);
        CliResult refused = CliProcess.Run("gallery", "enroll", gallery, At("n"), "--aligned", "--any-quality").Expect(2);
        Assert.Contains("which person loose.png belongs to", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, List(gallery).GetArrayLength());
    }

    [Fact]
    public void Align_never_writes_over_into_or_around_its_photos()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        string photo = Photo("x/photos/Ann/1.jpg", 1), alone = Photo("one.jpg", 2);
        byte[] original = File.ReadAllBytes(photo), single = File.ReadAllBytes(alone);
        Directory.CreateDirectory(At("out"));
        List<(string Photos, string Out, string How)> wrong =
        [
            ("x/photos", "x/photos", "is the folder"), ("x/photos/", "x/photos", "is the folder"), ("x/photos", "x/./photos/", "is the folder"),
            ("x/photos", "x/photos/out", "lies in"), ("x/photos", "x", "contains the folder"), ("one.jpg", ".", "would replace"),
        ];
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateSymbolicLink(At("link"), At("x/photos"));
            Directory.CreateSymbolicLink(At("out/Ann"), At("x/photos/Ann"));
            Directory.CreateSymbolicLink(Directory.CreateDirectory(At("more")).FullName + "/Bob", At("x/photos"));
            wrong.AddRange([
                ("link", "x/photos", "is the folder"), ("x/photos", "link/out", "lies in"), ("x/photos", "out", "lies in"),
                ("more", "x/photos", "is the folder")]);
        }

        foreach ((string photos, string output, string how) in wrong)
        {
            CliResult refused = CliProcess.RunIn(folder, "align", photos, output, "--overwrite").Expect(2);
            Assert.Contains(how, refused.Error, StringComparison.Ordinal);
        }

        Assert.Equal(original, File.ReadAllBytes(photo));
        Assert.Equal(single, File.ReadAllBytes(alone));
        Assert.Single(Directory.GetFiles(At("x"), "*", SearchOption.AllDirectories));

        // Tab completion adds a slash to the name of a folder.
        CliResult none = CliProcess.RunIn(folder, "align", "x/photos/", "faces/").Expect(2);
        Assert.Contains("1 photo, but no usable face", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void No_command_writes_over_or_into_what_it_reads()
    {
        string model = TestPackage.Write(At("package")), photo = Photo("photos/Ann/1.png", 1);
        File.WriteAllText(At("scores.csv"), "Ann/1.png,Ann/1.png,1\n");
        foreach ((string[] command, string says) in new[]
        {
            (new[] { "cluster", model, At("photos"), At("photos/sorted"), "--aligned", "--threshold", "0.5" }, "lies in the folder of the photos"),
            (["embed", model, At("scores.csv"), "--aligned", "--out", At("scores.csv")], "would replace"),
            (["eval", model, "--pairs", At("scores.csv"), "--images", At("photos"), "--out", folder], "would replace"),
            (["eval", model, "--data", At("photos"), "--out", At("photos/eval")], "lies in"),
            (["eval", model, "--data", photo, "--calibration", photo], "would replace"),
            (["data", "make", At("photos")], "not empty"),
        })
        {
            Assert.Contains(says, CliProcess.Run(command).Expect(2).Error, StringComparison.Ordinal);
        }

        Assert.Single(Directory.GetFileSystemEntries(At("photos/Ann")));
        Assert.StartsWith("Ann/1.png", File.ReadAllText(At("scores.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_command_that_reads_photos_names_the_files_that_it_leaves_out()
    {
        string model = TestPackage.Write(At("package")), gallery = At("g.gallery"), photos = At("photos");
        File.Move(Photo("photos/Ann/1.png", 1), At("photos/Ann/IMG_1"));
        File.WriteAllBytes(At("photos/Ann/2.tiff"), [.. "II*\0"u8, 8, 0, 0, 0]);
        File.WriteAllText(At("photos/Ann/notes.txt"), "x");
        CliProcess.Run("gallery", "create", gallery, model).Expect(0);
        foreach (string[] command in new string[][]
        {
            ["gallery", "enroll", gallery, photos, "--aligned", "--any-quality"],
            ["quality", photos, "--aligned", "--min-eyes", "0", "--min-sharpness", "0", "--max-yaw", "90", "--max-pitch", "90"],
            ["cluster", model, photos, At("sorted"), "--aligned", "--threshold", "0.5"],
            ["embed", model, photos, "--aligned", "--out", At("e.npy")],
            ["data", "info", photos],
        })
        {
            JsonElement json = CliProcess.Run([.. command, "--json"]).Json();
            JsonElement left = Assert.Single(json.GetProperty("leftOut").EnumerateArray());
            Assert.Equal(
                ("Ann/2.tiff", "a TIFF image or a camera's raw file"),
                (left.GetProperty("name").GetString(), left.GetProperty("reason").GetString()));
            Assert.Equal(1, json.GetProperty("ignoredFiles").GetInt32());
        }

        CliResult text = CliProcess.Run("embed", model, photos, "--aligned", "--out", At("e.npy")).Expect(0);
        Assert.Contains("1 file skipped: Ann/2.tiff (a TIFF image or a camera's raw file)", text.Error, StringComparison.Ordinal);
        Assert.SkipWhen(FaceDetectors.Installed() is null, "align needs the default detector; run setup/models.sh");
        Assert.Equal(1, CliProcess.Run("align", photos, At("faces"), "--json").Json().GetProperty("leftOut").GetInt32());
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(At("faces/align-report.json")));
        Assert.Equal("Ann/2.tiff", report.RootElement.GetProperty("leftOut")[0].GetProperty("name").GetString());
    }

    [Fact]
    public void Dash_reads_the_photo_from_standard_input()
    {
        string model = TestPackage.Write(At("package")), photo = Photo("a.png", 1);
        byte[] bytes = File.ReadAllBytes(photo);
        Assert.Equal(
            1,
            CliProcess.RunPiped(
                bytes, "verify", model, "-", photo, "--aligned", "--threshold", "0.9", "--json").Expect(0).Json().GetProperty("score").GetDouble(),
            1e-5);
        Assert.Contains(
            "given twice", CliProcess.RunPiped(bytes, "verify", model, "-", "-", "--aligned", "--threshold", "0.9").Expect(2).Error,
            StringComparison.Ordinal);
        Assert.Contains(
            "- is empty", CliProcess.RunPiped([], "verify", model, "-", photo, "--aligned", "--threshold", "0.9").Expect(2).Error,
            StringComparison.Ordinal);
        Assert.Equal(
            1,
            CliProcess.RunPiped(bytes, "embed", model, "-", "--aligned", "--out", At("e.csv"), "--json").Expect(0).Json().GetProperty("embedded").GetInt32());
        string gallery = At("g.gallery");
        CliProcess.Run("gallery", "create", gallery, model).Expect(0);
        CliProcess.RunPiped(bytes, "gallery", "enroll", gallery, "-", "--person", "Ann", "--aligned", "--any-quality").Expect(0);
        Assert.Equal(
            "Ann",
            CliProcess.RunPiped(bytes, "gallery", "identify", gallery, "-", "--aligned", "--threshold", "0.9", "--json").Expect(0).Json()
                .GetProperty("person").GetString());
    }

    private static JsonElement List(string gallery) => CliProcess.Run("gallery", "list", gallery, "--json").Expect(0).Json().GetProperty("people");

    private string At(string name) => Path.Combine(folder, name);

    private string Photo(string name, int seed)
    {
        RgbImage image = new(112, 112);
        new Random(seed).NextBytes(image.Pixels);
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllBytes(At(name), ImageEncoder.Png(image));
        return At(name);
    }
}
