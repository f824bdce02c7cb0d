using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Eval;

/// <summary>1:N measurements count mated and non-mated probes correctly, and refuse strangers who are enrolled.</summary>
public sealed class IdentifyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Identification_counts_mated_and_non_mated_probes_and_writes_the_errors()
    {
        string model = Path.Combine(folder, "m.onnx"), output = Path.Combine(folder, "out");
        TinyOnnx.WriteEmbedder(model, 112, 112, 32);
        for (int person = 0; person < 6; person++)
        {
            Write("gallery", person, 0);
            Write("probes", person, 1);
        }

        // One non-mated probe that resembles person 0, and ten that resemble nobody.
        Write("probes", 100, 1, looksLike: 0);
        for (int person = 200; person < 210; person++)
        {
            Write("strangers", person, 1);
        }

        JsonElement result = Run(
            "--probes", Path.Combine(folder, "probes"), "--nonmated", Path.Combine(folder, "strangers"), "--out", output, "--json").Expect(0).Json();
        Assert.Equal(
            (1.0, 1.0, 1.0),
            (result.GetProperty("rank1").GetDouble(), result.GetProperty("rank5").GetDouble(), result.GetProperty("rank10").GetDouble()));
        Assert.Equal(
            (6, 11, 6),
            (result.GetProperty("mated").GetInt32(), result.GetProperty("nonMated").GetInt32(), result.GetProperty("galleryPeople").GetInt32()));
        JsonElement rates = result.GetProperty("dirAtFpir");
        Assert.Equal(["0.3", "0.1", "0.01", "0.003"], rates.EnumerateObject().Select(p => p.Name));
        Assert.Equal(1, rates.GetProperty("0.3").GetProperty("dir").GetDouble());
        Assert.Equal(JsonValueKind.Null, rates.GetProperty("0.01").GetProperty("dir").ValueKind); // 11 strangers
        Assert.All(["eval.json", "det.svg", "probes.csv", "errors.jpg"], file => Assert.True(File.Exists(Path.Combine(output, file)), file));
        Assert.Equal(18, File.ReadAllLines(Path.Combine(output, "probes.csv")).Length);
        Assert.Contains("rank 1", Run("--probes", Path.Combine(folder, "probes")).Expect(0).Out, StringComparison.Ordinal);

        Assert.Contains(
            "remove that person", Run("--probes", Path.Combine(folder, "probes"), "--nonmated", Path.Combine(folder, "gallery")).Expect(2).Error,
            StringComparison.Ordinal);
        Assert.Contains("--identify requires", Run().Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("exclude each other", Run("--probes", folder, "--data", folder).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains(
            "--gallery requires --identify", CliProcess.Run("eval", model, "--gallery", folder, "--data", folder).Expect(2).Error, StringComparison.Ordinal);

        CliResult Run(params string[] more) =>
            CliProcess.Run(["eval", model, "--identify", "--gallery", Path.Combine(folder, "gallery"), "--aligned", .. more]);
    }

    private void Write(string set, int person, int number, int? looksLike = null)
    {
        RgbImage image = new(112, 112);
        new Random(looksLike ?? person).NextBytes(image.Pixels);
        Random noise = new((person * 100) + number);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)Math.Clamp(image.Pixels[i] + noise.Next(-20, 20), 0, 255);
        }

        string path = Path.Combine(folder, set, $"p{person}", $"{number}.png");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, ImageEncoder.Png(image));
    }
}
