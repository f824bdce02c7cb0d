using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Server.Tests;

/// <summary>A service on a port of its own, with a tiny model, in a folder of its own; a real Kestrel and a real client.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private RunningServer(WebApplication app, string folder)
    {
        this.app = app;
        Folder = folder;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromMinutes(10) }; // on a machine that is busy, too
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
        ServerOptions options = new() { Urls = ["http://127.0.0.1:0"], DataFolder = Path.Combine(folder, "data"), Runs = Path.Combine(folder, "runs"), Package = model ? InventedPackage.Write(Path.Combine(folder, "package")) : null };
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
}
