using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using UniFace.AspNetCore.Recognition;
using UniFace.Gallery;
using UniFace.Synthetic;

namespace UniFace.AspNetCore.Tests.Browser;

/// <summary>People can be enrolled, found, compared and erased in a browser, with keyboard and camera.</summary>
public sealed class RecognizePageTests(Chromium chromium)
{
    /// <summary>The tests' noise faces are aligned and of low quality; the page's requests need the flags for that.</summary>
    private const string AsAligned =
        "() => { const send = window.fetch; window.fetch = (path, options) => { " +
        "if (options?.body instanceof FormData) { options.body.append('aligned', 'true'); } return send(path, options); }; }";

    [Fact]
    public async Task The_page_is_sound_on_desktop_and_phone_in_light_and_dark()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Ann", 1);
        await server.EnrollAsync("Bob", 2);
        await PageChecks.SoundEverywhereAsync(chromium, server, "/recognize.html", "recognize");
        await using Visit visit = await Visit.ToAsync(chromium, server, "/recognize.html");
        await visit.AssertKeyboardAsync();
    }

    [Fact]
    public async Task People_are_enrolled_found_compared_and_erased()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, "/recognize.html", Visit.Phone);
        IPage page = visit.Page;
        await page.EvaluateAsync(AsAligned);
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Ann é/B");
        await page.GetByLabel("Photos: files").SetInputFilesAsync([Photo("1.png", 1), Photo("2.png", 2)]);
        await page.GetByLabel("Also enroll photos of low quality").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Enroll", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator("#enroll-answer")).ToContainTextAsync("Ann é/B: 2 of 2 photos enrolled.");
        await Assertions.Expect(page.Locator("#enroll-answer figcaption").First).ToContainTextAsync(new Regex("Quality [01]\\.[0-9][0-9] of 1"));
        await Assertions.Expect(page.Locator("#people")).ToContainTextAsync("Ann é/B, 2 photos");

        await page.GetByLabel("Photo: file", new() { Exact = true }).SetInputFilesAsync(Photo("1.png", 1));
        await page.GetByRole(AriaRole.Button, new() { Name = "Search the enrolled people" }).ClickAsync();
        await Assertions.Expect(page.Locator("#identify-answer .notice")).ToContainTextAsync("Ann é/B");
        await Assertions.Expect(page.Locator("#identify-answer table")).ToContainTextAsync("1.000");
        await Assertions.Expect(page.Locator("#identify-answer")).ToContainTextAsync(
            "With 1 enrolled person, a stranger is mistaken for one of them in about 1 in 56 searches.");

        await page.GetByLabel("First photo: file").SetInputFilesAsync(Photo("1.png", 1));
        await page.GetByLabel("Second photo: file").SetInputFilesAsync(Photo("1.png", 1));
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Assertions.Expect(page.Locator("#verify-answer")).ToContainTextAsync("Same person");
        await Assertions.Expect(page.Locator("#verify-answer")).ToContainTextAsync(
            "Threshold: cosine 0.770; 1 in 111 pairs of different people score this high (calibrated on invented).");
        await Assertions.Expect(page.Locator("#verify-answer figure img")).ToHaveCountAsync(2);
        await page.Locator("#verify").GetByText("Use another threshold").ClickAsync();
        await page.Locator("#verify-threshold").FillAsync("-0.5");
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Assertions.Expect(page.Locator("#verify-answer")).ToContainTextAsync("Threshold: cosine -0.500");
        await visit.KeepAsync("recognize-answers-phone");
        await visit.AssertSoundAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Erase Ann é/B" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep" }).ClickAsync();
        await Assertions.Expect(page.Locator("#people")).ToContainTextAsync("Ann é/B");
        await page.GetByRole(AriaRole.Button, new() { Name = "Erase Ann é/B" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Erase" }).ClickAsync();
        await Assertions.Expect(page.Locator("#people-count")).ToHaveTextAsync("Nobody is enrolled yet.");
    }

    [Theory]
    [InlineData(0.71, 0.336, -0.2)] // Strangers around 0: the scale begins at about -0.2.
    [InlineData(0.95, 0.925, 0.865)] // Strangers around 0.87: the scale shows only what can happen.
    [InlineData(0.70, 0.925, 0.70)]
    [InlineData(-0.4, 0.3, -0.4)]
    public async Task The_scale_of_a_score_fits_the_models_cosines(double score, double threshold, double start)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, "/recognize.html");
        double[] seen = await visit.Page.EvaluateAsync<double[]>(
            "async ([score, threshold]) => { const { scale, scaleStart } = await import('/js/recognize/answers.js'); " +
            "const drawn = scale(score, threshold, true); return [scaleStart(score, threshold), Number(drawn.querySelector('circle').getAttribute('cx')), " +
            "Number(drawn.querySelector('line').getAttribute('x1'))]; }",
            new[] { score, threshold });
        Assert.Equal(start, seen[0], 0.01);
        Assert.Equal(10 + ((score - seen[0]) / (1 - seen[0]) * 380), seen[1], 0.01);
        Assert.Equal(10 + ((threshold - seen[0]) / (1 - seen[0]) * 380), seen[2], 0.01);
    }

    [Fact]
    public async Task Errors_are_shown_in_words()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, "/recognize.html");
        IPage page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();
        await Assertions.Expect(page.Locator("#verify-answer")).ToContainTextAsync("Choose the first photo");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Noise");
        await page.GetByLabel("Photos: files").SetInputFilesAsync([Photo("noise.png", 5)]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Enroll", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator("#enroll-answer")).ToContainTextAsync("not enrolled: no photo");
        await page.GetByLabel("Photo: file", new() { Exact = true }).SetInputFilesAsync(
            new FilePayload { Name = "words.png", MimeType = "image/png", Buffer = "not an image"u8.ToArray() });
        await page.GetByRole(AriaRole.Button, new() { Name = "Search the enrolled people" }).ClickAsync();
        await Assertions.Expect(page.Locator("#identify-answer [role=alert]")).ToContainTextAsync("photo");
    }

    [Fact]
    public async Task The_camera_view_rates_the_photo_and_takes_it()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await using Visit visit = await Visit.ToAsync(chromium, server, "/recognize.html");
        ILocator field = visit.Page.GetByRole(AriaRole.Group, new() { Name = "Photos" });
        await field.GetByRole(AriaRole.Button, new() { Name = "Use the camera" }).ClickAsync();
        await Assertions.Expect(field.Locator("video")).ToBeVisibleAsync();
        await Assertions.Expect(field.Locator(".notice")).ToContainTextAsync("No face is visible."); // Chromium's invented camera shows a disc.
        await field.GetByRole(AriaRole.Button, new() { Name = "Take the photo" }).ClickAsync();
        await Assertions.Expect(field.Locator("img")).ToHaveCountAsync(1);
        await Assertions.Expect(field.Locator("video")).ToHaveCountAsync(0);
        Assert.Empty(visit.TakeProblems());
    }

    [Fact]
    public async Task A_face_from_the_camera_is_enrolled_and_identified()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string people = Path.Combine(server.Folder, "people");
        new SyntheticFaces(21, 0.5f).Write(people, firstPerson: 10, people: 1, images: 1, photos: true);
        string frames = Path.Combine(server.Folder, "camera.mjpeg");
        File.Copy(Directory.EnumerateFiles(people, "*.jpg", SearchOption.AllDirectories).Single(), frames);
        await using IBrowser browser = await chromium.OpenAsync(frames);
        await using Visit visit = await Visit.ToAsync(browser, server, "/recognize.html", Visit.Phone);
        IPage page = visit.Page;
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Ann");
        await TakeAsync("Photos", "Good quality: ready to enroll.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Enroll", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator("#enroll-answer")).ToContainTextAsync("Ann: 1 of 1 photo enrolled.");
        await TakeAsync("Photo", "Good quality: ready to enroll.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Search the enrolled people" }).ClickAsync();
        await Assertions.Expect(page.Locator("#identify-answer .notice.good")).ToContainTextAsync("Ann");
        await visit.KeepAsync("recognize-camera-phone");
        await visit.AssertSoundAsync();

        async Task TakeAsync(string label, string words)
        {
            ILocator field = page.GetByRole(AriaRole.Group, new() { Name = label, Exact = true });
            await field.GetByRole(AriaRole.Button, new() { Name = "Use the camera" }).ClickAsync();
            await Assertions.Expect(field.Locator(".notice")).ToContainTextAsync(words);
            await field.GetByRole(AriaRole.Button, new() { Name = "Take the photo" }).ClickAsync();
            await Assertions.Expect(field.Locator("img")).ToHaveCountAsync(1);
        }
    }

    [Fact]
    public async Task If_the_browser_blocks_the_camera_the_page_gives_the_reason()
    {
        await using RunningServer server = await RunningServer.StartAsync(model: false);
        await using Visit visit = await Visit.ToAsync(chromium, server, "/recognize.html");
        await visit.Page.EvaluateAsync("() => Object.defineProperty(window, 'isSecureContext', { value: false })"); // as on a page of another machine over http
        ILocator field = visit.Page.GetByRole(AriaRole.Group, new() { Name = "Photos" });
        await field.GetByRole(AriaRole.Button, new() { Name = "Use the camera" }).ClickAsync();
        await Assertions.Expect(field.GetByRole(AriaRole.Alert)).ToContainTextAsync("only on pages from the same machine or over https");
    }

    [Fact]
    public async Task Erasing_the_only_person_of_the_last_page_shows_the_previous_page()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        StoredGallery gallery = server.Services.GetRequiredService<RecognizerSlot>().Loaded!.Gallery;
        float[] embedding = new float[gallery.Info.EmbeddingSize];
        embedding[0] = 1;
        await gallery.EnrollAsync([.. Enumerable.Range(1, 51).Select(i => new Enrollment($"person {i}", embedding))], gallery.Info.ContractId);
        await using Visit visit = await Visit.ToAsync(chromium, server, "/recognize.html");
        IPage page = visit.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Next" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Erase person 51" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Erase" }).ClickAsync();
        await Assertions.Expect(page.Locator("#people-count")).ToHaveTextAsync("50 people.");
        await Assertions.Expect(page.Locator("#people li")).ToHaveCountAsync(50);
    }

    private static FilePayload Photo(string name, int seed) => new() { Name = name, MimeType = "image/png", Buffer = RunningServer.Face(seed) };
}
