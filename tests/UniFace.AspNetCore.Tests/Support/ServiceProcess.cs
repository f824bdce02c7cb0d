using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using UniFace.TestSupport;

namespace UniFace.AspNetCore.Tests.Support;

/// <summary>A service with a tiny model in its own process, so that its memory, files and log can be measured. Linux only: uses /proc.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private readonly Process process;

    private ServiceProcess(Process process, string folder, string url)
    {
        this.process = process;
        Folder = folder;
        Client = new HttpClient { BaseAddress = new Uri(url), Timeout = TimeSpan.FromMinutes(10) };
    }

    /// <summary>The service may write only to the subfolder "data".</summary>
    public string Folder { get; }

    public HttpClient Client { get; }

    /// <summary>Its lines on standard error.</summary>
    public required ConcurrentQueue<string> Log { get; init; }

    /// <summary>Resident memory in MB.</summary>
    public int Resident => Status("VmRSS:") / 1024;

    /// <summary>Peak resident memory in MB.</summary>
    public int Peak => Status("VmHWM:") / 1024;

    /// <summary>Whether it runs, and its last log lines.</summary>
    public string State =>
        $"the service {(process.HasExited ? $"ended with {process.ExitCode}" : "runs")}; its last lines: {string.Join('\n', Log.TakeLast(4))}";

    public int Threads => Status("Threads:");

    public int OpenFiles => Directory.GetFileSystemEntries($"/proc/{process.Id}/fd").Length;

    /// <summary>Starts it.</summary>
    /// <param name="program">The program's assembly.</param>
    public static async Task<ServiceProcess> StartAsync(string program = "UniFace.AspNetCore.Host.dll")
    {
        string folder = Directory.CreateTempSubdirectory("uniface-hostile-").FullName;
        string path = Path.Combine(AppContext.BaseDirectory, program), package = TestPackage.Write(Path.Combine(folder, "package"));
        string[] arguments = [path, "serve", "--package", package, "--data", Path.Combine(folder, "data"), "--urls", "http://127.0.0.1:0"];
        ProcessStartInfo info = new("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(info)!;
        ConcurrentQueue<string> log = [];
        process.ErrorDataReceived += (_, received) => log.Enqueue(received.Data ?? "");
        process.BeginErrorReadLine();
        string? line;
        do
        {
            line = await process.StandardOutput.ReadLineAsync();
        }
        while (line is not null && !line.StartsWith("serving ", StringComparison.Ordinal));
        Assert.True(line is not null, "the service did not start: " + string.Join('\n', log));
        return new ServiceProcess(process, folder, line.Split(' ')[1]) { Log = log };
    }

    /// <summary>Number of open connections, including the one of this request.</summary>
    public static async Task<int> ConnectionsAsync(HttpClient client)
    {
        string metrics = await client.GetStringAsync("/metrics");
        return metrics.Split('\n').Where(l => l.StartsWith("kestrel_active_connections{", StringComparison.Ordinal)).Sum(
            l => int.Parse(l.Split("} ")[1].Split(' ')[0], CultureInfo.InvariantCulture));
    }

    /// <summary>Posts JSON and reads the response, which must have the status.</summary>
    public async Task<JsonElement> PostAsync(string path, object body, HttpStatusCode expected)
    {
        using HttpResponseMessage answer = await Client.PostAsJsonAsync(path, body);
        return await RunningServer.ReadAsync(answer, expected);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private int Status(string name) =>
        int.Parse(
            File.ReadLines($"/proc/{process.Id}/status").Single(l => l.StartsWith(name, StringComparison.Ordinal))
                .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture);
}
