using Microsoft.Playwright;

namespace UniFace.Studio.Tests.Browser;

/// <summary>The margin lab works in a browser, on desktop and phone.</summary>
public sealed class LabPageTests(Chromium chromium)
{
    [Theory]
    [InlineData("/", "start")]
    [InlineData("/lab.html", "lab")]
    public async Task A_page_is_sound_on_desktop_and_phone_in_light_and_dark(string path, string name)
    {
        await using RunningServer server = await StudioServer.StartAsync();
        await PageChecks.SoundEverywhereAsync(chromium, server, path, name);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/lab.html")]
    public async Task Everything_on_a_page_is_reached_by_keyboard(string path)
    {
        await using RunningServer server = await StudioServer.StartAsync();
        await using Visit visit = path == "/" ? await Visit.ToAsync(chromium, server, path) : await OpenLabAsync(server);
        await visit.AssertKeyboardAsync();
    }

    [Fact]
    public async Task The_start_page_begins_with_recognition_and_leads_to_the_margin_lab()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, "/");
        await Assertions.Expect(visit.Page.Locator(".cards h2").First).ToHaveTextAsync("Recognize");
        await Assertions.Expect(visit.Page.Locator("#state")).ToContainTextAsync("calibrated on “invented”");
        await Assertions.Expect(visit.Page.Locator("#state")).ToContainTextAsync("0 people enrolled");
        await visit.Page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Link, new() { Name = "Margin lab" }).ClickAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Margin lab", Level = 1 })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task On_a_phone_the_curves_stay_visible_while_a_slider_moves()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await OpenLabAsync(server, Visit.Phone);
        ILocator slider = visit.Page.GetByRole(AriaRole.Slider, new() { Name = "negative-rate" });
        await slider.ScrollIntoViewIfNeededAsync();
        await slider.FocusAsync();
        await slider.PressAsync("ArrowLeft");
        LocatorBoundingBoxResult chart = (await visit.Page.Locator("#charts figure svg[role=img]").First.BoundingBoxAsync())!;
        LocatorBoundingBoxResult moved = (await slider.BoundingBoxAsync())!;
        Assert.True(
            chart.Y >= 0 && chart.Y + chart.Height < moved.Y && moved.Y + moved.Height <= 844,
            $"the curves stand at {chart.Y} to {chart.Y + chart.Height}, the slider at {moved.Y}");
        await visit.KeepAsync("lab-slider-phone", whole: false);
    }

    [Fact]
    public async Task The_sliders_of_a_loss_change_its_curves_and_a_kept_curve_stays()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await OpenLabAsync(server);
        IPage page = visit.Page;
        await page.GetByLabel("Loss", new() { Exact = true }).SelectOptionAsync("cosface");
        ILocator margin = page.GetByRole(AriaRole.Slider, new() { Name = "margin" });
        await Assertions.Expect(margin).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Slider, new() { Name = "lambda" })).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator("#pins")).ToContainTextAsync("cosface, margin 0.35, scale 64 (shown)");
        string before = await Curve(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep this curve for comparison" }).ClickAsync();
        await margin.FocusAsync();
        await margin.PressAsync("ArrowRight");
        await Assertions.Expect(page.Locator("#pins")).ToContainTextAsync("cosface, margin 0.36, scale 64 (shown)");
        Assert.NotEqual(before, await Curve(page));
        await page.GetByRole(AriaRole.Button, new() { Name = "Remove cosface, margin 0.35, scale 64" }).ClickAsync();
        await Assertions.Expect(page.Locator("#pins li")).ToHaveCountAsync(2); // The shown one, and that of the first preset.
        Assert.Empty(visit.TakeProblems());

        static async Task<string> Curve(IPage page) => (await page.Locator("#charts figure").First.Locator("path.curve.s0").GetAttributeAsync("d"))!;
    }

    [Theory]
    [InlineData("uce and softmax", "uce compares every cosine with one threshold")]
    [InlineData("m = 0.8", "Beyond 134°, the angle plus 0.8 exceeds 180°")] // 180 - 0.8 radians = 134.2 degrees
    [InlineData("s = 16", "reaches a probability of only 0.767")] // 1 / (1 + 9999 e^(-16 * 0.65))
    [InlineData("fp16 at s = 64", "In 16 bits, the gradient is exactly 0 below")]
    public async Task A_preset_explains_its_curves_with_their_numbers(string preset, string words)
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await OpenLabAsync(server);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = preset, Exact = true }).ClickAsync();
        await Assertions.Expect(visit.Page.Locator("#explanation")).ToContainTextAsync(words);
        await visit.KeepAsync("lab-" + string.Concat(preset.Where(char.IsLetterOrDigit)));
        Assert.Empty(visit.TakeProblems());
    }

    [Fact]
    public async Task The_first_preset_draws_softmax_beside_uce_and_the_live_training_is_linked_from_the_top()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await OpenLabAsync(server);
        await Assertions.Expect(visit.Page.Locator("#pins li").Nth(0)).ToContainTextAsync("uce");
        await Assertions.Expect(visit.Page.Locator("#pins li").Nth(1)).ToContainTextAsync("softmax");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "live training of ten classes" }).ClickAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Live training of ten classes" })).ToBeInViewportAsync();
    }

    [Fact]
    public async Task A_number_that_the_loss_refuses_is_reported()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await OpenLabAsync(server);
        await visit.Page.GetByLabel("margin, exactly").FillAsync("7");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("margin");
        await visit.Page.GetByLabel("margin, exactly").FillAsync("0.3");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Ten_classes_are_trained_live()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await OpenLabAsync(server, Visit.Phone);
        IPage page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Train both" }).ClickAsync();
        await Assertions.Expect(page.Locator("#worlds figure").First).ToContainTextAsync("600 of 600");
        await Assertions.Expect(page.Locator("#worlds figure").Last).ToContainTextAsync("uce, m 0.1, s 16, b 12");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Stop" })).ToBeDisabledAsync();
        await visit.KeepAsync("lab-live-phone");
        await visit.AssertSoundAsync();
        await TrainLongAsync(page);
        await page.GetByLabel("Dimensions").SelectOptionAsync("2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Train both" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Stop" })).ToBeDisabledAsync();
        Assert.Empty(visit.TakeProblems());
    }

    [Fact]
    public async Task A_session_that_is_stopped_or_replaced_by_a_newer_one_is_reported()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        await using Visit visit = await OpenLabAsync(server);
        IPage page = visit.Page;
        await TrainLongAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Train both" }).ClickAsync();
        await Assertions.Expect(page.Locator("#worlds figure").First).ToContainTextAsync("of 2000");
        using HttpResponseMessage newer = await server.Client.GetAsync("/v1/losses/lab?loss=uce&steps=1", HttpCompletionOption.ResponseHeadersRead);
        await Assertions.Expect(page.Locator("#live-problem")).ToContainTextAsync("The service ended the session at step");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Stop" })).ToBeDisabledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Train both" }).ClickAsync();
        await Assertions.Expect(page.Locator("#live-problem")).ToBeEmptyAsync();
        await Assertions.Expect(page.Locator("#worlds figure").First).ToContainTextAsync("of 2000");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Assertions.Expect(page.Locator("#live-problem")).ToContainTextAsync("Stopped"); // at a step, or before the first
        Assert.Empty(visit.TakeProblems());
    }

    /// <summary>Opens the lab and waits for its first preset, whose curves are fetched one after the other.</summary>
    private async Task<Visit> OpenLabAsync(RunningServer server, int width = Visit.Desk)
    {
        Visit visit = await Visit.ToAsync(chromium, server, "/lab.html", width);
        await Assertions.Expect(visit.Page.Locator("#explanation")).ToContainTextAsync("uce compares every cosine");
        return visit;
    }

    /// <summary>Makes training take at least 13 seconds, so that it can be stopped before its end on a busy machine, too.</summary>
    private static async Task TrainLongAsync(IPage page) =>
        await page.RouteAsync("**/v1/losses/lab*", route => route.ContinueAsync(new RouteContinueOptions { Url = route.Request.Url + "&steps=2000" }));
}
