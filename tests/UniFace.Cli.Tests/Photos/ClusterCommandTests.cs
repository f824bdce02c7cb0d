using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Photos;

/// <summary>Clustering copies each photo to exactly one folder per face and never overwrites an existing folder.</summary>
public sealed class ClusterCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Photos_are_sorted_by_person_largest_first_with_single_faces_apart()
    {
        string model = Path.Combine(folder, "m.onnx"), photos = Path.Combine(folder, "photos"), sorted = Path.Combine(folder, "sorted");
        TinyOnnx.WriteEmbedder(model, 112, 112, 64);
        int[] counts = [2, 4, 1];
        for (int person = 0; person < counts.Length; person++)
        {
            for (int number = 0; number < counts[person]; number++)
            {
                Write(Path.Combine(photos, $"p{person}", $"{number}.png"), person, number);
            }
        }

        File.WriteAllText(Path.Combine(photos, "damaged.jpg"), "not an image");
        JsonElement result = CliProcess.Run("cluster", model, photos, sorted, "--aligned", "--threshold", "0.8", "--main-face", "--json").Expect(0).Json();
        Assert.Equal(
            (8, 7, 2, 1),
            (result.GetProperty("photos").GetInt32(), result.GetProperty("faces").GetInt32(),
             result.GetProperty("people").GetInt32(), result.GetProperty("alone").GetInt32()));
        Assert.Equal(["damaged.jpg"], result.GetProperty("faceless").EnumerateArray().Select(f => f.GetString()));
        JsonElement skipped = Assert.Single(result.GetProperty("skipped").EnumerateArray());
        Assert.Equal("damaged.jpg", skipped.GetProperty("photo").GetString());
        Assert.NotEqual("no face found", skipped.GetProperty("reason").GetString());
        Assert.Equal(["p1_0.png", "p1_1.png", "p1_2.png", "p1_3.png"], Files("person-0001"));
        Assert.Equal(["p0_0.png", "p0_1.png"], Files("person-0002"));
        Assert.Equal(["p2_0.png"], Files("alone"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(photos, "p2", "0.png")), File.ReadAllBytes(Path.Combine(sorted, "alone", "p2_0.png")));
        using JsonDocument clusters = JsonDocument.Parse(File.ReadAllText(Path.Combine(sorted, "clusters.json")));
        Assert.Equal(2, clusters.RootElement.GetProperty("people").GetArrayLength());

        Assert.Contains(
            "not empty", CliProcess.Run("cluster", model, photos, sorted, "--aligned", "--threshold", "0.8").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains(
            "has no calibration", CliProcess.Run("cluster", model, photos, Path.Combine(folder, "x"), "--aligned").Expect(2).Error,
            StringComparison.Ordinal);
        File.Delete(Path.Combine(photos, "damaged.jpg"));
        JsonElement score = CliProcess.Run(
            "cluster", model, photos, Path.Combine(folder, "y"), "--aligned", "--threshold", "0.8", "--labelled", "--json")
            .Expect(0).Json().GetProperty("labelled");
        Assert.Equal(
            (1.0, 1.0, 3, 0),
            (score.GetProperty("pairwise").GetProperty("f").GetDouble(), score.GetProperty("bCubed").GetProperty("f").GetDouble(),
             score.GetProperty("people").GetInt32(), score.GetProperty("mergedGroups").GetInt32()));

        // Without --threshold, the calibration determines it. The smallest rate that the test package supports is 0.009.
        string package = TestPackage.Write(Path.Combine(folder, "package"));
        JsonElement stated = CliProcess.Run("cluster", package, photos, Path.Combine(folder, "z"), "--aligned", "--json").Expect(0).Json();
        Assert.Equal((0.77, 0.009), (stated.GetProperty("threshold").GetDouble(), stated.GetProperty("falseMatchRate").GetDouble()));

        IEnumerable<string> Files(string person) =>
            Directory.GetFiles(Path.Combine(sorted, person)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void Photos_whose_paths_give_the_same_file_name_are_all_copied()
    {
        string model = Path.Combine(folder, "m.onnx"), photos = Path.Combine(folder, "photos"), sorted = Path.Combine(folder, "sorted");
        TinyOnnx.WriteEmbedder(model, 112, 112, 64);
        Write(Path.Combine(photos, "a", "b_1.png"), 0, 0);
        Write(Path.Combine(photos, "a_b", "1.png"), 0, 1);
        CliProcess.Run("cluster", model, photos, sorted, "--aligned", "--threshold", "0.8").Expect(0);
        string[] copies = [.. Directory.GetFiles(Path.Combine(sorted, "person-0001")).Order(StringComparer.Ordinal)];
        Assert.Equal(["a_b_1-2.png", "a_b_1.png"], copies.Select(Path.GetFileName));
        Assert.NotEqual(File.ReadAllBytes(copies[0]), File.ReadAllBytes(copies[1]));
    }

    private static void Write(string path, int person, int number)
    {
        RgbImage image = new(112, 112);
        new Random(person).NextBytes(image.Pixels);
        Random noise = new((person * 100) + number);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)Math.Clamp(image.Pixels[i] + noise.Next(-20, 20), 0, 255);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, ImageEncoder.Png(image));
    }
}
