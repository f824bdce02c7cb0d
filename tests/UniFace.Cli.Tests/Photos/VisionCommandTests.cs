using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Photos;

/// <summary>align, embed and verify process every readable photo, report every other one, and refuse options that contradict each other.</summary>
public sealed class VisionCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Align_continues_after_an_interruption()
    {
        string tar = SharedData.Require("data/lfw-deepfunneled-pairs.tar"), yunet = SharedData.Require("data/yunet_s_dynamic.onnx");
        string photos = Path.Combine(folder, "photos"), output = Path.Combine(folder, "out");
        Unpack(tar, photos, 3);
        File.WriteAllText(Path.Combine(photos, "damaged.jpg"), "not an image");
        File.WriteAllBytes(Path.Combine(photos, "wall.png"), ImageEncoder.Png(new RgbImage(200, 200)));
        JsonElement first = CliProcess.Run("align", photos, output, "--detector", yunet, "--json").Expect(0).Json();
        Assert.Equal(
            (5, 3, 1, 1),
            (first.GetProperty("photos").GetInt32(), first.GetProperty("aligned").GetInt32(),
             first.GetProperty("noFace").GetInt32(), first.GetProperty("unreadable").GetInt32()));
        string[] crops = [.. Directory.GetFiles(output, "*_0*.jpg", SearchOption.AllDirectories)];
        Assert.Equal(3, crops.Length);
        Assert.All(crops, crop =>
        {
            Assert.True(File.Exists(Path.Combine(photos, Path.GetRelativePath(output, crop))));
            RgbImage face = new SkiaImageDecoder().Decode(File.ReadAllBytes(crop), crop);
            Assert.Equal((112, 112), (face.Width, face.Height));
        });
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "align-report.json")));
        Assert.Equal(
            ["unreadable", "no-face"],
            report.RootElement.GetProperty("skipped").EnumerateArray()
                .OrderBy(s => s.GetProperty("photo").GetString(), StringComparer.Ordinal).Select(s => s.GetProperty("reason").GetString()));
        new SkiaImageDecoder().Decode(File.ReadAllBytes(Path.Combine(output, "contact-sheet.jpg")), "contact sheet");

        File.Delete(crops[0]);
        JsonElement second = CliProcess.Run("align", photos, output, "--detector", yunet, "--json").Expect(0).Json();
        Assert.Equal((1, 2), (second.GetProperty("aligned").GetInt32(), second.GetProperty("existing").GetInt32()));
        Assert.Contains(
            "other settings", CliProcess.Run("align", photos, output, "--detector", yunet, "--size", "224").Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Photo_without_a_face_prints_a_clear_error_and_exits_with_2()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        string wall = Photo("wall.png", new RgbImage(200, 200)), model = Model("m.onnx");
        CliResult result = CliProcess.Run("verify", model, wall, wall, "--threshold", "0.3").Expect(2);
        Assert.StartsWith($"error: {wall}: no face found", result.Error, StringComparison.Ordinal);
        CliResult nothing = CliProcess.Run("align", wall, Path.Combine(folder, "out"), "--json").Expect(2);
        Assert.Equal(0, nothing.Json().GetProperty("aligned").GetInt32());
        Assert.Contains("1 photo, but no usable face", nothing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void ONNX_Runtime_writes_no_telemetry_files()
    {
        string face = Photo("a.png", Noise(1)), home = Directory.CreateDirectory(Path.Combine(folder, "home")).FullName;
        Dictionary<string, string> environment =
            new() { ["HOME"] = home, ["XDG_CACHE_HOME"] = Path.Combine(home, "cache"), ["XDG_DATA_HOME"] = Path.Combine(home, "data") };
        CliProcess.RunWith(environment, "verify", Model("m.onnx"), face, face, "--aligned", "--threshold", "0.9").Expect(0);
        CliProcess.RunWith(environment, "doctor");
        Assert.Empty(Directory.EnumerateFiles(home, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Verify_uses_the_given_threshold_or_the_calibration()
    {
        string a = Photo("a.png", Noise(1)), b = Photo("b.png", Noise(2)), model = Model("m.onnx");
        JsonElement same = CliProcess.Run("verify", model, a, a, "--aligned", "--threshold", "0.9", "--json").Expect(0).Json();
        Assert.True(same.GetProperty("same").GetBoolean());
        Assert.Equal(1, same.GetProperty("score").GetDouble(), 1e-5);
        Assert.Equal(JsonValueKind.Null, same.GetProperty("falseMatchRate").ValueKind);
        JsonElement other = CliProcess.Run("verify", model, a, b, "--aligned", "--threshold", "0.999", "--json").Expect(1).Json();
        Assert.False(other.GetProperty("same").GetBoolean());
        Assert.Contains("has no calibration", CliProcess.Run("verify", model, a, b, "--aligned").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("expected a cosine", CliProcess.Run("verify", model, a, b, "--aligned", "--threshold", "2").Expect(2).Error, StringComparison.Ordinal);

        string package = Package(model);
        JsonElement decided = CliProcess.Run("verify", package, a, a, "--aligned", "--fmr", "1e-2", "--json").Expect(0).Json();
        Assert.Equal(0.77, decided.GetProperty("threshold").GetDouble());
        Assert.Equal(0.01, decided.GetProperty("falseMatchRate").GetDouble());
        Assert.Contains(
            "at a false match rate of 0.01 (invented)", CliProcess.Run("verify", package, a, a, "--aligned", "--fmr", "1e-2").Expect(0).Out,
            StringComparison.Ordinal);
        Assert.Contains(
            "give one of them", CliProcess.Run("verify", package, a, a, "--aligned", "--fmr", "1e-2", "--threshold", "0.5").Expect(2).Error,
            StringComparison.Ordinal);

        // The calibration does not support 1e-3: as a default it is replaced, as a given rate it is refused.
        JsonElement replaced = CliProcess.Run("verify", package, a, a, "--aligned", "--json").Expect(0).Json();
        Assert.Equal(0.009, replaced.GetProperty("falseMatchRate").GetDouble());
        Assert.Contains("not the default of 0.001", replaced.GetProperty("decisionNote").GetString(), StringComparison.Ordinal);
        Assert.Contains(
            "supports false match rates of 0.009 and above",
            CliProcess.Run("verify", package, a, a, "--aligned", "--fmr", "1e-3").Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Embed_writes_the_same_unit_vectors_as_npy_with_names_and_as_csv()
    {
        string faces = Path.Combine(folder, "faces");
        Directory.CreateDirectory(Path.Combine(faces, "Ann"));
        File.WriteAllBytes(Path.Combine(faces, "Ann", "1.png"), ImageEncoder.Png(Noise(1)));
        File.WriteAllBytes(Path.Combine(faces, "a, \"b\".png"), ImageEncoder.Png(Noise(2)));
        File.WriteAllBytes(Path.Combine(faces, "large.png"), ImageEncoder.Png(new RgbImage(200, 200)));
        string npy = Path.Combine(folder, "e.npy"), csv = Path.Combine(folder, "e.csv"), model = Model("m.onnx");
        JsonElement result = CliProcess.Run("embed", model, faces, "--aligned", "--out", npy, "--json").Expect(0).Json();
        Assert.Equal((3, 2), (result.GetProperty("images").GetInt32(), result.GetProperty("embedded").GetInt32()));
        Assert.Contains("expected an aligned face of 112x112", result.GetProperty("skipped")[0].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(["Ann/1.png", "a, \"b\".png"], File.ReadAllLines(Path.Combine(folder, "e.names.txt")));
        byte[] bytes = File.ReadAllBytes(npy);
        Assert.Equal(0x93, bytes[0]);
        int header = bytes[8] + (bytes[9] << 8);
        Assert.Equal(0, (10 + header) % 64);
        Assert.Contains(
            "'descr': '<f4', 'fortran_order': False, 'shape': (2, 16)", System.Text.Encoding.ASCII.GetString(bytes, 10, header),
            StringComparison.Ordinal);
        Assert.Equal(10 + header + (2 * 16 * 4), bytes.Length);
        float[] row = [.. Enumerable.Range(0, 16).Select(i => BitConverter.ToSingle(bytes, 10 + header + (i * 4)))];
        Assert.Equal(1, row.Sum(v => v * v), 1e-5f);

        CliProcess.Run("embed", model, faces, "--aligned", "--out", csv).Expect(0);
        string[] lines = File.ReadAllLines(csv);
        Assert.Equal(3, lines.Length);
        Assert.Equal(row, lines[1].Split(',').Skip(1).Select(v => float.Parse(v, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.StartsWith("\"a, \"\"b\"\".png\",", lines[2], StringComparison.Ordinal);
        Assert.Contains("ending in .npy or .csv", CliProcess.Run("embed", model, faces, "--out", "e.txt").Expect(2).Error, StringComparison.Ordinal);
    }

    private static RgbImage Noise(int seed)
    {
        RgbImage image = new(112, 112);
        new Random(seed).NextBytes(image.Pixels);
        return image;
    }

    private static void Unpack(string tar, string photos, int count)
    {
        using System.Formats.Tar.TarReader reader = new(File.OpenRead(tar));
        while (count > 0 && reader.GetNextEntry() is System.Formats.Tar.TarEntry entry)
        {
            if (entry.DataStream is not null && entry.Name.EndsWith(".jpg", StringComparison.Ordinal))
            {
                string path = Path.Combine(photos, entry.Name);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                entry.ExtractToFile(path, overwrite: true);
                count--;
            }
        }
    }

    private string Photo(string name, RgbImage image)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, ImageEncoder.Png(image));
        return path;
    }

    private string Model(string name)
    {
        string path = Path.Combine(folder, name);
        TinyOnnx.WriteEmbedder(path, 112, 112, 16);
        return path;
    }

    private string Package(string onnx)
    {
        string package = Path.Combine(folder, "package");
        Directory.CreateDirectory(package);
        File.Copy(onnx, Path.Combine(package, "model.onnx"));
        TestPackage.Complete(package, onnx, 16);
        return package;
    }
}
