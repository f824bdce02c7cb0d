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
        Client = new HttpClient { BaseAddress = new Uri(url) };
    }

    /// <summary>What the service writes is in this folder's data, below which is all that it may write.</summary>
    public string Folder { get; }

    public HttpClient Client { get; }

    /// <summary>Its lines on standard error.</summary>
    public required ConcurrentQueue<string> Log { get; init; }

    /// <summary>Resident memory in MB.</summary>
    public int Resident => Status("VmRSS:") / 1024;

    /// <summary>The most that was ever resident, in MB.</summary>
    public int Peak => Status("VmHWM:") / 1024;

    /// <summary>Whether it runs, and what it said last.</summary>
    public string State =>
        $"the service {(process.HasExited ? $"ended with {process.ExitCode}" : "runs")}; its last lines: {string.Join('\n', Log.TakeLast(4))}";

    public int Threads => Status("Threads:");

    public int OpenFiles => Directory.GetFileSystemEntries($"/proc/{process.Id}/fd").Length;

    public static async Task<ServiceProcess> StartAsync()
    {
        string folder = Directory.CreateTempSubdirectory("uniface-hostile-").FullName;
        string program = Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll"), package = InventedPackage.Write(Path.Combine(folder, "package"));
        string[] arguments = [program, "serve", "--package", package, "--data", Path.Combine(folder, "data"), "--urls", "http://127.0.0.1:0"];
        ProcessStartInfo info = new("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(info)!;
        ConcurrentQueue<string> log = [];
        process.ErrorDataReceived += (_, line) => log.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
        string? said;
        do
        {
            said = await process.StandardOutput.ReadLineAsync();
        }
        while (said is not null && !said.StartsWith("serving ", StringComparison.Ordinal));
        Assert.True(said is not null, "the service did not start: " + string.Join('\n', log));
        return new ServiceProcess(process, folder, said.Split(' ')[1]) { Log = log };
    }

    /// <summary>Connections that the service holds, the one that asks among them.</summary>
    public static async Task<int> ConnectionsAsync(HttpClient client)
    {
        string metrics = await client.GetStringAsync("/metrics");
        return metrics.Split('\n').Where(l => l.StartsWith("kestrel_active_connections{", StringComparison.Ordinal)).Sum(
            l => int.Parse(l.Split("} ")[1].Split(' ')[0], CultureInfo.InvariantCulture));
    }

    /// <summary>Posts JSON and reads the answer, which must have the status.</summary>
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
