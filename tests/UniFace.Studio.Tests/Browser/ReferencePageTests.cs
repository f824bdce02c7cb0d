using Microsoft.Playwright;

namespace UniFace.Studio.Tests.Browser;

/// <summary>The API reference at /scalar works without third parties.</summary>
public sealed class ReferencePageTests(Chromium chromium)
{
    [Theory]
    [InlineData(Visit.Desk)]
    [InlineData(Visit.Phone)]
    public async Task The_api_reference_calls_no_third_party(int width)
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await Visit.ToAsync(chromium, server, "/scalar", width);
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "UniFace", Exact = true })).ToBeVisibleAsync();
        foreach (string foreign in new[] { "Ask AI", "Deploy", "Share", "Generate SDK" })
        {
            await Assertions.Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = foreign })).ToHaveCountAsync(0);
        }

        AssertSound(visit);
        await visit.KeepAsync($"scalar-{width}", whole: false);
    }

    [Fact]
    public async Task An_endpoint_is_tried_from_the_page()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await Visit.ToAsync(chromium, server, "/scalar#tag/losses/GET/v1/losses");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Test Request" }).First.ClickAsync();
        IResponse answer = await visit.Page.RunAndWaitForResponseAsync(
            () => visit.Page.GetByRole(AriaRole.Button, new() { Name = "Send" }).First.ClickAsync(),
            response => response.Url.Contains("/v1/", StringComparison.Ordinal));
        Assert.StartsWith(server.Client.BaseAddress!.ToString(), answer.Url, StringComparison.Ordinal);
        await visit.KeepAsync("scalar-tried", whole: false);
        AssertSound(visit);
    }

    /// <summary>One of the page's libraries probes for eval, which the policy blocks, and works without it.</summary>
    private static void AssertSound(Visit visit) =>
        Assert.DoesNotContain(visit.TakeProblems(), t => !t.StartsWith("console: content policy: script-src eval", StringComparison.Ordinal));
}
