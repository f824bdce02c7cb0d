using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using UniFace.Server.Security;

namespace UniFace.Server.Tests;

public sealed class SecurityTests
{
    [Fact]
    public async Task A_request_that_is_not_of_this_machine_needs_a_key()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrolAsync("Ann", 1);

        // A page whose name was pointed at this machine (DNS rebinding) still sends its own name; a proxy says for whom it asks.
        foreach ((string header, string value) in new[] { ("Host", "evil.example"), ("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"), ("Via", "1.1 proxy") })
        {
            foreach ((HttpMethod method, string path) in new[] { (HttpMethod.Get, "/v1/people"), (HttpMethod.Delete, "/v1/people/Ann"), (HttpMethod.Get, "/v1/gallery/export"), (HttpMethod.Get, "/metrics") })
            {
                using HttpResponseMessage answer = await SendAsync(server, method, path, (header, value));
                Assert.Equal((path, HttpStatusCode.Unauthorized), (path, answer.StatusCode));
            }
        }

        Assert.Equal(1, (await server.GetAsync("/v1/people")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_key_opens_what_its_scopes_say_until_it_is_revoked()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RequireKey = true });
        ApiKeyStore keys = new(Path.Combine(server.Folder, "data"));
        (ApiKey read, string readSecret) = keys.Create("reader", [Scope.Read]);
        (_, string enrolSecret) = keys.Create("desk", [Scope.Enrol]);
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

        // Whose key it was stands in the log, also where it was refused.
        string log = File.ReadAllText(Path.Combine(server.Folder, "data", "audit.jsonl"));
        Assert.Contains($"\"who\":\"key:{read.Id}\",\"what\":\"refused\"", log, StringComparison.Ordinal);
        Assert.Contains("\"who\":\"anonymous\",\"what\":\"refused\"", log, StringComparison.Ordinal);

        foreach (string wrong in new[] { readSecret[..^1] + (readSecret[^1] == 'A' ? 'B' : 'A'), "ufk_" + read.Id + "_", read.Id, "ufk_000000000000_x", adminSecret.Replace(read.Id, "x", StringComparison.Ordinal)[..20], "" })
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
    public async Task Another_sites_page_cannot_use_a_visitors_browser_to_write_here(string header, string value, bool taken)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrolAsync("Ann", 1);
        using HttpResponseMessage answer = await SendAsync(server, HttpMethod.Delete, "/v1/people/Ann", (header, value));
        Assert.Equal(taken ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task People_older_than_the_retention_are_removed_and_the_others_stay()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RetentionDays = 30 });
        await server.EnrolAsync("Ann", 1);
        Retention retention = ActivatorUtilities.CreateInstance<Retention>(server.Services, new Later(TimeSpan.FromDays(29)));
        Assert.Equal(0, await retention.RunOnceAsync(default));
        retention = ActivatorUtilities.CreateInstance<Retention>(server.Services, new Later(TimeSpan.FromDays(31)));
        Assert.Equal(1, await retention.RunOnceAsync(default));
        Assert.Equal(0, (await server.GetAsync("/v1/people")).GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Retention_spares_who_is_enrolled_anew_meanwhile_and_goes_on_after_a_failure()
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with { RetentionDays = 30 });
        string[] people = ["Ann", "Bob", "Carl", "Dan"];
        foreach (string person in people)
        {
            await server.EnrolAsync(person, 1);
        }

        // Ann cannot be removed; as Bob goes, Carl is enrolled anew.
        await using (SqliteConnection other = new($"Data Source={server.Services.GetRequiredService<Recognition.Recognizer>().Gallery.Path};Pooling=False"))
        {
            other.Open();
            using SqliteCommand triggers = new(
                """
                CREATE TRIGGER stuck BEFORE DELETE ON person WHEN old.id = 1 BEGIN SELECT RAISE(ABORT, 'stuck'); END;
                CREATE TRIGGER anew AFTER DELETE ON person WHEN old.id = 2 BEGIN UPDATE template SET enrolled = 99999999999 WHERE person = 3; END;
                """,
                other);
            triggers.ExecuteNonQuery();
        }

        Retention retention = ActivatorUtilities.CreateInstance<Retention>(server.Services, new Later(TimeSpan.FromDays(31)));
        Assert.Equal(2, await retention.RunOnceAsync(default));
        Assert.Equal(["Ann", "Carl"], (await server.GetAsync("/v1/people")).GetProperty("people").EnumerateArray().Select(p => p.GetProperty("person").GetString()!));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(36_501)]
    [InlineData(int.MaxValue)]
    public async Task A_retention_that_is_no_number_of_days_is_refused_in_one_line(int days) =>
        Assert.Contains("expected 1 to 36500", (await Assert.ThrowsAsync<UniFaceException>(() => RunningServer.StartAsync(o => o with { RetentionDays = days }))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Who_did_what_is_written_down_without_a_name()
    {
        string folder;
        await using (RunningServer server = await RunningServer.StartAsync())
        {
            folder = Path.Combine(server.Folder, "data");
            await server.EnrolAsync("Ann-of-the-log", 1);
            await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(1), aligned = true }, HttpStatusCode.OK);
            await server.Client.DeleteAsync("/v1/people/Ann-of-the-log");
            string log = File.ReadAllText(Path.Combine(folder, "audit.jsonl"));
            Assert.Equal(["enrol", "identify", "delete", "delete"], log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("what").GetString()!));
            Assert.DoesNotContain("Ann", log, StringComparison.Ordinal);
            Assert.Equal((4L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Wrong));
        }
    }

    [Fact]
    public async Task A_new_data_folder_is_its_owners_alone_whoever_makes_it()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("modes are of Unix");
            return;
        }

        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.Equal(Owner, File.GetUnixFileMode(Path.Combine(server.Folder, "data")));
        string byKeys = Path.Combine(server.Folder, "keys"), given = Path.Combine(server.Folder, "given");
        new ApiKeyStore(byKeys).Create("desk", [Scope.Read]);
        Assert.Equal(Owner, File.GetUnixFileMode(byKeys));

        // One that somebody made is theirs to open.
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

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + by;
    }
}
