using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Photos;

/// <summary>Commands use the main face of a photo, report the number of faces, refuse ambiguous photos with --strict, and read rotated photos.</summary>
public sealed class MainFaceCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;
    private readonly string model;
    private readonly RgbImage[] people;

    public MainFaceCommandTests()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        model = Path.Combine(folder, "m.onnx");
        TinyOnnx.WriteEmbedder(model, 112, 112, 16);
        string made = Path.Combine(folder, "made");
        CliProcess.Run("data", "make", made, "--people", "2", "--images", "1", "--photos").Expect(0);
        string[] photos = [.. Directory.EnumerateFiles(made, "*.jpg", SearchOption.AllDirectories).Order()];
        people = [.. photos.Select(path => new SkiaImageDecoder().Decode(File.ReadAllBytes(path), path))];
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Large_face_at_the_side_is_chosen_over_a_small_face_in_the_middle()
    {
        string photo = Photo("side.png", 2000, 1500, (people[0], 2.5, 20, 400), (people[1], 1, 950, 700));
        JsonElement a = CliProcess.Run("verify", model, photo, photo, "--threshold", "0.5", "--json").Expect(0).Json().GetProperty("a");
        Assert.InRange(a.GetProperty("box")[2].GetDouble(), 250, 450);
        Assert.Equal((2, false), (a.GetProperty("faces").GetInt32(), a.GetProperty("ambiguous").GetBoolean()));
        string text = CliProcess.Run("verify", model, photo, photo, "--threshold", "0.5", "--strict").Expect(0).Out;
        Assert.Contains($"{photo}: 2 faces; the main one was compared", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Ambiguous_main_face_is_reported_and_refused_with_strict()
    {
        string photos = Directory.CreateDirectory(Path.Combine(folder, "photos", "Ann")).FullName, gallery = Path.Combine(folder, "g.gallery");
        string photo = Photo(Path.Combine(photos, "two.png"), 800, 500, (people[0], 1, 40, 50), (people[1], 1, 440, 50));
        string alone = Photo("one.png", 400, 500, (people[0], 1, 40, 50));
        string output = CliProcess.Run("verify", model, photo, alone, "--threshold", "-1").Expect(0).Out;
        Assert.Contains($"{photo}: 2 faces, and more than one", output, StringComparison.Ordinal);
        Refused(CliProcess.Run("verify", model, alone, photo, "--threshold", "-1", "--strict"));

        CliProcess.Run("gallery", "create", gallery, model).Expect(0);
        Refused(CliProcess.Run("gallery", "enroll", gallery, Path.Combine(folder, "photos"), "--any-quality", "--strict"));
        CliResult enrolled = CliProcess.Run("gallery", "enroll", gallery, Path.Combine(folder, "photos"), "--any-quality").Expect(0);
        Assert.StartsWith("1 template of 1 person enrolled;", enrolled.Out, StringComparison.Ordinal);
        Assert.EndsWith("holds 1 person, 1 template", enrolled.Out.Trim(), StringComparison.Ordinal);
        Assert.Contains("warning: Ann/two.png: 2 faces, and more than one", enrolled.Error, StringComparison.Ordinal);
        JsonElement again = CliProcess.Run("gallery", "enroll", gallery, photo, "--person", "Bob", "--any-quality", "--json").Expect(0).Json();
        JsonElement several = again.GetProperty("severalFaces");
        Assert.Equal((2, true), (several[0].GetProperty("faces").GetInt32(), several[0].GetProperty("ambiguous").GetBoolean()));

        Refused(CliProcess.Run("gallery", "identify", gallery, photo, "--threshold", "0.5", "--strict"));
        JsonElement identified = CliProcess.Run("gallery", "identify", gallery, photo, "--threshold", "0.5", "--json").Expect(0).Json();
        Assert.True(identified.GetProperty("ambiguous").GetBoolean());
        Assert.Contains("more than one", CliProcess.Run("quality", photo, "--strict").Expect(1).Out, StringComparison.Ordinal);
        JsonElement aligned = CliProcess.Run("align", Path.Combine(folder, "photos"), Path.Combine(folder, "out"), "--strict", "--json").Json();
        Assert.Equal((1, 0), (aligned.GetProperty("ambiguous").GetInt32(), aligned.GetProperty("aligned").GetInt32()));

        static void Refused(CliResult result) => Assert.Contains(
            "two.png: 2 faces, and more than one could be the main face; crop it to one person",
            result.Expect(2).Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Rotated_photo_matches_the_upright_photo()
    {
        RgbImage upright = people[0];
        string first = Photo("upright.png", upright.Width, upright.Height, (upright, 1, 0, 0));
        (int w, int h) = (upright.Width - 1, upright.Height - 1);
        (string Name, SimilarityTransform Turn)[] turns = [("90.png", new(0, 1, h, 0)), ("180.png", new(-1, 0, w, h)), ("270.png", new(0, -1, 0, w))];
        foreach ((string name, SimilarityTransform turn) in turns)
        {
            bool side = name != "180.png";
            string turned = Save(name, ImageWarp.Warp(upright, turn, side ? upright.Height : upright.Width, side ? upright.Width : upright.Height));
            Assert.True(CliProcess.Run("verify", model, first, turned, "--threshold", "0.9", "--json").Json().GetProperty("same").GetBoolean(), name);
        }
    }

    private string Photo(string name, int width, int height, params (RgbImage Person, double Scale, double X, double Y)[] people)
    {
        RgbImage photo = new(width, height);
        Array.Fill(photo.Pixels, (byte)120);
        foreach ((RgbImage person, double scale, double x, double y) in people)
        {
            int wide = (int)(person.Width * scale), high = (int)(person.Height * scale);
            RgbImage scaled = ImageWarp.Warp(person, new SimilarityTransform(scale, 0, 0, 0), wide, high);
            for (int row = 0; row < high && row + y < height; row++)
            {
                int length = Math.Min(wide, width - (int)x) * 3;
                scaled.Pixels.AsSpan(row * wide * 3, length).CopyTo(photo.Pixels.AsSpan(((((int)y + row) * width) + (int)x) * 3));
            }
        }

        return Save(name, photo);
    }

    private string Save(string name, RgbImage image)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, ImageEncoder.Png(image));
        return path;
    }
}
