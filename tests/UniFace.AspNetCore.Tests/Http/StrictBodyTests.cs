using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace UniFace.AspNetCore.Tests.Http;

/// <summary>Ambiguous requests are refused: all text is UTF-8, and every field is known and given once.</summary>
public sealed class StrictBodyTests
{
    private const string Face = "\"photos\":[\"AAAA\"]";

    [Theory]
    [InlineData("Content-Disposition: form-data; name=\"person\"\r\n\r\nBj\xF6rn", "the form's field person is not UTF-8")]
    [InlineData("Content-Disposition: form-data; name=\"p\xE4rson\"\r\n\r\nAnn", "a header of the form's field 1 is not UTF-8")]
    [InlineData("Content-Disposition: form-data; name=\"photos\"; filename=\"\xE4.png\"\r\n\r\nx", "a header of the form's field 1 is not UTF-8")]
    [InlineData("Content-Disposition: form-data; name=\"photos\"; filename*=UTF-8''%E4.png\r\n\r\nx", "the file name of the form's field 1 is not UTF-8")]
    [InlineData("Content-Disposition: form-data; name=\"photos\"\r\nX-Note: \xE4\r\n\r\nx", "a header of the form's field 1 is not UTF-8")]
    [InlineData(
        "Content-Disposition: form-data; name=\"person\"\r\n\r\nAnn\r\n--b\r\nContent-Disposition: form-data; name=\"Person\"\r\n\r\nBob",
        "the form's field person is given more than once")]
    [InlineData("Content-Disposition: form-data; name=\"another\"\r\n\r\n1", "expected are person, photos, anyQuality, aligned")]
    public async Task A_form_is_refused(string section, string words) =>
        Assert.Contains(words, await RefusalAsync("/v1/people", $"--b\r\n{section}\r\n--b--\r\n", "multipart/form-data; boundary=b"), StringComparison.Ordinal);

