using System.Net.Http.Json;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Studio.Tests;

/// <summary>
/// After any number of requests, the service's memory is within 300 MB of the start. The suite sends a few of the requests that need most memory;
/// UNIFACE_SOAK_REQUESTS sets the number of requests of all kinds (tests/soak.sh).
/// </summary>
public sealed class SoakTests
{
    private const int MostMegabytes = 300, AtOnce = 8;

    private static readonly string[] Losses = ["uce", "cosface", "arcface", "normface", "softmax"];

    [Fact]
    public async Task Memory_after_many_requests_is_about_that_of_the_start()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        int asked = int.TryParse(Environment.GetEnvironmentVariable("UNIFACE_SOAK_REQUESTS"), out int given) ? given : 0;
        await using ServiceProcess server = await ServiceProcess.StartAsync("UniFace.Cli.dll");
        await PostAsync(server, "/v1/people", new { person = "Ann", photos = new[] { RunningServer.Face(1) }, aligned = true, anyQuality = true });
        await CurvesAsync(server, 0, 181);
        int started = server.Resident;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, asked > 0 ? asked : 64),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (i, _) => await (asked > 0 ? AnyAsync(server, i) : CurvesAsync(server, i, 720)));
        int after = server.Resident;

        // The service returns memory every ten seconds.
        for (int tries = 0; tries < 1200 && server.Resident > started + MostMegabytes; tries++)
        {
            await Task.Delay(500);
        }

        TestContext.Current.SendDiagnosticMessage(
            $"{started} MB at the start, {after} MB after the last request, {server.Resident} MB in the end, {server.Peak} MB at most");
        Assert.True(server.Resident <= started + MostMegabytes, $"{started} MB became {server.Resident} MB");
    }

    private static Task CurvesAsync(ServiceProcess server, int i, int points) =>
        GetAsync(server, $"/v1/losses/curves?loss={Losses[i % Losses.Length]}&classes={10_000 + (i * 37 % 9000)}&points={points}");

    private static Task AnyAsync(ServiceProcess server, int i) => (i % 12) switch
    {
        0 or 1 => CurvesAsync(server, i, 181),
        2 => PostAsync(server, "/v1/detect", new { photo = Photo(i) }),
        3 => PostAsync(server, "/v1/verify", new { a = RunningServer.Face(i), b = RunningServer.Face(1), aligned = true, crops = true }),
        4 or 5 => PostAsync(server, "/v1/identify", new { photo = RunningServer.Face(i), aligned = true }),
        6 => PostAsync(server, "/v1/people", new { person = $"person {i % 600}", photos = new[] { RunningServer.Face(i) }, aligned = true, anyQuality = true }),
        7 => GetAsync(server, "/v1/people?limit=1000"),
        8 => GetAsync(server, "/v1/people/Ann/export"),
        9 => GetAsync(server, i % 10 == 9 ? "/v1/gallery/export" : "/v1/gallery"),
        10 => GetAsync(server, i % 24 == 10 ? "/v1/losses/lab?loss=uce&steps=20" : "/v1/losses"),
        _ => GetAsync(server, i % 24 == 11 ? "/metrics" : "/openapi/v1.json"),
    };

    // From a snapshot to a large photo.
    private static byte[] Photo(int i) => ImageEncoder.Jpeg(new RgbImage(320 * (1 + (i % 13)), 240 * (1 + (i % 13))));

    private static async Task GetAsync(ServiceProcess server, string path)
    {
        using HttpResponseMessage answer = await server.Client.GetAsync(path);
        await answer.Content.CopyToAsync(Stream.Null);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode}");
    }

    private static async Task PostAsync(ServiceProcess server, string path, object body)
    {
        using HttpResponseMessage answer = await server.Client.PostAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }
}
