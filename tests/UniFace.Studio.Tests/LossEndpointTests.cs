using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using UniFace.Studio.Lab;

namespace UniFace.Studio.Tests;

/// <summary>/v1/losses returns the losses, curves that follow the formulas, and sessions within their limits.</summary>
public sealed class LossEndpointTests
{
    [Fact]
    public async Task Every_loss_is_listed_with_its_hyperparameters()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        JsonElement losses = (await Json(server, "/v1/losses")).GetProperty("losses");
        Assert.Equal(UniFace.Training.Losses.LossRegistry.Names, losses.EnumerateArray().Select(l => l.GetProperty("name").GetString()));
        JsonElement margin = losses.EnumerateArray().Single(l => l.GetProperty("name").GetString() == "cosface").GetProperty("hyperparameters")[0];
        Assert.Equal(
            ("margin", "number", "0.35", 1.5),
            (
                margin.GetProperty("name").GetString(),
                margin.GetProperty("kind").GetString(),
                margin.GetProperty("default").GetString(),
                margin.GetProperty("maximum").GetDouble()));
    }

    [Fact]
    public async Task Curves_are_points_that_lie_on_the_formulas()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        JsonElement uce = await Json(server, "/v1/losses/curves?loss=uce&scale=64&margin=0.4&bias=12&classes=100");
        Assert.Equal("uce(margin-type=cos,margin=0.4,scale=64,lambda=1,bias=12,clamp=false,negative-rate=1)", uce.GetProperty("spec").GetString());
        Assert.Equal(12.0 / 64, uce.GetProperty("threshold").GetDouble(), 1e-12);
        Assert.All(Points(uce, "target-logit"), p => Assert.Equal(64 * (Math.Cos(p.X) - 0.4), p.Y, 1e-9));
        Assert.All(Points(uce, "probability"), p => Assert.Equal(1 / (1 + Math.Exp(12 - (64 * (p.X - 0.4)))), p.Y, 1e-9));
        Assert.Equal(181, Points(uce, "gradient").Length);
        Assert.Equal(Math.Acos((12.0 / 64) + 0.4), uce.GetProperty("boundary").GetProperty("first").GetDouble(), 1e-4);
        JsonElement arc = await Json(server, "/v1/losses/curves?loss=arcface&margin=0.5&scale=32&wrap=plain&points=50");
        Assert.All(Points(arc, "target-logit"), p => Assert.Equal(32 * Math.Cos(p.X + 0.5), p.Y, 1e-9));
        Assert.Equal(JsonValueKind.Null, arc.GetProperty("threshold").ValueKind);
    }

    [Theory]
    [InlineData("loss=nope", "there is no loss 'nope'")]
    [InlineData("loss=cosface&m=0.4", "has no hyperparameter 'm'")]
    [InlineData("loss=cosface&margin=9", "margin")]
    [InlineData("loss=cosface&margin=0.1&margin=0.2", "2 times")]
    [InlineData("loss=cosface&classes=1", "classes = 1 is out of range")]
    [InlineData("loss=cosface&classes=100000&points=2000", "too many")]
    [InlineData("loss=cosface&length=NaN", "length")]
    [InlineData("loss=cosface&length=1,5", "length is '1,5': expected a number with a decimal point")]
    [InlineData("loss=cosface&other-cosine=0,1", "other-cosine is '0,1'")]
    [InlineData("loss=cosface&classes=10,000", "classes")]
    [InlineData("loss=cosface&margin=0,1", "margin")]
    [InlineData("loss=cosface&classes=many", "classes")]
    [InlineData("loss=adacos&classes=2", "at least 3")]
    public async Task An_invalid_query_is_refused_with_the_reason(string query, string words)
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        using HttpResponseMessage answer = await server.Client.GetAsync("/v1/losses/curves?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            words,
            JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("detail").GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_separates_the_classes_and_is_reproducible()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        string[] runs = [await RunSessionAsync(server), await RunSessionAsync(server)];
        Assert.Equal(runs[0], runs[1]);
        JsonElement[] frames = [.. runs[0].Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(
            e => JsonDocument.Parse(e[(e.IndexOf("data:", StringComparison.Ordinal) + 5)..]).RootElement)];
        Assert.Equal((0, 200), (frames[0].GetProperty("step").GetInt32(), frames[^1].GetProperty("step").GetInt32()));
        for (int side = 0; side < 2; side++)
        {
            JsonElement before = frames[0].GetProperty("worlds")[side], after = frames[^1].GetProperty("worlds")[side];
            Assert.True(after.GetProperty("intraAngle").GetDouble() < before.GetProperty("intraAngle").GetDouble());
            Assert.True(after.GetProperty("interAngle").GetDouble() > 2 * before.GetProperty("interAngle").GetDouble());
            Assert.True(after.GetProperty("lossValue").GetDouble() < before.GetProperty("lossValue").GetDouble());
            Assert.True(after.GetProperty("accuracy").GetDouble() > 0.8);
            Assert.Equal((400, 3), (after.GetProperty("embeddings").GetArrayLength(), after.GetProperty("embeddings")[0].GetArrayLength()));
        }

        static Task<string> RunSessionAsync(RunningServer server) =>
            server.Client.GetStringAsync("/v1/losses/lab?loss=normface(scale%3D16)&loss=uce(margin%3D0.1,scale%3D16,bias%3D12)&dimensions=3&steps=200");
    }

    [Fact]
    public async Task A_session_ends_when_its_client_disconnects_or_starts_another()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        LabSessions sessions = server.Services.GetRequiredService<LabSessions>();
        using HttpResponseMessage first = await server.Client.GetAsync("/v1/losses/lab?loss=uce&steps=2000", HttpCompletionOption.ResponseHeadersRead);
        using StreamReader stream = new(await first.Content.ReadAsStreamAsync());
        await stream.ReadLineAsync();
        Assert.Equal(1, sessions.Running);
        HttpResponseMessage second = await server.Client.GetAsync("/v1/losses/lab?loss=uce&steps=2000", HttpCompletionOption.ResponseHeadersRead);
        string rest = await stream.ReadToEndAsync(); // It ends by itself, long before its last step.
        Assert.DoesNotContain("\"step\":2000,", rest, StringComparison.Ordinal);
        second.Dispose();
        for (int i = 0; i < 6000 && sessions.Running > 0; i++)
        {
            await Task.Delay(50);
        }

        Assert.Equal(0, sessions.Running);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?loss=a&loss=b&loss=c")]
    [InlineData("?loss=uce&dimensions=4")]
    [InlineData("?loss=uce&steps=0")]
    [InlineData("?loss=uce(margin%3D-3)")]
    public async Task An_invalid_session_is_refused(string query)
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        using HttpResponseMessage answer = await server.Client.GetAsync("/v1/losses/lab" + query);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private static async Task<JsonElement> Json(RunningServer server, string path) => JsonDocument.Parse(await server.Client.GetStringAsync(path)).RootElement;

    private static (double X, double Y)[] Points(JsonElement answer, string curve) =>
    [
        .. answer.GetProperty("curves").EnumerateArray().Single(c => c.GetProperty("name").GetString() == curve).GetProperty("points").EnumerateArray()
            .Select(p => (p.GetProperty("x").GetDouble(), p.GetProperty("y").GetDouble())),
    ];
}
