using System.Text.Json;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Eval;

/// <summary>calibrate writes thresholds that verify can use, and warns if the package's own thresholds do not hold.</summary>
public sealed class CalibrateCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Calibrate_writes_thresholds_and_then_reports_whether_they_hold()
    {
        string package = Package(), photos = People("photos", 30, 4, 1, 0), other = People("other", 30, 4, 2, 150);
        JsonElement first = CliProcess.Run("calibrate", package, "--images", photos, "--aligned", "--bootstrap", "50", "--json").Expect(0).Json();
        Assert.Equal(0, first.GetProperty("shipped").GetArrayLength());
        Calibration written = Calibration.Load(Path.Combine(package, Calibration.FileName));
        Assert.Equal((30, 120, 180L, 6960L), (written.Data.People, written.Data.Images, written.Data.SamePairs, written.Data.DifferentPairs));
        Assert.Equal([true, true, false, false, false], written.Entries.Select(e => e.Supported)); // 3 / 6960 = 4.3e-4
        Assert.False(first.GetProperty("sampled").GetProperty("different").GetBoolean());
        Assert.NotEmpty(first.GetProperty("halves").EnumerateArray());
        CliProcess.Run(
            "verify", package, Directory.GetFiles(photos, "*.png", SearchOption.AllDirectories)[0],
            Directory.GetFiles(photos, "*.png", SearchOption.AllDirectories)[0], "--aligned").Expect(0);

        Assert.Contains(
            "hold for these photos",
            CliProcess.Run(
                "calibrate", package, "--images", photos, "--aligned", "--bootstrap", "50", "--out", Path.Combine(folder, "again.json")).Expect(0).Out,
            StringComparison.Ordinal);
        string warned = CliProcess.Run(
            "calibrate", package, "--images", other, "--aligned", "--bootstrap", "50", "--out", Path.Combine(folder, "c.json")).Expect(0).Error;
        Assert.Contains("warning: at a false match rate of 0.01 the calibration of photos does not transfer", warned, StringComparison.Ordinal);
        Assert.Equal("photos", Calibration.Load(Path.Combine(package, Calibration.FileName)).Data.Name);
    }

    [Fact]
    public void Calibrate_refuses_too_few_people_and_an_onnx_file()
    {
        string package = Package(), photos = People("few", 3, 2, 1, 0);
        Assert.Contains(
            "calibrate on at least 300", CliProcess.Run("calibrate", package, "--images", photos, "--aligned").Expect(2).Error,
            StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(package, Calibration.FileName)));
        string alone = Path.Combine(folder, "alone.onnx"); // Beside its model.json the file opens the package.
        File.Copy(Path.Combine(package, "model.onnx"), alone);
        Assert.Contains("is an .onnx file", CliProcess.Run("calibrate", alone, "--images", photos).Expect(2).Error, StringComparison.Ordinal);
    }

    // Noise around a pattern per person; the bias makes all images similar.
    private string People(string name, int people, int imagesEach, int seed, int bias)
    {
        Random random = new(seed);
        for (int person = 0; person < people; person++)
        {
            byte[] own = new byte[3 * 112 * 112];
            random.NextBytes(own);
            for (int number = 0; number < imagesEach; number++)
            {
                RgbImage image = new(112, 112);
                for (int i = 0; i < own.Length; i++)
                {
                    image.Pixels[i] = (byte)Math.Clamp((((255 - bias) * own[i] / 255) + bias) + random.Next(-40, 40), 0, 255);
                }

                string path = Path.Combine(folder, name, $"p{person}", $"{number}.png");
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, ImageEncoder.Png(image));
            }
        }

        return Path.Combine(folder, name);
    }

    private string Package()
    {
        string package = Path.Combine(folder, "package");
        Directory.CreateDirectory(package);
        string onnx = Path.Combine(package, "model.onnx");
        TinyOnnx.WriteEmbedder(onnx, 112, 112, 32);
        File.WriteAllText(
            Path.Combine(package, ModelManifest.FileName),
            JsonSerializer.Serialize(new ModelManifest { EmbeddingSize = 32, OnnxSha256 = Sha256.HashFile(onnx) }, ModelManifest.Json));
        return package;
    }
}
