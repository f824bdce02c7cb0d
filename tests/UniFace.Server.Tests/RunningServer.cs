using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision;

namespace UniFace.Server.Tests;

/// <summary>A service on a port of its own, with a tiny model, in a folder of its own; a real Kestrel and a real client.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private RunningServer(WebApplication app, string folder)
    {
        this.app = app;
        Folder = folder;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    /// <summary>Everything the service writes is in here.</summary>
    public string Folder { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => app.Services;

    /// <summary>Starts one.</summary>
    /// <param name="change">Changes the options before the start.</param>
    /// <param name="model">False: started without a model package.</param>
    public static async Task<RunningServer> StartAsync(Func<ServerOptions, ServerOptions>? change = null, bool model = true)
    {
        string folder = Directory.CreateTempSubdirectory("uniface-server-").FullName;
        ServerOptions options = new() { Urls = ["http://127.0.0.1:0"], DataFolder = Path.Combine(folder, "data"), Runs = Path.Combine(folder, "runs"), Package = model ? WritePackage(Path.Combine(folder, "package")) : null };
        WebApplication app = await UniFaceServer.CreateAsync(change?.Invoke(options) ?? options);
        await app.StartAsync();
        return new RunningServer(app, folder);
    }

    /// <summary>An aligned face of noise: different seeds are different people to the tiny model.</summary>
    public static byte[] Face(int seed)
    {
        RgbImage image = new(112, 112);
        new Random(seed).NextBytes(image.Pixels);
        return ImageEncoder.Png(image);
    }

    /// <summary>Posts JSON; byte arrays go as base64.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body);

    /// <summary>Posts JSON and reads the answer, which must have the status.</summary>
    public async Task<JsonElement> PostAsync(string path, object body, HttpStatusCode expected)
    {
        using HttpResponseMessage answer = await PostAsync(path, body);
        return await ReadAsync(answer, expected);
    }

    /// <summary>Gets JSON.</summary>
    public async Task<JsonElement> GetAsync(string path, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using HttpResponseMessage answer = await Client.GetAsync(path);
        return await ReadAsync(answer, expected);
    }

    /// <summary>Enrols a face of noise.</summary>
    public Task<JsonElement> EnrolAsync(string person, int seed) =>
        PostAsync("/v1/people", new { person, photos = new[] { Face(seed) }, aligned = true, anyQuality = true }, HttpStatusCode.Created);

    /// <summary>The answer's JSON; fails with its own words where the status is another.</summary>
    public static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{(int)answer.StatusCode}, expected {(int)expected}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>A package around a tiny embedder of 8 values, with an invented calibration: at a false match rate of 0.01 the threshold is 0.77.</summary>
    public static string WritePackage(string folder, int seed = 1)
    {
        Directory.CreateDirectory(folder);
        string onnx = Path.Combine(folder, "model.onnx");
        TinyOnnx.WriteEmbedder(onnx, 112, 112, 8, seed: seed);
        ModelManifest manifest = new() { EmbeddingSize = 8, OnnxSha256 = Sha256.OfFile(onnx) };
        File.WriteAllText(Path.Combine(folder, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        new Calibration
        {
            FlipSum = false,
            Data = new CalibrationData { Name = "invented", Sha256 = new string('0', 64), SamePairs = 1000, DifferentPairs = 1000 },
            Created = DateTimeOffset.UnixEpoch,
            Entries = [new CalibrationEntry { FalseMatchRate = 0.01, Supported = true, Threshold = 0.77, MeasuredFalseMatchRate = 0.009 }],
            Curve = [new CalibrationPoint(0.77, 0.009, 0.9), new CalibrationPoint(0.5, 0.1, 0.99)],
        }.For(manifest).Save(Path.Combine(folder, Calibration.FileName));
        return folder;
    }
}
