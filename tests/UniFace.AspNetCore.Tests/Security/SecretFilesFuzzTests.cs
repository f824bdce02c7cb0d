using UniFace.AspNetCore.Audit;
using UniFace.AspNetCore.Security;
using UniFace.TestSupport;

namespace UniFace.AspNetCore.Tests.Security;

/// <summary>The service's own files are read or refused if they are damaged, without another exception.</summary>
public sealed class SecretFilesFuzzTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-fuzz-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Keys()
    {
        string path = Path.Combine(folder, "keys.json");
        new ApiKeyStore(folder).Create("door", [Scope.Read]);
        Fuzzer.Run([File.ReadAllBytes(path)], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            ApiKeyStore store = new(folder);
            store.All();
            store.Find("uf_00000000_0");
        });
    }

    [Theory]
    [InlineData("audit.jsonl")]
    [InlineData(null)]
    public void Audit_log(string? log)
    {
        AuditFiles files = AuditFiles.ForWriting(folder);
        string line = AuditLines.Format("{\"time\":\"2026-01-01\"}", AuditLines.ComputeHash(files.Key, "", "{\"time\":\"2026-01-01\"}"));
        File.WriteAllText(files.Log, line + "\n" + line + "\n");
        files.WriteHead(files.Scan());
        string path = log is null
            ? Directory.GetFiles(folder).Single(file => File.ReadAllText(file).Contains("seal", StringComparison.OrdinalIgnoreCase))
            : files.Log;
        Fuzzer.Run([File.ReadAllBytes(path)], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            files.ReadHead(out _);
            files.Scan();
        });
    }
}
