using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using UniFace.Packages;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Serve;

/// <summary>serve starts with what it finds, says what that is, and stops cleanly.</summary>
public sealed class ServeCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-serve-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Serve_starts_with_only_an_address_and_stops_on_a_signal()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals");
        using CliService service = await CliProcess.ServeAsync(folder);
        using HttpClient client = new() { BaseAddress = service.Address };
        Assert.Equal("ready", JsonDocument.Parse(await client.GetStringAsync("/health/ready")).RootElement.GetProperty("status").GetString());
        using (Process kill = Process.Start("kill", ["-TERM", service.Process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        await service.Process.WaitForExitAsync();
        Assert.Equal(0, service.Process.ExitCode);
    }

    [Fact]
    public async Task The_demo_in_the_folder_is_served_also_if_a_default_model_is_installed_until_the_service_has_a_gallery()
    {
        string demo = TestPackage.Write(Path.Combine(folder, "demo-out", "package"), seed: 1), home = Path.Combine(folder, "home");
        File.WriteAllText(Path.Combine(folder, "demo-out", ".uniface-demo"), "");
        string own = TestPackage.Write(Path.Combine(folder, "own"), seed: 2);
        Dictionary<string, string> environment = new() { ["UNIFACE_HOME"] = home };
        CliProcess.RunIn(folder, environment, "models", "add", "own", own).Expect(0);
        foreach (string part in UniFaceHome.Folders().Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries)
            .Where(part => Path.GetFileName(part) != "models"))
        {
            Directory.CreateSymbolicLink(Path.Combine(home, Path.GetFileName(part)), part); // the detector
        }

        string demoContract = ModelPackage.Open(demo).ContractId!, ownContract = ModelPackage.Open(own).ContractId!;
        Assert.NotEqual(demoContract, ownContract);
        Assert.Equal(demoContract, await ServedAsync());
        Assert.Equal(ownContract, await ServedAsync("--package", "own"));
        Assert.Equal(ownContract, await ServedAsync());

        async Task<string?> ServedAsync(params string[] args)
        {
            using CliService service = await CliProcess.ServeAsync(folder, environment, [.. args, "--data", "data"]);
            using HttpClient client = new() { BaseAddress = service.Address };
            return JsonDocument.Parse(await client.GetStringAsync("/health/ready")).RootElement.GetProperty("model").GetString();
        }
    }

    [Fact]
    public void Missing_package_prints_one_line() =>
        Assert.Contains("no-such-package", CliProcess.RunIn(folder, "serve", "--package", "no-such-package").Expect(2).Error, StringComparison.Ordinal);

    [Fact]
    public void Address_in_use_prints_one_line()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        string url = $"http://{taken.LocalEndpoint}";
        string error = CliProcess.RunIn(folder, "serve", "--urls", url).Expect(2).Error;
        Assert.StartsWith($"error: --urls {url}: cannot listen", error.Trim(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Trim());
    }
}
