using System.Text.RegularExpressions;
using Microsoft.Playwright;
using UniFace.Training.Runs;

namespace UniFace.Studio.Tests.Browser;

/// <summary>The pages of runs and results work in a browser.</summary>
public sealed class RunPageTests(Chromium chromium)
{
    [Theory]
    [InlineData("/training.html", "training", true)]
    [InlineData("/training.html", "training-empty", false)]
    [InlineData("/results.html", "results", true)]
    [InlineData("/results.html", "results-empty", false)]
    public async Task A_page_is_sound_on_desktop_and_phone_in_light_and_dark(string path, string name, bool filled)
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        if (filled)
        {
            Fill(server);
        }

        await PageChecks.SoundEverywhereAsync(chromium, server, path, name);
    }

    [Theory]
    [InlineData("/training.html")]
    [InlineData("/results.html")]
    public async Task Everything_on_a_page_is_reached_by_keyboard(string path)
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        Fill(server);
        await using Visit visit = await Visit.ToAsync(chromium, server, path);
        await visit.AssertKeyboardAsync();
    }

    [Fact]
    public async Task Runs_are_compared_and_the_histogram_is_per_epoch()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        Fill(server);
        await using Visit visit = await Visit.ToAsync(chromium, server, "/training.html");
        IPage page = visit.Page;
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "first" }).SetCheckedAsync(true);
        await page.GetByRole(AriaRole.Checkbox, new() { Name = "second" }).SetCheckedAsync(true);
        ILocator loss = page.Locator("#charts figure").First;
        await Assertions.Expect(loss.Locator(".legend li")).ToHaveCountAsync(2);
        await Assertions.Expect(loss.Locator("path.curve")).ToHaveCountAsync(2);
        await Assertions.Expect(page.Locator("#epoch-now")).ToContainTextAsync("of 4");
        await Assertions.Expect(page.Locator("#run-title")).ToHaveTextAsync(new Regex("^Curves of (first, second|second, first)$"));
        string first = (await page.Locator("#run-title").TextContentAsync())!["Curves of ".Length..].Split(',')[0];
        await Assertions.Expect(page.Locator("#histogram-title")).ToHaveTextAsync("Cosine histogram of " + first);
        await Assertions.Expect(page.Locator("#map-title")).ToHaveTextAsync("Map of the embeddings of " + first);
        await Assertions.Expect(page.Locator("#notes-title")).ToHaveTextAsync("Events of " + first);
        await Assertions.Expect(page.Locator("#legend")).ToContainTextAsync("“–”: not measured");
        await page.Locator("#epoch").FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Assertions.Expect(page.Locator("#epoch-now")).ToHaveTextAsync("before training");
        Assert.Empty(visit.TakeProblems());
    }

    [Fact]
    public async Task The_table_of_runs_is_not_clipped_on_a_phone()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        Fill(server);
        await using Visit visit = await Visit.ToAsync(chromium, server, "/training.html", Visit.Phone);
        await Assertions.Expect(visit.Page.Locator("#runs tbody tr")).ToHaveCountAsync(2);
        Assert.Equal(0, await visit.Page.Locator(".scroll").First.EvaluateAsync<int>("box => box.scrollWidth - box.clientWidth"));
    }

    [Fact]
    public async Task A_run_is_resumed_and_stopped_from_the_page_which_shows_it_live()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        FakeRun.Start(Path.Combine(server.Folder, "runs"), "noise", 10_000);
        await using Visit visit = await Visit.ToAsync(chromium, server, "/training.html");
        IPage page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Assertions.Expect(page.Locator("#runs")).ToContainTextAsync("training here");
        await Assertions.Expect(page.Locator("#charts figure").First.Locator("path.curve")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save and stop" }).ClickAsync();
        await Assertions.Expect(page.Locator("#runs")).ToContainTextAsync("stopped");
        await Assertions.Expect(page.Locator("#notes")).ToContainTextAsync("stopped and saved at step");
        await page.GetByRole(AriaRole.Button, new() { Name = "Draw the map" }).ClickAsync();
        await Assertions.Expect(page.Locator("#map-figure figcaption")).ToContainTextAsync("12 images of 4 people of the training set");
        await Assertions.Expect(page.Locator("#map-figure figcaption")).ToContainTextAsync("PCA: the two components hold");
        await page.GetByLabel("Method").SelectOptionAsync("tsne");
        await Assertions.Expect(page.Locator("#map-figure figcaption")).ToContainTextAsync("t-SNE (perplexity 4)");
        await Assertions.Expect(page.Locator("#map-figure svg text")).ToHaveCountAsync(12);
        await visit.KeepAsync("training-map");
        await visit.AssertSoundAsync();
    }

    private static void Fill(RunningServer server)
    {
        string runs = Path.Combine(server.Folder, "runs");
        FakeRun.Write(runs, "first", 4);
        FakeRun.Write(runs, "second", 2, "arcface(margin=0.5,scale=64)", 40);
        File.AppendAllText(
            Path.Combine(runs, "second", RunFolder.NotesFile),
            """{"time":"2026-11-24T12:00:00Z","step":20,"epoch":2,"kind":"failed","message":"step 21, epoch 3: the loss is not finite; nothing """ +
            "after step 20 was kept (last.ckpt is good). Lower the margin (now 0.5), scale (now 64), learning rate (now 0.01) or lengthen the warm-up, " +
            "in a new run.\"}\n");
        RunEndpointTests.WriteEvaluation(Path.Combine(runs, "first", "eval"));
    }
}
