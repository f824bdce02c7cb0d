using System.Net;
using System.Text.Json;
using UniFace.Training.Runs;

namespace UniFace.Studio.Tests;

/// <summary>/v1/runs and /v1/results return what training and evaluation wrote, and no other files.</summary>
public sealed class RunEndpointTests
{
    [Fact]
    public async Task Runs_are_listed_with_their_state()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        string runs = Path.Combine(server.Folder, "runs");
        Assert.Empty((await Json(server, "/v1/runs")).GetProperty("runs").EnumerateArray());
        FakeRun.Write(runs, "whole", 4);
        string halted = FakeRun.Write(runs, "halted", 2);
        using (RunLock.Acquire(halted))
        {
            // Stopped without an end event.
        }

        using RunLock training = RunLock.Acquire(FakeRun.Write(runs, "busy", 1));
        string failed = FakeRun.Write(runs, "wrecked", 1);
        File.WriteAllText(
            Path.Combine(failed, RunFolder.NotesFile),
            """{"time":"2026-11-24T12:00:00Z","step":10,"epoch":1,"kind":"failed","message":"the loss is not finite; lower --scale (now 64)"}""" +
            "\n{\"time\":");
        Directory.CreateDirectory(Path.Combine(runs, "broken"));
        File.WriteAllText(Path.Combine(runs, "broken", RunFolder.InfoFile), "{");
        JsonElement[] listed = [.. (await Json(server, "/v1/runs")).GetProperty("runs").EnumerateArray()];
        Assert.Equal(
            ["broken damaged", "busy running-elsewhere", "halted stopped", "whole finished", "wrecked failed"],
            listed.Select(r => $"{r.GetProperty("name").GetString()} {r.GetProperty("state").GetString()}"));
        Assert.Equal(
            (4, 4, 40, 40, 0.8),
            (
                listed[3].GetProperty("epoch").GetInt32(),
                listed[3].GetProperty("epochs").GetInt32(),
                listed[3].GetProperty("step").GetInt64(),
                listed[3].GetProperty("steps").GetInt64(),
                listed[3].GetProperty("tarAtFar").GetDouble()));
        Assert.Contains("lower --scale", listed[4].GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_has_every_row_and_an_unfinished_row_is_left_out()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        string folder = FakeRun.Write(Path.Combine(server.Folder, "runs"), "one", 2);
        File.AppendAllText(Path.Combine(folder, RunFolder.MetricsFile), "{\"kind\":\"step\",\"st");
        JsonElement run = await Json(server, "/v1/runs/one");
        JsonElement[] rows = [.. run.GetProperty("metrics").EnumerateArray()];
        Assert.Equal((3, 10), (rows.Count(r => r.GetProperty("kind").GetString() == "epoch"), rows.Count(r => r.GetProperty("kind").GetString() == "step")));
        Assert.Equal(80, rows[0].GetProperty("targetHistogram").GetArrayLength());
    }

    [Theory]
    [InlineData("/v1/runs/none")]
    [InlineData("/v1/runs/..%2F..")]
    [InlineData("/v1/runs/none/map")]
    [InlineData("/v1/results/figure?result=..%2F..%2Fetc&name=passwd")]
    [InlineData("/v1/results/figure?result=one%2Feval&name=..%2Frun.json")]
    [InlineData("/v1/results/figure?result=one%2Feval&name=eval.json")]
    public async Task Missing_and_private_files_are_not_found(string path)
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        string folder = FakeRun.Write(Path.Combine(server.Folder, "runs"), "one", 1);
        WriteEvaluation(Path.Combine(folder, "eval"));
        using HttpResponseMessage answer = await server.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_run_is_resumed_stopped_with_a_checkpoint_and_mapped()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        string folder = FakeRun.Start(Path.Combine(server.Folder, "runs"), "noise", 10_000);
        Assert.Equal(HttpStatusCode.Conflict, (await server.Client.PostAsync("/v1/runs/noise/stop", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await server.Client.PostAsync("/v1/runs/noise/resume", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await server.Client.PostAsync("/v1/runs/noise/resume", null)).StatusCode);
        JsonElement now;
        do
        {
            await Task.Delay(50);
            now = (await Json(server, "/v1/runs/noise")).GetProperty("summary");
            Assert.Equal("running", now.GetProperty("state").GetString());
        }
        while (now.GetProperty("step").GetInt64() < 2);

        using HttpResponseMessage stopped = await server.Client.PostAsync("/v1/runs/noise/stop", null);
        JsonElement run = await Json(server, "/v1/runs/noise");
        Assert.Equal("stopped", run.GetProperty("summary").GetProperty("state").GetString());

        // Training on noise may also draw a warning, if it gets that far.
        string[] notes = [.. run.GetProperty("notes").EnumerateArray().Select(n => n.GetProperty("kind").GetString()!)];
        Assert.Equal(["started", "stopped"], notes.Where(kind => kind != "warning"));
        Assert.True(File.Exists(Path.Combine(folder, RunFolder.LastFile)));
        JsonElement map = await Json(server, "/v1/runs/noise/map");
        Assert.Equal(
            ("pca", false, 4, 12),
            (
                map.GetProperty("method").GetString(),
                map.GetProperty("unseen").GetBoolean(),
                map.GetProperty("people").GetInt32(),
                map.GetProperty("points").GetArrayLength()));
        JsonElement other = await Json(server, "/v1/runs/noise/map?method=tsne");
        Assert.Equal(
            ("tsne", 12, 11 / 3.0),
            (other.GetProperty("method").GetString(), other.GetProperty("points").GetArrayLength(), other.GetProperty("perplexity").GetDouble()));
        Assert.Equal(
            map.GetProperty("points").EnumerateArray().Select(p => p.GetProperty("person").GetInt32()),
            other.GetProperty("points").EnumerateArray().Select(p => p.GetProperty("person").GetInt32()));
        Assert.Equal(other.GetRawText(), (await Json(server, "/v1/runs/noise/map?method=tsne")).GetRawText());
        foreach (string unknown in new[] { "umap", "7" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await server.Client.GetAsync("/v1/runs/noise/map?method=" + unknown)).StatusCode);
        }
    }

