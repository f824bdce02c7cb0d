using System.Text;
using UniFace.Studio.Results;
using UniFace.Studio.Runs;
using UniFace.TestSupport;

namespace UniFace.Studio.Tests;

/// <summary>Pages show what they can of damaged runs and results, without an exception.</summary>
public sealed class CatalogFuzzTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-fuzz-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Metrics() => Fuzzer.Run(
        [Encoding.UTF8.GetBytes("{\"kind\":\"step\",\"step\":1,\"loss\":2}\n{\"kind\":\"epoch\",\"epoch\":1,\"step\":2,\"validation\":{}}\n")], bytes =>
        {
            string path = Path.Combine(folder, "metrics.jsonl");
            File.WriteAllBytes(path, bytes);
            RunMetrics metrics = new(path);
            metrics.Digest();
            metrics.Read(null);
        });

    [Fact]
    public void Results()
    {
        string result = Path.Combine(folder, "results", "first");
        Directory.CreateDirectory(result);
        Fuzzer.Run(["{\"accuracy\":0.5,\"pairs\":[1,2,3]}"u8.ToArray()], bytes =>
        {
            File.WriteAllBytes(Path.Combine(result, "report.json"), bytes);
            _ = new ResultCatalog(Path.Combine(folder, "results")).Read().Count;
        });
    }
}
