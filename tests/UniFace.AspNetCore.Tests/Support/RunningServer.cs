using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UniFace.AspNetCore.Hosting;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.AspNetCore.Tests.Support;

/// <summary>A service with a tiny model, a port and a folder of its own; with a real Kestrel and client.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private RunningServer(WebApplication app, string folder)
    {
        this.app = app;
        Folder = folder;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromMinutes(10) };
    }

    /// <summary>Contains everything that the service writes.</summary>
    public string Folder { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => app.Services;

    /// <summary>Starts a service.</summary>
    /// <param name="change">Changes the options before the start.</param>
    /// <param name="model">False: started without a model package.</param>
    /// <param name="add">Registers more services; takes the server's folder.</param>
    public static async Task<RunningServer> StartAsync(
        Func<ServerOptions, ServerOptions>? change = null, bool model = true, Action<IServiceCollection, string>? add = null)
    {
        string folder = Directory.CreateTempSubdirectory("uniface-server-").FullName;
        ServerOptions options = new()
        {
            Urls = ["http://127.0.0.1:0"],
            DataFolder = Path.Combine(folder, "data"),
            Package = model ? TestPackage.Write(Path.Combine(folder, "package")) : null,
            RequestTimeout = TimeSpan.FromMinutes(10), // on a machine that is busy, too
        };
        WebApplication? app = null;
        try
        {
            app = await UniFaceServer.CreateAsync(change?.Invoke(options) ?? options, services =>
            {
                services.AddLogging(logging => logging.ClearProviders()); // A line per request would hide the test results.
                add?.Invoke(services, folder);
            });
            await app.StartAsync();
            return new RunningServer(app, folder);
        }
        catch
        {
            await (app?.DisposeAsync() ?? ValueTask.CompletedTask);
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>An aligned noise face; to the tiny model, different seeds are different people.</summary>
    public static byte[] Face(int seed)
    {
        RgbImage image = new(112, 112);
        new Random(seed).NextBytes(image.Pixels);
        return ImageEncoder.Png(image);
    }

    /// <summary>Posts JSON, byte arrays as base64.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body);

    /// <summary>Posts JSON and reads the response, which must have the status.</summary>
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

    /// <summary>Enrolls a noise face.</summary>
    public Task<JsonElement> EnrollAsync(string person, int seed) =>
        PostAsync("/v1/people", new { person, photos = new[] { Face(seed) }, aligned = true, anyQuality = true }, HttpStatusCode.Created);

    /// <summary>Reads the response's JSON; fails with its text if the status differs.</summary>
    public static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{(int)answer.StatusCode}, expected {(int)expected}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Reads the audit log when it contains a text, or after a minute: most events are written soon after the response, not before it.</summary>
    public async Task<string> ReadAuditAsync(string expected)
    {
        string path = Path.Combine(Folder, "data", "audit.jsonl");
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            string log = File.Exists(path) ? await File.ReadAllTextAsync(path) : "";
            if (log.Contains(expected, StringComparison.Ordinal) || waited.Elapsed > TimeSpan.FromMinutes(1))
            {
                return log;
            }

            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