    [Fact]
    public async Task A_run_whose_data_is_missing_is_reported()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        string folder = FakeRun.Write(Path.Combine(server.Folder, "runs"), "lost", 1);
        File.SetLastWriteTimeUtc(Path.Combine(folder, RunFolder.MetricsFile), DateTime.UtcNow.AddHours(-1));
        await server.Client.PostAsync("/v1/runs/lost/resume", null);
        JsonElement run = default;
        for (int i = 0; i < 6000 && (run.ValueKind == JsonValueKind.Undefined || run.GetProperty("state").GetString() == "running"); i++)
        {
            await Task.Delay(50);
            run = (await Json(server, "/v1/runs")).GetProperty("runs")[0];
        }

        Assert.Equal("failed", run.GetProperty("state").GetString());
        Assert.Contains("faces", run.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Evaluations_are_listed_with_their_figures()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        WriteEvaluation(Path.Combine(server.Folder, "runs", "one", "eval"));
        Directory.CreateDirectory(Path.Combine(server.Folder, "runs", "torn"));
        File.WriteAllText(Path.Combine(server.Folder, "runs", "torn", "eval.json"), "{");
        JsonElement result = Assert.Single((await Json(server, "/v1/results")).GetProperty("results").EnumerateArray());
        Assert.Equal(("one/eval", 0.991), (result.GetProperty("name").GetString(), result.GetProperty("report").GetProperty("accuracy").GetDouble()));
        Assert.Equal(["det.svg", "roc.svg"], result.GetProperty("figures").EnumerateArray().Select(f => f.GetString()));
        using HttpResponseMessage figure = await server.Client.GetAsync("/v1/results/figure?result=one%2Feval&name=roc.svg");
        Assert.Equal((HttpStatusCode.OK, "image/svg+xml"), (figure.StatusCode, figure.Content.Headers.ContentType?.MediaType));
    }

    internal static void WriteEvaluation(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "eval.json"), """
            {"data":"lfw-pairs.txt","protocol":"pairs","accuracy":0.991,"accuracyStandardError":0.0018,"threshold":0.285,
            "samePairs":3000,"differentPairs":3000,"auc":0.9988,"aucLow":0.9979,"aucHigh":0.9996,
            "eer":0.0073,"eerLow":0.0053,"eerHigh":0.01,"eerThreshold":0.256,
            "tarAtFar":{"1e-3":{"tar":0.9867,"low":0.978,"high":0.991,"threshold":0.305,"far":0.001},
            "1e-6":{"tar":null,"low":null,"high":null,"threshold":null,"far":null,"why":"3000 pairs of different people cannot tell"}},"model":"package"}
            """);
        foreach (string name in new[] { "roc.svg", "det.svg" })
        {
            File.WriteAllText(
                Path.Combine(folder, name),
                """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60"><path d="M0 60L10 5L100 0" fill="none" stroke="#07c"/></svg>""");
        }
    }

    private static async Task<JsonElement> Json(RunningServer server, string path) => JsonDocument.Parse(await server.Client.GetStringAsync(path)).RootElement;
}
