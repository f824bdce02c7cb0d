using System.Text.Json;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Photos;

/// <summary>Every command crops faces by the template and size in the model's package, and shows what the package says the model is good for.</summary>
public sealed class AlignForTests : IDisposable
{
    private const int Width = 90, Height = 100;
    private const string Suitability = "good for this test only";

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Crops_made_for_a_package_give_the_embeddings_of_the_photos_themselves()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        string package = Package("package", "mine"), photos = Path.Combine(folder, "photos"), crops = Path.Combine(folder, "crops");
        CliProcess.Run("data", "make", photos, "--people", "3", "--images", "2", "--photos").Expect(0);
        JsonElement aligned = CliProcess.Run("align", photos, crops, "--for", package, "--format", "png", "--json").Expect(0).Json();
        Assert.Equal(Width, aligned.GetProperty("settings").GetProperty("size").GetInt32());
        Assert.Equal("mine", aligned.GetProperty("settings").GetProperty("template").GetProperty("name").GetString());
        string[] files = [.. Directory.GetFiles(crops, "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Assert.Equal(6, files.Length);
        RgbImage crop = new SkiaImageDecoder().Decode(File.ReadAllBytes(files[0]), "crop");
        Assert.Equal((Width, Height), (crop.Width, crop.Height));
        Assert.Equal(Embed(package, photos), Embed(package, crops, "--aligned"));
        Assert.NotEqual(Embed(package, photos), Embed(Package("other", "other", shift: 6), photos));

        JsonElement evaluated = CliProcess.Run("eval", package, "--data", photos, "--bootstrap", "10", "--json").Expect(0).Json();
        JsonElement onCrops = CliProcess.Run("eval", package, "--data", crops, "--aligned", "--bootstrap", "10", "--json").Expect(0).Json();
        Assert.Equal(evaluated.GetProperty("eerThreshold").GetDouble(), onCrops.GetProperty("eerThreshold").GetDouble());

        // A second run continues; one with other settings does not mix crops.
        JsonElement again = CliProcess.Run("align", photos, crops, "--for", package, "--format", "png", "--json").Expect(0).Json();
        Assert.Equal(6, again.GetProperty("existing").GetInt32());
        foreach (string[] other in (string[][])[["--for", Path.Combine(folder, "other")], [], ["--size", "224"]])
        {
            Assert.Contains("other settings", CliProcess.Run(["align", photos, crops, "--format", "png", .. other]).Expect(2).Error, StringComparison.Ordinal);
        }

        string gallery = Path.Combine(folder, "people.gallery");
        Assert.Contains(Suitability, CliProcess.Run("gallery", "create", gallery, package, "--crops").Expect(0).Out, StringComparison.Ordinal);
        CliProcess.Run("gallery", "enroll", gallery, photos, "--any-quality", "--json").Expect(0);
        string photo = Directory.GetFiles(photos, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First();
        JsonElement identified = CliProcess.Run("gallery", "identify", gallery, photo, "--threshold", "0.9", "--json").Expect(0).Json();
        Assert.Equal(1, identified.GetProperty("score").GetDouble(), 1e-5);
        Assert.Equal(Suitability, identified.GetProperty("suitability").GetString());
        Assert.Equal(
            1, CliProcess.Run("gallery", "identify", gallery, files[0], "--aligned", "--threshold", "0.9", "--json").Expect(0).Json()
                .GetProperty("score").GetDouble(), 1e-5);
        CliResult verified = CliProcess.Run("verify", package, photo, photo, "--threshold", "0.9").Expect(0);
        Assert.Contains($"the model is {Suitability}", verified.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_size_of_an_aligned_face_is_the_packages_and_a_package_that_says_nothing_is_refused()
    {
        string package = Package("package", "mine"), face = Path.Combine(folder, "a.png"), small = Path.Combine(folder, "b.png");
        File.WriteAllBytes(face, ImageEncoder.Png(Noise(Width, Height)));
        File.WriteAllBytes(small, ImageEncoder.Png(Noise(112, 112)));
        JsonElement same = CliProcess.Run("verify", package, face, face, "--aligned", "--threshold", "0.9", "--json").Expect(0).Json();
        Assert.Equal(Suitability, same.GetProperty("suitability").GetString());
        Assert.Contains(
            $"expected an aligned face of {Width}x{Height}",
            CliProcess.Run("verify", package, face, small, "--aligned", "--threshold", "0.9").Expect(2).Error, StringComparison.Ordinal);
        string bare = Path.Combine(package, "model.onnx"), output = Path.Combine(folder, "out");
        Assert.Contains("bare .onnx file", CliProcess.Run("align", folder, output, "--for", bare).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains(
            "exclude each other", CliProcess.Run("align", folder, output, "--for", package, "--size", "112").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("no such model package", CliProcess.Run("align", folder, output, "--for", "nowhere").Expect(2).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(output));
    }

    private static RgbImage Noise(int width, int height)
    {
        RgbImage image = new(width, height);
        new Random(1).NextBytes(image.Pixels);
        return image;
    }

    private static string[] Embed(string package, string images, params string[] options)
    {
        string csv = Path.ChangeExtension(Path.GetTempFileName(), ".csv");
        CliProcess.Run(["embed", package, images, "--out", csv, .. options]).Expect(0);
        string[] rows = [.. File.ReadAllLines(csv).Select(line => line[line.IndexOf(',', StringComparison.Ordinal)..])];
        File.Delete(csv);
        return rows;
    }

    private string Package(string name, string template, float shift = 0)
    {
        string package = Path.Combine(folder, name), onnx = Path.Combine(package, "model.onnx");
        Directory.CreateDirectory(package);
        TinyOnnx.WriteEmbedder(onnx, Width, Height, 16);
        ModelManifest manifest = new()
        {
            EmbeddingSize = 16,
            InputWidth = Width,
            InputHeight = Height,
            FlipSum = true,
            AlignmentTemplate = template,
            Alignment = new ManifestAlignment
            {
                Landmarks = [[30 + shift, 40], [60 + shift, 40], [45 + shift, 55], [33 + shift, 72], [57 + shift, 72]],
                Border = CropBorder.Replicate,
            },
            Suitability = Suitability,
            OnnxSha256 = Sha256.HashFile(onnx),
        };
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        return package;
    }
}
