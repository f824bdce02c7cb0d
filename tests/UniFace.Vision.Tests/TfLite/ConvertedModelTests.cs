using System.Text;
using UniFace.IO;
using UniFace.Vision.TfLite;

namespace UniFace.Vision.Tests.TfLite;

/// <summary>A network of a NuGet package is used from beside the program, and only if it is the published file.</summary>
public sealed class ConvertedModelTests : IDisposable
{
    private readonly string folder = Path.Combine(AppContext.BaseDirectory, "models", "converted-model-tests");

    public ConvertedModelTests() => Directory.CreateDirectory(folder);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Another_file_is_refused_by_its_hash()
    {
        byte[] published = Encoding.ASCII.GetBytes("published");
        ConvertedModel model = new("tests", "models/converted-model-tests/net.tflite", "no/such/file", 7, published.Length, Sha256.HashBytes(published));
        Assert.Null(model.Installed());
        string path = Path.Combine(AppContext.BaseDirectory, "models/converted-model-tests/net.tflite");
        File.WriteAllText(path, "published");
        Assert.Equal(path, model.Installed());

        // The right bytes, from the start of the file: the reader goes on to the network, which this is not.
        Assert.DoesNotContain("SHA-256", Assert.Throws<UniFaceException>(() => model.Open(1)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, "publishe?");
        Assert.Contains("it is not the published file", Assert.Throws<UniFaceException>(() => model.Open(1)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, "");
        Assert.Contains(path, Assert.Throws<UniFaceException>(() => model.Open(1)).Message, StringComparison.Ordinal);
    }
}
