using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using UniFace.AspNetCore.Audit;
using UniFace.AspNetCore.Recognition;
using UniFace.AspNetCore.Security;

namespace UniFace.AspNetCore.Tests.Security;

/// <summary>Nothing is answered or done without the scope for it, and every action is recorded.</summary>
public sealed class SecurityTests
{
    [Fact]
    public async Task A_request_from_another_machine_needs_a_key()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Ann", 1);

        // A page whose name resolves to this machine (DNS rebinding) sends its own Host; a proxy sends its headers.
        (string, string)[] headers = [("Host", "evil.example"), ("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"), ("Via", "1.1 proxy")];
        (HttpMethod, string)[] requests =
        [
            (HttpMethod.Get, "/v1/people"),
            (HttpMethod.Delete, "/v1/people/Ann"),
            (HttpMethod.Get, "/v1/gallery/export"),
            (HttpMethod.Get, "/metrics"),
        ];
        foreach ((string header, string value) in headers)
        {
            foreach ((HttpMethod method, string path) in requests)
            {
                using HttpResponseMessage answer = await SendAsync(server, method, path, (header, value));
                Assert.Equal((path, HttpStatusCode.Unauthorized), (path, answer.StatusCode));
            }
        }

        Assert.Equal(1, (await server.GetAsync("/v1/people")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_key_allows_what_its_scopes_say_until_it_is_revoked()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequireKey = true });
        ApiKeyStore keys = new(Path.Combine(server.Folder, "data"));
        (ApiKey read, string readSecret) = keys.Create("reader", [Scope.Read]);
        (_, string enrolSecret) = keys.Create("desk", [Scope.Enroll]);
        (_, string adminSecret) = keys.Create("boss", [Scope.Admin]);
        object ann = new { person = "Ann", photos = new[] { RunningServer.Face(1) }, aligned = true, anyQuality = true };

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, HttpMethod.Get, "/v1/people", null));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/v1/people", readSecret));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, HttpMethod.Post, "/v1/people", readSecret, ann));
        Assert.Equal(HttpStatusCode.Created, await StatusAsync(server, HttpMethod.Post, "/v1/people", enrolSecret, ann));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, HttpMethod.Get, "/v1/people", enrolSecret));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, HttpMethod.Delete, "/v1/people/Ann", enrolSecret));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, HttpMethod.Get, "/v1/people/Ann/export", readSecret));
        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(server, HttpMethod.Delete, "/v1/people/Ann", adminSecret));

        // The log names the key of a refused request, too.
        foreach (string refused in new[] { $"\"who\":\"key:{read.Id}\",\"what\":\"refused\"", "\"who\":\"anonymous\",\"what\":\"refused\"" })
        {
            Assert.Contains(refused, await server.ReadAuditAsync(refused), StringComparison.Ordinal);
        }

        string almost = readSecret[..^1] + (readSecret[^1] == 'A' ? 'B' : 'A');
        foreach (string wrong in new[] { almost, "ufk_" + read.Id + "_", read.Id, "ufk_000000000000_x", adminSecret[..20], "" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, HttpMethod.Get, "/v1/people", wrong));
        }

        Assert.True(keys.Revoke(read.Id));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, HttpMethod.Get, "/v1/people", readSecret));
        Assert.DoesNotContain(readSecret[^43..], File.ReadAllText(Path.Combine(server.Folder, "data", "keys.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Origin", "http://evil.example", false)]
    [InlineData("Origin", "null", false)]
    public async Task A_page_of_another_site_cannot_write_through_a_visitors_browser(string header, string value, bool taken)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Ann", 1);
        using HttpResponseMessage answer = await SendAsync(server, HttpMethod.Delete, "/v1/people/Ann", (header, value));
        Assert.Equal(taken ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Unreadable_keys_are_reported_and_prevent_the_start()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string data = Path.Combine(server.Folder, "other");
        Directory.CreateDirectory(Path.Combine(data, "keys.json"));
        Assert.Contains("a folder", Assert.Throws<UniFaceException>(() => new ApiKeyStore(data).All()).Message, StringComparison.Ordinal);
        Assert.Contains(
            "a folder", Assert.Throws<UniFaceException>(() => new ApiKeyStore(data).Create("desk", [Scope.Read])).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<UniFaceException>(() => RunningServer.StartAsync(o => o with { DataFolder = data }));
    }

    [Fact]
    public async Task A_pipe_in_place_of_keys_json_is_refused_in_one_line_and_blocks_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        await using RunningServer server = await RunningServer.StartAsync();
        string keys = Path.Combine(server.Folder, "data", "keys.json"), other = Path.Combine(server.Folder, "other");
        Directory.CreateDirectory(other);
        foreach (string pipe in new[] { keys, Path.Combine(other, "keys.json") })
        {
            using Process make = Process.Start("mkfifo", [pipe]);
            await make.WaitForExitAsync();
        }

        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/people");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "ufk_0_0");
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        UniFaceException started = await Assert.ThrowsAsync<UniFaceException>(() => RunningServer.StartAsync(o => o with { DataFolder = other }));
        Assert.Contains("not a regular file", started.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', started.Message);
    }

    [Fact]
    public async Task Actions_are_recorded_without_names()
    {
        string folder;
        await using (RunningServer server = await RunningServer.StartAsync())
        {
            folder = Path.Combine(server.Folder, "data");
            await server.EnrollAsync("Ann-of-the-log", 1);
            await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(1), aligned = true }, HttpStatusCode.OK);
            await server.Client.DeleteAsync("/v1/people/Ann-of-the-log");
            string log = File.ReadAllText(Path.Combine(folder, "audit.jsonl"));
            Assert.Equal(
                ["enrol 202", "enrol 201", "identify 200", "delete 202", "delete 204"],
                log.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(l => JsonDocument.Parse(l).RootElement)
                    .Select(e => $"{e.GetProperty("what")} {e.GetProperty("status")}"));
            Assert.DoesNotContain("Ann", log, StringComparison.Ordinal);
            Assert.Equal((5L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
        }
    }

    [Fact]
    public async Task A_failed_enrollment_is_not_recorded_as_done()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Ann", 1);
        string gallery = server.Services.GetRequiredService<RecognizerSlot>().Loaded!.Gallery.Path;
        await using (SqliteConnection other = new($"Data Source={gallery};Pooling=False"))
        {
            other.Open();
            using SqliteCommand trigger = new("CREATE TRIGGER stuck BEFORE INSERT ON template BEGIN SELECT RAISE(ABORT, 'stuck'); END;", other);
            trigger.ExecuteNonQuery();
        }

        object bob = new { person = "Bob", photos = new[] { RunningServer.Face(2) }, aligned = true, anyQuality = true };
        using HttpResponseMessage answer = await server.PostAsync("/v1/people", bob);
        Assert.NotEqual(HttpStatusCode.Created, answer.StatusCode);
        JsonElement[] lines = [.. File.ReadLines(Path.Combine(server.Folder, "data", "audit.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal([202, 201, 202, 503], lines.Select(l => l.GetProperty("status").GetInt32()));
    }

    [Theory]
    [InlineData("another")]
    [InlineData("damaged")]
    [InlineData("emptied")]
    [InlineData("deleted")]
    public async Task Changed_keys_are_noticed_even_if_time_and_length_of_the_file_are_equal(string change)
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequireKey = true });
        string data = Path.Combine(server.Folder, "data"), path = Path.Combine(data, "keys.json");
        (_, string secret) = new ApiKeyStore(data).Create("desk", [Scope.Read]);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/v1/people", secret));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/health/ready", null));

        byte[] before = File.ReadAllBytes(path);
        DateTime time = File.GetLastWriteTimeUtc(path);
        byte[] other = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(before).Replace("\"read\"", "\"axxx\"", StringComparison.Ordinal));
        switch (change)
        {
            case "deleted":
                File.Delete(path);
                break;
            case "emptied":
                File.WriteAllText(path, "");
                break;
            default:
                // Another hash, written in place as a manual copy would be.
                int at = Encoding.UTF8.GetString(before).IndexOf("\"hash\"", StringComparison.Ordinal) + 12;
                File.WriteAllBytes(path, change == "damaged" ? other : [.. before[..at], before[at] == 'a' ? (byte)'b' : (byte)'a', .. before[(at + 1)..]]);
                File.SetLastWriteTimeUtc(path, time);
                Assert.Equal(before.Length, new FileInfo(path).Length);
                break;
        }

        bool valid = change == "another";
        Assert.Equal(valid ? HttpStatusCode.Unauthorized : HttpStatusCode.ServiceUnavailable, await StatusAsync(server, HttpMethod.Get, "/v1/people", secret));
        using (HttpResponseMessage ready = await server.Client.GetAsync("/health/ready"))
        {
            Assert.Equal(valid ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.Equal(!valid, (await ready.Content.ReadAsStringAsync()).Contains("keys.json", StringComparison.Ordinal));
        }

        if (!valid && change != "deleted")
        {
            UniFaceException added = Assert.Throws<UniFaceException>(() => new ApiKeyStore(data).Create("more", [Scope.Admin]));
            Assert.Contains("not a list of keys", added.Message, StringComparison.Ordinal);
            UniFaceException started = await Assert.ThrowsAsync<UniFaceException>(() => RunningServer.StartAsync(o => o with { DataFolder = data }));
            Assert.Contains("keys.json", started.Message, StringComparison.Ordinal);
        }

        File.WriteAllBytes(path, before);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/v1/people", secret));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/health/ready", null));
    }

    [Fact]
    public async Task An_expired_key_is_refused_with_the_reason()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequireKey = true });
        ApiKeyStore keys = new(Path.Combine(server.Folder, "data"));
        (ApiKey old, string expired) = keys.Create("guest", [Scope.Admin], DateTimeOffset.UtcNow.AddSeconds(-1));
        (_, string working) = keys.Create("guest", [Scope.Admin], DateTimeOffset.UtcNow.AddDays(1));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, HttpMethod.Get, "/v1/people", working));
        using HttpResponseMessage answer = await SendAsync(server, HttpMethod.Get, "/v1/people", ("Authorization", "Bearer " + expired));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains($"the API key expired on {old.Expires:u}", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        string refused = $"\"who\":\"key:{old.Id}\",\"what\":\"refused\"";
        Assert.Contains(refused, await server.ReadAuditAsync(refused), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_data_folder_is_accessible_to_its_owner_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("modes are of Unix");
            return;
        }

        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Ann", 1);
        new ApiKeyStore(Path.Combine(server.Folder, "data")).Create("desk", [Scope.Read]);
        Assert.Equal(Owner, File.GetUnixFileMode(Path.Combine(server.Folder, "data")));
        string[] files = Directory.GetFiles(Path.Combine(server.Folder, "data"));
        Assert.Superset(new HashSet<string?>(["keys.json", "audit.jsonl", "audit.head", "audit.key"]), files.Select(Path.GetFileName).ToHashSet());
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.All(files, file => Assert.Equal((file, Private), (file, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(file))));
        string byKeys = Path.Combine(server.Folder, "keys"), given = Path.Combine(server.Folder, "given");
        new ApiKeyStore(byKeys).Create("desk", [Scope.Read]);
        Assert.Equal(Owner, File.GetUnixFileMode(byKeys));

        // The mode of an existing folder stays.
        Directory.CreateDirectory(given);
        File.SetUnixFileMode(given, Owner | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        new ApiKeyStore(given).Create("desk", [Scope.Read]);
        Assert.Equal(Owner | UnixFileMode.GroupRead | UnixFileMode.GroupExecute, File.GetUnixFileMode(given));
    }

    private static async Task<HttpStatusCode> StatusAsync(RunningServer server, HttpMethod method, string path, string? key, object? body = null)
    {
        using HttpRequestMessage request = new(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(RunningServer server, HttpMethod method, string path, (string Name, string Value) header)
    {
        using HttpRequestMessage request = new(method, path);
        request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        return await server.Client.SendAsync(request);
    }
}
