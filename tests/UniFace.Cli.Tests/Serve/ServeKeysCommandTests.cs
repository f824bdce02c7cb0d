using System.Diagnostics;
using System.Text.Json;

namespace UniFace.Cli.Tests.Serve;

/// <summary>Processes that change the keys of a service concurrently do not lose each other's changes.</summary>
public sealed class ServeKeysCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-keys-").FullName;

    private string[] Data => ["--data", Path.Combine(folder, "data")];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Eight_processes_that_create_keys_at_once_leave_eight_keys()
    {
        string[] create = ["serve", "keys", "create", "--scopes", "read", .. Data];
        Process[] processes = [.. Enumerable.Range(0, 8).Select(i => CliProcess.Start(folder, [.. create, "--name", $"door {i}"]))];
        await Task.WhenAll(processes.Select(EndAsync));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"door {i}"), Keys().Select(k => k.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        CliProcess.RunIn(folder, ["serve", "audit", "verify", .. Data]).Expect(0);
    }

    [Fact]
    public async Task Revoking_and_creating_keys_at_the_same_time_loses_neither_change()
    {
        for (int round = 0; round < 3; round++)
        {
            string id = Create("admin", "admin").GetProperty("id").GetString()!;
            Process revoke = CliProcess.Start(folder, ["serve", "keys", "revoke", id, .. Data]);
            Process create = CliProcess.Start(folder, ["serve", "keys", "create", "--name", $"new {round}", "--scopes", "read", .. Data]);
            await Task.WhenAll(EndAsync(revoke), EndAsync(create));
            JsonElement[] keys = Keys();
            Assert.NotEqual(JsonValueKind.Null, keys.Single(k => k.GetProperty("id").GetString() == id).GetProperty("revoked").ValueKind);
            Assert.Contains(keys, k => k.GetProperty("name").GetString() == $"new {round}");
        }
    }

    [Fact]
    public void Key_states_when_it_expires()
    {
        DateTimeOffset days = Create("guest", "read", "--expires", "90d").GetProperty("expires").GetDateTimeOffset();
        Assert.Equal(DateTimeOffset.UtcNow.AddDays(90), days, TimeSpan.FromMinutes(10));
        DateTimeOffset day = Create("desk", "read", "--expires", "2099-06-30").GetProperty("expires").GetDateTimeOffset();
        Assert.Equal(new DateTimeOffset(2099, 6, 30, 0, 0, 0, TimeSpan.Zero), day);
        Assert.Equal(JsonValueKind.Null, Create("door", "read").GetProperty("expires").ValueKind);
        Assert.Equal([false, false, true], Keys().Select(k => k.GetProperty("expires").ValueKind == JsonValueKind.Null));
        Assert.Contains("2099-06-30", CliProcess.RunIn(folder, ["serve", "keys", "list", .. Data]).Expect(0).Out, StringComparison.Ordinal);
        foreach (string wrong in (string[])["0d", "-1d", "1999-01-01", "90", "soon", "2099-02-30", "99999d"])
        {
            string[] create = ["serve", "keys", "create", "--name", "n", "--scopes", "read", .. Data];
            CliResult refused = CliProcess.RunIn(folder, [.. create, "--expires=" + wrong]).Expect(2);
            Assert.Contains($"--expires {wrong}: expected", refused.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Deleted_audit_log_fails_verification_and_folder_without_a_log_is_refused()
    {
        Create("door", "read");
        File.Delete(Path.Combine(folder, "data", "audit.jsonl"));
        Assert.Contains("NOT intact", CliProcess.RunIn(folder, ["serve", "audit", "verify", .. Data]).Expect(1).Out, StringComparison.Ordinal);
        Assert.Contains("audit.key", CliProcess.RunIn(folder, "serve", "audit", "verify", "--data", folder).Expect(2).Error, StringComparison.Ordinal);
    }

    private static async Task EndAsync(Process started)
    {
        using Process process = started;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error + await output);
    }

    private JsonElement Create(string name, string scope, params string[] more) =>
        CliProcess.RunIn(folder, ["serve", "keys", "create", "--name", name, "--scopes", scope, "--json", .. more, .. Data]).Expect(0).Json();

    private JsonElement[] Keys() =>
        [.. CliProcess.RunIn(folder, ["serve", "keys", "list", "--json", .. Data]).Expect(0).Json().GetProperty("keys").EnumerateArray()];
}
