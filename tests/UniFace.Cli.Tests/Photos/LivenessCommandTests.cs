using System.Globalization;
using System.Text.Json;
using UniFace.TestSupport;
using UniFace.Vision.Detection;

namespace UniFace.Cli.Tests.Photos;

/// <summary>--liveness gates verify, identify and enroll. The stand-in model's score is the mean brightness around the face, 0 to 1.</summary>
public sealed class LivenessCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;
    private readonly string photo, model, gallery, accepting, refusing;

    public LivenessCommandTests()
    {
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        CliProcess.Run("data", "make", At("made"), "--people", "1", "--images", "1", "--photos").Expect(0);
        photo = Directory.EnumerateFiles(At("made"), "*.jpg", SearchOption.AllDirectories).Single();
        model = TestPackage.Write(At("package"));
        gallery = At("people.gallery");
        CliProcess.Run("gallery", "create", gallery, model).Expect(0);
        TinyOnnx.WriteEmbedder(At("stand-in.onnx"), 16, 16, 1, weight: 1f / (3 * 16 * 16));
        (accepting, refusing) = (Describe("accepting", 0.01), Describe("refusing", 0.99));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_face_that_passes_is_used_and_its_score_reported()
    {
        JsonElement verified = CliProcess.Run("verify", model, photo, photo, "--liveness", accepting, "--json").Expect(0).Json();
        Assert.InRange(verified.GetProperty("a").GetProperty("liveness").GetDouble(), 0.01, 0.99);
        JsonElement enrolled = CliProcess.Run("gallery", "enroll", gallery, At("made"), "--any-quality", "--liveness", accepting, "--json").Expect(0).Json();
        Assert.Equal(1, enrolled.GetProperty("enrolled").GetInt32());
        JsonElement found = CliProcess.Run("gallery", "identify", gallery, photo, "--threshold", "0.5", "--liveness", accepting, "--json").Expect(0).Json();
        Assert.InRange(found.GetProperty("liveness").GetDouble(), 0.01, 0.99);
    }

    [Fact]
    public void A_face_that_fails_is_neither_compared_nor_enrolled()
    {
        Refused("verify", model, photo, photo, "--liveness", refusing);
        Refused("gallery", "identify", gallery, photo, "--threshold", "0.5", "--liveness", refusing);
        Refused("gallery", "enroll", gallery, At("made"), "--any-quality", "--liveness", refusing);
        Assert.Empty(CliProcess.Run("gallery", "list", gallery, "--json").Expect(0).Json().GetProperty("people").EnumerateArray());
    }

    [Fact]
    public void Aligned_faces_and_files_that_are_no_description_are_refused()
    {
        CliResult aligned = CliProcess.Run("verify", model, photo, photo, "--aligned", "--liveness", accepting).Expect(2);
        Assert.Contains("error: ", aligned.Error, StringComparison.Ordinal);
        Assert.Contains("not the description of a liveness model", CliProcess.Run("verify", model, photo, photo, "--liveness", photo).Expect(2).Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_enrolled_photo_has_a_quality()
    {
        JsonElement json = CliProcess.Run("gallery", "enroll", gallery, At("made"), "--any-quality", "--json").Expect(0).Json();
        JsonElement entry = Assert.Single(json.GetProperty("qualities").EnumerateArray());
        Assert.EndsWith(".jpg", entry.GetProperty("photo").GetString(), StringComparison.Ordinal);
        JsonElement quality = entry.GetProperty("quality");
        Assert.InRange(quality.GetProperty("overall").GetDouble(), 0, 1);
        Assert.InRange(quality.GetProperty("certainty").GetDouble(), 0.5, 1);
    }

    private static void Refused(params string[] args) =>
        Assert.Contains("does not pass the liveness check", CliProcess.Run(args).Expect(2).Error, StringComparison.Ordinal);

    private string Describe(string name, double threshold)
    {
        string path = At(name + ".json");
        File.WriteAllText(path, string.Create(
            CultureInfo.InvariantCulture,
            $"{{ \"onnxFile\": \"stand-in.onnx\", \"threshold\": {threshold}, \"normalization\": {{ \"mean\": 0, \"deviation\": 255 }} }}"));
        return path;
    }

    private string At(string name) => Path.Combine(folder, name);
}
