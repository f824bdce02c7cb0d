using System.Net;
using System.Text.Json;

namespace UniFace.AspNetCore.Tests.Hosting;

/// <summary>The service starts, reports its health and refuses what it cannot serve, in one line.</summary>
public sealed class ServerTests
{
    [Fact]
    public async Task It_is_live_and_ready_and_names_its_model()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.Equal("live", await server.Client.GetStringAsync("/health/live"));
        JsonElement ready = JsonDocument.Parse(await server.Client.GetStringAsync("/health/ready")).RootElement;
        Assert.Equal(("ready", true), (ready.GetProperty("status").GetString(), ready.GetProperty("recognition").GetBoolean()));
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/health/recognition")).StatusCode);
        Assert.Equal(UniFace.Packages.ModelPackage.Open(Path.Combine(server.Folder, "package")).Manifest!.ContractId, ready.GetProperty("model").GetString());
        Assert.Single(Directory.GetFiles(Path.Combine(server.Folder, "data"), "people-*.gallery"));
    }

    [Fact]
    public async Task Without_a_model_it_is_ready_for_its_pages_but_not_for_recognition()
    {
        Assert.SkipWhen(UniFace.Packages.InstalledModels.GetDefault() is not null, "a model is installed on this machine");
        await using RunningServer server = await RunningServer.StartAsync(model: false);
        JsonElement ready = await server.GetAsync("/health/ready");
        Assert.Equal(("ready", false), (ready.GetProperty("status").GetString(), ready.GetProperty("recognition").GetBoolean()));
        JsonElement refused = await server.GetAsync("/health/recognition", HttpStatusCode.ServiceUnavailable);
        Assert.Contains("no model package", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_start_page_loads_only_content_of_its_own_origin()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage page = await server.Client.GetAsync("/");
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        string policy = string.Join(' ', page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.False(page.Headers.Contains("Server"));
    }

    [Fact]
    public async Task An_unknown_address_returns_problem_json()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.Client.GetAsync("/v1/nothing");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(404, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("status").GetInt32());
    }

    [Theory]
    [InlineData("https://127.0.0.1:0")]
    [InlineData("127.0.0.1")]
    [InlineData("http://127.0.0.1:0/path")]
    public async Task An_address_that_cannot_be_served_is_refused_in_one_line(string url)
    {
        UniFaceException refused = await Assert.ThrowsAsync<UniFaceException>(() => RunningServer.StartAsync(o => o with { Urls = [url] }));
        Assert.Contains(url, refused.Message, StringComparison.Ordinal);
    }
}
