using System.Diagnostics;
using System.Globalization;
using System.Net;
using UniFace.AspNetCore.Audit;

namespace UniFace.AspNetCore.Tests.Hostile;

/// <summary>
/// Hostile requests and slow clients at once, while valid requests run: none may make the service fail (5xx), keep a good request from its answer, leak
/// memory, files or connections, or leave a file outside the data folder. A moment in the suite; UNIFACE_HOSTILE_REQUESTS sets how many
/// (tests/hostile.sh).
/// </summary>
public sealed class HostileRequestTests
{
    private const int Seed = 20261124, MeasuredFrom = 2000;

    // What the service tolerates before it returns memory (MemoryTrimmer), plus a margin.
    private const int MoreMegabytes = 128 + 50;

    [Fact]
    public async Task No_request_makes_the_service_fail_leak_or_write_outside_its_folder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        int requests = int.TryParse(
            Environment.GetEnvironmentVariable("UNIFACE_HOSTILE_REQUESTS"), out int asked) ? asked : 400, each = requests < MeasuredFrom ? 2 : 6;
        await using ServiceProcess server = await ServiceProcess.StartAsync();
        string[] before = Outside(server);
        await server.PostAsync(
            "/v1/people",
            new { person = "Still well", photos = new[] { RunningServer.Face(5) }, aligned = true, anyQuality = true },
            HttpStatusCode.Created);

        HostileMix mix = new(server, Seed);
        int warm = Math.Min(1000, requests / 4);
        await mix.BombsAsync(3);
        await mix.SendAsync(warm);
        await Task.Delay(requests < MeasuredFrom ? 0 : 15_000); // the memory of huge requests goes back to the system every ten seconds
        (int Resident, int Files, int Threads) started = (server.Resident, server.OpenFiles, server.Threads);

        using CancellationTokenSource stop = new();
        Task<List<double>> good = GoodAsync(server, stop.Token);
        Task hostile = mix.SendAsync(requests - warm);
        do
        {
            foreach (string result in await SlowClients.RunAsync(server.Client.BaseAddress!.Port, each))
            {
                Report(result);
            }
        }
        while (!hostile.IsCompleted);
        await hostile;
        await stop.CancelAsync();
        List<double> times = [.. (await good).Order()];
        await Task.Delay(requests < MeasuredFrom ? 0 : 15_000);
        int connections = await ConnectionsAsync(server);

        Report("statuses: " + string.Join(", ", mix.Statuses.Select(s => $"{s.Key}: {s.Value}")));
        Report(
            string.Create(
                CultureInfo.InvariantCulture,
                $"good requests meanwhile: {times.Count}, p50 {times[times.Count / 2]:0} ms, p99 {times[times.Count * 99 / 100]:0} ms"));
        Report(
            $"after {warm} and after {requests}: {started.Resident} and {server.Resident} MB resident (most ever {server.Peak}), " +
            $"{started.Files} and {server.OpenFiles} open files, {started.Threads} and {server.Threads} threads; connections left: {connections}");
        Assert.Equal(before, Outside(server));
        Assert.Equal(1, connections);
        Assert.True(server.OpenFiles < started.Files + 20, $"{started.Files} open files became {server.OpenFiles}");
        Assert.True(requests < MeasuredFrom || server.Resident < started.Resident + MoreMegabytes, $"{started.Resident} MB became {server.Resident}");
        Assert.Null(AuditTrail.Verify(Path.Combine(server.Folder, "data")).Fault);
        string[] failures = [.. server.Log.Where(
            l => new[] { "\"LogLevel\":\"Error\"", "\"LogLevel\":\"Critical\"", "Unhandled" }.Any(bad => l.Contains(bad, StringComparison.Ordinal)))];
        Assert.True(failures.Length == 0, string.Join('\n', failures.Take(3)));
        Assert.DoesNotContain(
            server.Log,
            line => new[] { "passwd", "DROP TABLE", "Still well" }.Any(name => line.Contains(name, StringComparison.Ordinal)));
        Assert.Contains(server.Log, line => line.Contains("/v1/identify", StringComparison.Ordinal)); // it is the log that was read
        foreach (string warning in server.Log.Where(l => !l.Contains("\"LogLevel\":\"Information\"", StringComparison.Ordinal)).Distinct().Take(5))
        {
            Report("log: " + warning);
        }
    }

    // Valid requests that run all the time; each must get its correct answer.
    private static async Task<List<double>> GoodAsync(ServiceProcess server, CancellationToken stop)
    {
        List<double> milliseconds = [];
        do
        {
            long start = Stopwatch.GetTimestamp();
            object probe = new { photo = RunningServer.Face(5), aligned = true, threshold = 0.9 };
            Assert.Equal("Still well", (await server.PostAsync("/v1/identify", probe, HttpStatusCode.OK)).GetProperty("person").GetString());
            milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await Task.Delay(20, CancellationToken.None);
        }
        while (!stop.IsCancellationRequested);
        return milliseconds;
    }

    // After all connections of the test's client are closed, except this one.
    private static async Task<int> ConnectionsAsync(ServiceProcess server)
    {
        using HttpClient one = new() { BaseAddress = server.Client.BaseAddress };
        server.Client.Dispose();
        for (int tries = 0; tries < 6000 && await ServiceProcess.ConnectionsAsync(one) > 1; tries++)
        {
            await Task.Delay(100);
        }

        return await ServiceProcess.ConnectionsAsync(one);
    }

    private static void Report(string text) => TestContext.Current.SendDiagnosticMessage(text);

    private static string[] Outside(ServiceProcess server) =>
        [.. Directory.EnumerateFileSystemEntries(server.Folder, "*", SearchOption.AllDirectories).Where(
            f => !f.StartsWith(Path.Combine(server.Folder, "data") + "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
