using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using UniFace.AspNetCore.Security;

namespace UniFace.Studio.Tests.Browser;

/// <summary>Pages work with an API key if the service requires one.</summary>
public sealed class KeyTests(Chromium chromium)
{
    [Theory]
    [InlineData("/lab.html", "#pins li")]
    [InlineData("/recognize.html", "#people-count:has-text('Nobody is enrolled yet.')")]
    [InlineData("/training.html", "#runs tbody tr")]
    [InlineData("/results.html", "#results img[src^=blob]")]
    public async Task A_page_asks_for_the_key_and_works_with_it(string path, string filled)
    {
        await using RunningServer server = await StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, path);
        await EnterKeyAsync(server, visit);
        await Assertions.Expect(visit.Page.Locator(filled).First).ToBeVisibleAsync();
        await visit.AssertSoundAsync();
    }

    [Fact]
    public async Task A_wrong_key_is_refused_in_words()
    {
        await using RunningServer server = await StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, "/lab.html");
        await visit.Page.GetByLabel("API key").FillAsync("ufk_wrong");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Use this key" }).ClickAsync();
        await Assertions.Expect(visit.Page.Locator("#key-form")).ToContainTextAsync("the API key is not one of this service");
    }

    [Fact]
    public async Task Ten_classes_are_trained_with_the_key()
    {
        await using RunningServer server = await StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, "/lab.html");
        await EnterKeyAsync(server, visit);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Train both" }).ClickAsync();
        await Assertions.Expect(visit.Page.Locator("#worlds figure").First).ToContainTextAsync("600 of 600");
        await visit.AssertSoundAsync();
    }

    private static async Task<RunningServer> StartAsync()
    {
        RunningServer server = await StudioServer.StartAsync(o => o with { RequireKey = true });
        string run = FakeRun.Write(Path.Combine(server.Folder, "runs"), "one", 2);
        RunEndpointTests.WriteEvaluation(Path.Combine(run, "eval"));
        return server;
    }

    private static async Task EnterKeyAsync(RunningServer server, Visit visit)
    {
        await Assertions.Expect(visit.Page.Locator("#key-form")).ToContainTextAsync("This service requires an API key");
        Assert.NotEmpty(visit.TakeProblems()); // the refusals without a key
        await visit.Page.GetByLabel("API key").FillAsync(server.Services.GetRequiredService<ApiKeyStore>().Create("browser", [Scope.Read]).Secret);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Use this key" }).ClickAsync();
        await Assertions.Expect(visit.Page.Locator("#key-form")).ToHaveCountAsync(0);
    }
}
