using System.Net;
using System.Text.Json;
using UniFace.Faces;
using UniFace.Synthetic;
using UniFace.Vision.Detection;
using UniFace.Vision.Imaging;

namespace UniFace.AspNetCore.Tests;

/// <summary>A service with a liveness check embeds, compares and enrolls only faces that pass it, and says with which score.</summary>
public sealed class LivenessTests
{
    private static readonly byte[] Photo = ImageEncoder.Jpeg(new SyntheticFaces(21, 0.5f).Photo(10, 0).Image);

    public LivenessTests() => Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");

    [Fact]
    public async Task Faces_that_pass_are_answered_with_their_score_and_quality()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { Liveness = new Check(0.8) });
        JsonElement enrolled = await server.PostAsync(
            "/v1/people", new { person = "Ann", photos = new[] { Photo }, anyQuality = true }, HttpStatusCode.Created);
        JsonElement face = enrolled.GetProperty("photos")[0].GetProperty("face");
        Assert.Equal(0.8, face.GetProperty("liveness").GetDouble());
        Assert.InRange(face.GetProperty("quality").GetProperty("overall").GetDouble(), 0, 1);
        JsonElement found = await server.PostAsync("/v1/identify", new { photo = Photo, threshold = 0.5 }, HttpStatusCode.OK);
        Assert.Equal(("match", 0.8), (found.GetProperty("decision").GetString(), found.GetProperty("face").GetProperty("liveness").GetDouble()));
        JsonElement verified = await server.PostAsync("/v1/verify", new { a = Photo, b = Photo }, HttpStatusCode.OK);
        Assert.Equal(0.8, verified.GetProperty("b").GetProperty("liveness").GetDouble());
    }

    [Fact]
    public async Task Faces_that_fail_are_refused_with_422_and_nobody_is_enrolled()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { Liveness = new Check(0.4) });
        (string Path, object Body)[] requests =
        [
            ("/v1/people", new { person = "Ann", photos = new[] { Photo }, anyQuality = true }),
            ("/v1/identify", new { photo = Photo, threshold = 0.5 }),
            ("/v1/verify", new { a = Photo, b = Photo }),
            ("/v1/embed", new { photo = Photo }),
        ];
        foreach ((string path, object body) in requests)
        {
            JsonElement refused = await server.PostAsync(path, body, HttpStatusCode.UnprocessableEntity);
            Assert.Contains("does not pass the liveness check", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(0, (await server.GetAsync("/v1/people")).GetProperty("total").GetInt32());
        Assert.NotEmpty((await server.PostAsync("/v1/detect", new { photo = Photo }, HttpStatusCode.OK)).GetProperty("faces").EnumerateArray());
    }

    [Fact]
    public async Task An_aligned_face_does_not_avoid_the_check()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { Liveness = new Check(1) });
        JsonElement refused = await server.PostAsync(
            "/v1/people", new { person = "Ann", photos = new[] { RunningServer.Face(1) }, aligned = true, anyQuality = true }, HttpStatusCode.BadRequest);
        Assert.Contains("cannot be checked for liveness", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private sealed class Check(double score) : ILivenessCheck
    {
        LivenessResult ILivenessCheck.Check(Photo photo, DetectedFace face) => new(score, 0.5);
    }
}
