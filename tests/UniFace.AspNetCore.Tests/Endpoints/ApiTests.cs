using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.AspNetCore.Tests.Endpoints;

/// <summary>The REST API does what its description says, as JSON and as form data.</summary>
public sealed class ApiTests
{
    [Fact]
    public async Task The_model_is_described_by_its_card()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement card = await server.GetAsync("/v1/model");
        Assert.Contains("invented", card.GetProperty("measuredOn").GetString(), StringComparison.Ordinal);
        Assert.Equal(0.77, card.GetProperty("results")[0].GetProperty("threshold").GetDouble());
        Assert.NotEqual(0, card.GetProperty("limits").GetArrayLength());
    }

    [Fact]
    public async Task People_are_enrolled_listed_identified_exported_and_erased()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement enrolled = await server.PostAsync(
            "/v1/people",
            new { person = "Ann", photos = new[] { RunningServer.Face(1), RunningServer.Face(2) }, aligned = true, anyQuality = true },
            HttpStatusCode.Created);
        Assert.Equal(2, enrolled.GetProperty("enrolled").GetInt32());
        await server.EnrollAsync("Bob/C é", 3);
        JsonElement page = await server.GetAsync("/v1/people?offset=1&limit=1");
        JsonElement second = page.GetProperty("people")[0];
        Assert.Equal(
            (2, "Bob/C é", 1),
            (page.GetProperty("total").GetInt32(), second.GetProperty("person").GetString(), second.GetProperty("templates").GetInt32()));
        JsonElement stats = await server.GetAsync("/v1/gallery");
        Assert.Equal(
            (2, 3, 8),
            (stats.GetProperty("people").GetInt32(), stats.GetProperty("templates").GetInt32(), stats.GetProperty("embeddingSize").GetInt32()));

        JsonElement known = await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(3), aligned = true, candidates = 2 }, HttpStatusCode.OK);
        Assert.Equal(
            ("match", "Bob/C é", 0.77),
            (known.GetProperty("decision").GetString(), known.GetProperty("person").GetString(), known.GetProperty("threshold").GetDouble()));
        Assert.Equal(2, known.GetProperty("candidates").GetArrayLength());
        Assert.Equal(1, known.GetProperty("score").GetDouble(), 1e-5);
        JsonElement stranger = await server.PostAsync(
            "/v1/identify", new { photo = RunningServer.Face(99), aligned = true, threshold = 0.9999 }, HttpStatusCode.OK);
        Assert.Equal(("unknown", JsonValueKind.Null), (stranger.GetProperty("decision").GetString(), stranger.GetProperty("person").ValueKind));

        JsonElement ann = await server.GetAsync("/v1/people/Ann");
        Assert.Equal(2, ann.GetProperty("templates").GetArrayLength());
        Assert.InRange(
            ann.GetProperty("templates")[0].GetProperty("enrolled").GetDateTimeOffset(),
            DateTimeOffset.UtcNow.AddMinutes(-10),
            DateTimeOffset.UtcNow.AddSeconds(1));
        JsonElement export = await server.GetAsync("/v1/people/Bob%2FC%20%C3%A9/export");
        JsonElement embedded = await server.PostAsync("/v1/embed", new { photo = RunningServer.Face(3), aligned = true }, HttpStatusCode.OK);
        Assert.Equal(
            embedded.GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle()),
            export.GetProperty("templates")[0].GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle()));
        Assert.Equal(["Ann", "Bob/C é"], (await server.GetAsync("/v1/gallery/export")).EnumerateArray().Select(p => p.GetProperty("person").GetString()!));

        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/v1/people/Ann")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.DeleteAsync("/v1/people/Ann")).StatusCode);
        await server.GetAsync("/v1/people/Ann", HttpStatusCode.NotFound);
        JsonElement afterErasure = await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(1), aligned = true }, HttpStatusCode.OK);
        Assert.Equal(["Bob/C é"], afterErasure.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("person").GetString()!));
    }

    /// <summary>A rate that the calibration does not support is refused if it was asked for, and replaced and named if it is the default.</summary>
    [Fact]
    public async Task Decisions_follow_the_rule_for_rates_and_the_size_of_the_gallery()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Ann", 1);
        await server.EnrollAsync("Bob", 2);
        JsonElement verified = await server.PostAsync(
            "/v1/verify", new { a = RunningServer.Face(1), b = RunningServer.Face(1), aligned = true }, HttpStatusCode.OK);
        Assert.Equal(0.009, verified.GetProperty("falseMatchRate").GetDouble());
        Assert.Contains("not the default of 0.001", verified.GetProperty("decisionNote").GetString(), StringComparison.Ordinal);
        JsonElement identified = await server.PostAsync(
            "/v1/identify", new { photo = RunningServer.Face(1), aligned = true, falsePositiveIdentificationRate = 0.1 }, HttpStatusCode.OK);
        Assert.Equal(1 - Math.Pow(0.9, 0.5), identified.GetProperty("falseMatchRate").GetDouble(), 1e-9);
        Assert.Equal(0.1, identified.GetProperty("falsePositiveIdentificationRate").GetDouble(), 1e-9);
        JsonElement refused = await server.PostAsync(
            "/v1/identify", new { photo = RunningServer.Face(1), aligned = true, falsePositiveIdentificationRate = 0.01 }, HttpStatusCode.BadRequest);
        Assert.Contains(
            "0.01 with 2 enrolled faces needs a false match rate of 0.00501", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        JsonElement replaced = await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(1), aligned = true }, HttpStatusCode.OK);
        Assert.Equal(1 - Math.Pow(1 - 0.009, 2), replaced.GetProperty("falsePositiveIdentificationRate").GetDouble(), 1e-9);
        Assert.Contains("the smallest supported rate was used", replaced.GetProperty("decisionNote").GetString(), StringComparison.Ordinal);
    }

    /// <summary>Every decision by a calibration on training data carries a warning.</summary>
    [Fact]
    public async Task Decisions_by_a_calibration_on_training_data_say_so()
    {
        string package = TestPackage.Write(Directory.CreateTempSubdirectory("uniface-seen-").FullName), path = Path.Combine(package, Calibration.FileName);
        (Calibration.Load(path) with { Overlap = new TrainingOverlap(60, 2) }).Save(path);
        await using RunningServer server = await RunningServer.StartAsync(options => options with { Package = package });
        await server.EnrollAsync("Ann", 1);
        JsonElement verified = await server.PostAsync("/v1/verify",
            new { a = RunningServer.Face(1), b = RunningServer.Face(1), aligned = true, falseMatchRate = 0.01 }, HttpStatusCode.OK);
        Assert.Contains("what the model was trained on (images: 60, people: 2)", verified.GetProperty("calibrationWarning").GetString(),
            StringComparison.Ordinal);
        JsonElement identified = await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(1), aligned = true }, HttpStatusCode.OK);
        Assert.Equal(verified.GetProperty("calibrationWarning").GetString(), identified.GetProperty("calibrationWarning").GetString());
        Directory.Delete(package, recursive: true);
    }

    [Theory]
    [InlineData("Ann Lee")]
    [InlineData("a#b")]
    [InlineData("a?b=c&d")]
    [InlineData("100%")]
    [InlineData("%41")]
    [InlineData("%2E%2E")]
    [InlineData("a/b")]
    [InlineData("/a/../b/")]
    [InlineData("50%/50%25")]
    [InlineData(@"a\b")]
    [InlineData("a+b;c:d@e,f")]
    [InlineData("<b>'\"")]
    [InlineData("...")]
    [InlineData("export")]
    [InlineData("👩‍🔬 王")]
    [InlineData("Zoe\u0308")]
    public async Task A_name_with_any_characters_is_read_and_erased_by_its_url(string name)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("bystander", 2);
        string location;
        object request = new { person = name, photos = new[] { RunningServer.Face(1) }, aligned = true, anyQuality = true };
        using (HttpResponseMessage enrolled = await server.PostAsync("/v1/people", request))
        {
            Assert.Equal(HttpStatusCode.Created, enrolled.StatusCode);
            location = enrolled.Headers.GetValues("Location").Single();
        }

        Assert.Equal("/v1/people/" + Uri.EscapeDataString(name), location);
        Assert.Equal(name, (await server.GetAsync(location)).GetProperty("person").GetString());
        Assert.Equal(name, (await server.GetAsync(location + "/export")).GetProperty("person").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync(location)).StatusCode);
        await server.GetAsync(location, HttpStatusCode.NotFound);
        Assert.Equal(
            ["bystander"],
            (await server.GetAsync("/v1/people")).GetProperty("people").EnumerateArray().Select(p => p.GetProperty("person").GetString()!));
    }

    [Theory]
    [InlineData(".")]
    [InlineData(" .. ")]
    [InlineData("A%2FB")]
    [InlineData("A%2fB")]
    [InlineData("A%5cB")]
    public async Task A_name_that_a_url_cannot_represent_is_refused(string name)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("A/B", 1);
        JsonElement refused = await server.PostAsync(
            "/v1/people",
            new { person = name, photos = new[] { RunningServer.Face(1) }, aligned = true, anyQuality = true },
            HttpStatusCode.BadRequest);
        Assert.Contains("a URL", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.DeleteAsync("/v1/people/A%252FB")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/v1/people/A%2fB")).StatusCode);
    }

    [Fact]
    public async Task The_same_face_is_the_same_person_and_another_is_not()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement same = await server.PostAsync(
            "/v1/verify",
            new { a = RunningServer.Face(1), b = RunningServer.Face(1), aligned = true, falseMatchRate = 0.01, crops = true },
            HttpStatusCode.OK);
        Assert.Equal(
            (true, 0.77, "invented"),
            (same.GetProperty("same").GetBoolean(), same.GetProperty("threshold").GetDouble(), same.GetProperty("calibratedOn").GetString()));
        Assert.Equal((112, 112), GetSize(same.GetProperty("a").GetProperty("crop").GetBytesFromBase64()));
        JsonElement other = await server.PostAsync(
            "/v1/verify", new { a = RunningServer.Face(1), b = RunningServer.Face(2), aligned = true, threshold = 0.99999 }, HttpStatusCode.OK);
        Assert.False(other.GetProperty("same").GetBoolean());
    }

    [Fact]
    public async Task A_form_with_files_gets_the_same_answer_as_json()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using MultipartFormDataContent enrol = new()
        {
            { new StringContent("Ann"), "person" },
            { new ByteArrayContent(RunningServer.Face(1)), "photos", "1.png" },
            { new ByteArrayContent(RunningServer.Face(2)), "photos", "../../2.png" },
            { new StringContent("true"), "aligned" },
            { new StringContent("true"), "anyQuality" },
        };
        JsonElement enrolled = await RunningServer.ReadAsync(await server.Client.PostAsync("/v1/people", enrol), HttpStatusCode.Created);
        Assert.Equal(2, enrolled.GetProperty("enrolled").GetInt32());
        using MultipartFormDataContent ask = new()
        {
            { new ByteArrayContent(RunningServer.Face(2)), "photo", "x.png" },
            { new StringContent("true"), "aligned" },
            { new StringContent("0.01"), "falseMatchRate" },
        };
        Assert.Equal(
            "Ann",
            (await RunningServer.ReadAsync(await server.Client.PostAsync("/v1/identify", ask), HttpStatusCode.OK)).GetProperty("person").GetString());
        using MultipartFormDataContent align = new()
        {
            { new ByteArrayContent(RunningServer.Face(2)), "photo", "x.png" },
            { new StringContent("true"), "aligned" },
        };
        using HttpResponseMessage crop = await server.Client.PostAsync("/v1/align", align);
        Assert.Equal("image/png", crop.Content.Headers.ContentType?.MediaType);
        Assert.Equal((112, 112), GetSize(await crop.Content.ReadAsByteArrayAsync()));
    }

    [Fact]
    public async Task A_face_of_low_quality_is_not_enrolled_and_the_answer_gives_the_reasons()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        byte[] black = ImageEncoder.Png(new RgbImage(112, 112));
        JsonElement refused = await server.PostAsync(
            "/v1/people", new { person = "Ann", photos = new[] { black }, aligned = true }, HttpStatusCode.UnprocessableEntity);
        Assert.Contains("too dark", string.Join(' ', refused.GetProperty("faults").EnumerateArray().Select(f => f.GetString())), StringComparison.Ordinal);
        Assert.Equal(0, (await server.GetAsync("/v1/people")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_photo_without_a_face_is_reported()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        byte[] wall = ImageEncoder.Png(new RgbImage(200, 160));
        JsonElement detected = await server.PostAsync("/v1/detect", new { photo = wall }, HttpStatusCode.OK);
        Assert.Equal(
            (200, 160, 0),
            (detected.GetProperty("width").GetInt32(), detected.GetProperty("height").GetInt32(), detected.GetProperty("faces").GetArrayLength()));
        Assert.Equal("no-face", (await server.PostAsync("/v1/identify", new { photo = wall }, HttpStatusCode.OK)).GetProperty("decision").GetString());
        Assert.Contains(
            "no face",
            (await server.PostAsync("/v1/embed", new { photo = wall }, HttpStatusCode.UnprocessableEntity)).GetProperty("detail").GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_model_it_says_how_to_get_one()
    {
        Assert.SkipWhen(UniFace.Packages.InstalledModels.GetDefault() is not null, "a model is installed on this machine");
        await using RunningServer server = await RunningServer.StartAsync(model: false);
        Assert.Contains(
            "uniface demo",
            (await server.PostAsync("/v1/detect", new { photo = RunningServer.Face(1) }, HttpStatusCode.ServiceUnavailable)).GetProperty("detail").GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/detect", "{", "application/json", 400)]
    [InlineData("/v1/detect", "null", "application/json", 400)]
    [InlineData("/v1/detect", "[]", "application/json", 400)]
    [InlineData("/v1/detect", "{}", "application/json", 400)]
    [InlineData("/v1/detect", "{\"photo\":\"AAAA\"}", "application/json", 400)]
    [InlineData("/v1/detect", "{\"photo\":\"not base64!\"}", "application/json", 400)]
    [InlineData("/v1/detect", "{\"photo\":\"AAAA\",\"another\":1}", "application/json", 400)]
    [InlineData("/v1/detect", "photo=AAAA", "application/x-www-form-urlencoded", 415)]
    [InlineData("/v1/detect", "", "multipart/form-data", 400)]
    [InlineData("/v1/detect", "--b\r\nno header\r\n", "multipart/form-data; boundary=b", 400)]
    [InlineData("/v1/identify", "{\"photo\":\"AAAA\",\"candidates\":0}", "application/json", 400)]
    [InlineData("/v1/verify", "{\"a\":\"AAAA\",\"b\":\"AAAA\",\"threshold\":2}", "application/json", 400)]
    [InlineData("/v1/verify", "{\"a\":\"AAAA\",\"b\":\"AAAA\",\"falseMatchRate\":1e-9}", "application/json", 400)]
    [InlineData("/v1/people", "{\"person\":\"\",\"photos\":[\"AAAA\"]}", "application/json", 400)]
    [InlineData("/v1/people", "{\"person\":\"a\\u0000b\",\"photos\":[\"AAAA\"]}", "application/json", 400)]
    [InlineData("/v1/people", "{\"person\":\"Ann\",\"photos\":[]}", "application/json", 400)]
    public async Task A_bad_request_is_refused_in_one_line(string path, string body, string type, int expected)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using StringContent content = new(body, Encoding.UTF8);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        JsonElement problem = await RunningServer.ReadAsync(await server.Client.PostAsync(path, content), (HttpStatusCode)expected);
        Assert.Equal(expected, problem.GetProperty("status").GetInt32());
        Assert.DoesNotContain('\n', problem.TryGetProperty("detail", out JsonElement detail) ? detail.GetString()! : "");
    }

    private static (int Width, int Height) GetSize(byte[] png)
    {
        RgbImage image = new SkiaImageDecoder().Decode(png, "crop");
        return (image.Width, image.Height);
    }
}
