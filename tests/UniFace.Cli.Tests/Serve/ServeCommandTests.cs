using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

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