    [Theory]
    [InlineData("candidates", "2.5", "expected a whole number")]
    [InlineData("threshold", "0,5", "expected a number")]
    [InlineData("aligned", "yes", "expected true or false")]
    public async Task A_form_field_of_another_type_is_refused(string field, string value, string expected)
    {
        string form = $"--b\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n--b--\r\n";
        Assert.EndsWith($"field {field}: {expected}", await RefusalAsync("/v1/identify", form, "multipart/form-data; boundary=b"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"person\":\"Bj\xF6rn\"," + Face + "}", "in UTF-8")]
    [InlineData("{\"person\":\"\\ud800\"," + Face + "}", "error at $.person")]
    [InlineData(
        "{\"person\":\"Ann\"," + Face + ",\"anyquality\":true,\"any-quality\":true}",
        "a field any-quality that is not expected here; expected are person, photos, anyQuality, aligned")]
    [InlineData("{\"person\":\"Ann\"," + Face + ",\"a\\nb\":true}", "that is not expected here")]
    [InlineData("{\"person\":\"Ann\",\"Person\":\"Bob\"," + Face + "}", "given more than once")]
    [InlineData(
        "{\"person\":\"Ann\",\"photos\":[\"AAAA\",\"data:image/png;base64,AAAA\"]}",
        "photos[1] is not base64: expected the photo's bytes as base64, without 'data:")]
    public async Task A_json_body_is_refused(string body, string words) =>
        Assert.Contains(words, await RefusalAsync("/v1/people", body, "application/json"), StringComparison.Ordinal);

    [Theory]
    [InlineData("/v1/people/Bj%F6rn", "")]
    [InlineData("/v1/people/Bj%F6rn/export", "")]
    [InlineData("/v1/people/a%C0%AFb", "")]
    [InlineData("/v1/results/figure?result=a&name=%E4", "")]
    [InlineData("/v1/people/Ann", "X-API-Key: \xE4\r\n")]
    public async Task An_address_or_a_header_that_is_not_utf8_is_refused(string target, string header)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Bj%F6rn", 1);
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n"));
        using StreamReader reader = new(client.GetStream());
        Assert.StartsWith("HTTP/1.1 400 ", await reader.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal("Bj%F6rn", (await server.GetAsync("/v1/people/Bj%25F6rn")).GetProperty("person").GetString());
    }

    [Fact]
    public async Task Too_many_files_in_a_form_are_refused()
    {
        StringBuilder form = new();
        for (int i = 0; i < 65; i++)
        {
            form.Append("--b\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"x\"\r\n\r\nx\r\n");
        }

        string detail = await RefusalAsync("/v1/people", form.Append("--b--\r\n").ToString(), "multipart/form-data; boundary=b");
        Assert.Contains("more than 64 fields and files", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/v1/detect", HttpStatusCode.UnsupportedMediaType, "expected a body of application/json")]
    [InlineData("PUT", "/v1/detect", HttpStatusCode.MethodNotAllowed, "it allows POST")]
    [InlineData("GET", "/v1/nothing", HttpStatusCode.NotFound, "/openapi/v1.json lists the endpoints")]
    public async Task Requests_refused_by_routing_have_a_detail(string method, string path, HttpStatusCode status, string words)
    {
        await using RunningServer server = await RunningServer.StartAsync(model: false);
        using HttpRequestMessage request = new(new HttpMethod(method), path) { Content = method == "POST" ? new StringContent("x") : null };
        JsonElement problem = await RunningServer.ReadAsync(await server.Client.SendAsync(request), status);
        Assert.Contains(words, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Health_answers_HEAD(string path)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpRequestMessage head = new(HttpMethod.Head, path);
        using HttpResponseMessage answer = await server.Client.SendAsync(head);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task The_same_photo_of_a_person_is_enrolled_once_and_the_answer_says_so()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        byte[] first = RunningServer.Face(1), second = RunningServer.Face(2);
        JsonElement once = await EnrollAsync("Ann", [first, first, second]);
        Assert.Equal([(1L, false), (1L, true), (2L, false)], Photos(once));
        JsonElement again = await EnrollAsync("Ann", [second, RunningServer.Face(3)]);
        Assert.Equal((2, 1), (once.GetProperty("enrolled").GetInt32(), again.GetProperty("enrolled").GetInt32()));
        Assert.Equal([(2L, true), (3L, false)], Photos(again));
        Assert.Equal([(4L, false)], Photos(await EnrollAsync("Bob", [first])));
        JsonElement export = await server.GetAsync("/v1/people/Ann/export");
        Assert.Equal(3, export.GetProperty("templates").GetArrayLength());
        string? kept = export.GetProperty("templates")[0].GetProperty("photoSha256").GetString();
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(first)), kept);

        Task<JsonElement> EnrollAsync(string person, byte[][] photos) =>
            server.PostAsync("/v1/people", new { person, photos, aligned = true, anyQuality = true }, HttpStatusCode.Created);
        static (long, bool)[] Photos(JsonElement answer) =>
            [.. answer.GetProperty("photos").EnumerateArray().Select(p => (p.GetProperty("template").GetInt64(), p.GetProperty("already").GetBoolean()))];
    }

    [Fact]
    public async Task Concurrent_requests_enroll_a_photo_once()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        for (int round = 0; round < 5; round++)
        {
            byte[] photo = RunningServer.Face(round);
            JsonElement[] answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => server.PostAsync(
                "/v1/people", new { person = $"Ann {round}", photos = new[] { photo }, aligned = true, anyQuality = true }, HttpStatusCode.Created)));
            Assert.Equal(1, answers.Sum(a => a.GetProperty("enrolled").GetInt32()));
            Assert.Single(answers.Select(a => a.GetProperty("photos")[0].GetProperty("template").GetInt64()).Distinct());
        }
    }

    // Latin-1 bytes above ASCII are not UTF-8.
    private static async Task<string> RefusalAsync(string path, string body, string type)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using ByteArrayContent content = new(Encoding.Latin1.GetBytes(body)) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        JsonElement problem = await RunningServer.ReadAsync(await server.Client.PostAsync(path, content), HttpStatusCode.BadRequest);
        Assert.Equal(0, (await server.GetAsync("/v1/people")).GetProperty("total").GetInt32());
        string detail = problem.GetProperty("detail").GetString()!;
        Assert.DoesNotContain('\n', detail);
        return detail;
    }
}
