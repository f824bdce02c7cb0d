using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using UniFace.IO;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Models;

/// <summary>A detector is installed by name from a file or an address, and only if it is the file that was meant.</summary>
public sealed class ModelsAddDetectorTests : IDisposable
{
    // A network with YuNet's outputs.
    private static readonly (string, int)[] YuNet =
        [.. from head in new[] { "cls", "obj", "bbox", "kps" } from stride in new[] { 8, 16, 32 } select ($"{head}_{stride}", 4)];

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_file_becomes_a_detector_that_is_listed()
    {
        string file = Detector();
        JsonElement added = Run("models", "add", "yunet", file, "--sha256", Sha256.HashFile(file).ToUpperInvariant(), "--json").Expect(0).Json();
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(added.GetProperty("installed").GetString()!));
        JsonElement listed = Assert.Single(Run("models", "list", "--json").Expect(0).Json().GetProperty("detectors").EnumerateArray());
        Assert.Equal("yunet", listed.GetProperty("name").GetString());
        Assert.Contains("--detector yunet", Run("models", "list").Expect(0).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_is_downloaded_and_checked()
    {
        byte[] content = File.ReadAllBytes(Detector());
        using Server server = new(content);
        string hash = Sha256.HashBytes(content);
        Assert.Contains("needs its SHA-256", Run("models", "add", "yunet", server.Address).Expect(2).Error, StringComparison.Ordinal);
        string other = Run("models", "add", "yunet", server.Address, "--sha256", new string('0', 64)).Expect(2).Error;
        Assert.Contains("it is another file", other, StringComparison.Ordinal);
        string gone = Run("models", "add", "yunet", server.Address + "gone", "--sha256", hash).Expect(2).Error;
        Assert.Contains("cannot be downloaded", gone, StringComparison.Ordinal);
        Assert.Empty(Run("models", "list", "--json").Expect(0).Json().GetProperty("detectors").EnumerateArray());
        string installed = Run("models", "add", "yunet", server.Address, "--sha256", hash, "--json").Expect(0).Json().GetProperty("installed").GetString()!;
        Assert.Equal(content, await File.ReadAllBytesAsync(installed));
    }

    [Theory]
    [InlineData("blazeface", null, "is a model of the catalog")]
    [InlineData("Yu Net", null, "not a name for a detector")]
    [InlineData("yunet", "abc", "expected 64 hexadecimal digits")]
    public void What_cannot_be_a_detectors_name_or_hash_is_refused(string name, string? hash, string words) => Assert.Contains(
        words,
        Run(["models", "add", name, Detector(), .. hash is null ? Array.Empty<string>() : ["--sha256", hash]]).Expect(2).Error,
        StringComparison.Ordinal);

    [Fact]
    public async Task An_embedder_from_an_address_becomes_a_package_without_thresholds()
    {
        string file = Path.Combine(folder, "embedder.onnx");
        TinyOnnx.WriteEmbedder(file, 112, 112, 16);
        using Server server = new(await File.ReadAllBytesAsync(file));
        string hash = Sha256.HashFile(file);
        JsonElement added = Run("models", "add", "mine", server.Address, "--sha256", hash, "--json").Expect(0).Json();
        Assert.True(added.GetProperty("default").GetBoolean());
        using JsonDocument manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(added.GetProperty("installed").GetString()!, "model.json")));
        Assert.Equal((hash, 16), (manifest.RootElement.GetProperty("onnxSha256").GetString(), manifest.RootElement.GetProperty("embeddingSize").GetInt32()));
        Assert.Equal(server.Address, manifest.RootElement.GetProperty("source").GetString());
        Assert.Contains("calibrate mine", Run("models", "add", "mine", file).Expect(0).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_detector_and_no_embedder_is_refused()
    {
        string other = Path.Combine(folder, "other.onnx");
        TinyOnnx.WriteOutputs(other, 32, 32, [("a", 4), ("b", 4)]);
        Assert.Contains("nor an embedder", Run("models", "add", "yunet", other).Expect(2).Error, StringComparison.Ordinal);
        string text = Path.Combine(folder, "text.onnx");
        File.WriteAllText(text, "no network");
        Assert.Contains("cannot load it as a model", Run("models", "add", "yunet", text).Expect(2).Error, StringComparison.Ordinal);
    }

    private string Detector()
    {
        string path = Path.Combine(folder, "yunet.onnx");
        TinyOnnx.WriteOutputs(path, 32, 32, YuNet);
        return path;
    }

    private CliResult Run(params string[] args) =>
        CliProcess.RunWith(new Dictionary<string, string> { ["UNIFACE_HOME"] = Path.Combine(folder, "home") }, args);

    /// <summary>Answers every request for / with a file, and others with 404.</summary>
    private sealed class Server : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);

        public Server(byte[] content)
        {
            listener.Start();
            _ = ServeAsync(content);
        }

        public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/";

        public void Dispose() => listener.Dispose();

        private async Task ServeAsync(byte[] content)
        {
            try
            {
                while (true)
                {
                    using TcpClient client = await listener.AcceptTcpClientAsync();
                    using StreamReader reader = new(client.GetStream(), Encoding.ASCII, false, 1024, leaveOpen: true);
                    string? first = await reader.ReadLineAsync();
                    for (string? line = first; !string.IsNullOrEmpty(line); line = await reader.ReadLineAsync())
                    {
                    }

                    bool found = first?.StartsWith("GET / ", StringComparison.Ordinal) == true;
                    string status = found ? "200 OK" : "404 Not Found";
                    string head = $"HTTP/1.1 {status}\r\nContent-Length: {(found ? content.Length : 0)}\r\nConnection: close\r\n\r\n";
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
                    await client.GetStream().WriteAsync(found ? content : []);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // The test has ended.
            }
        }
    }
}
