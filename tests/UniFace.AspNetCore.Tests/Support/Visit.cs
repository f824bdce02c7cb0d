using System.Collections.Concurrent;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace UniFace.AspNetCore.Tests.Support;

/// <summary>A browser window on a running service that records errors, violations of the content policy and failed requests.</summary>
internal sealed class Visit : IAsyncDisposable
{
    /// <summary>Phone width.</summary>
    public const int Phone = 390;

    /// <summary>Desktop width.</summary>
    public const int Desk = 1280;

    private readonly IBrowserContext context;
    private readonly ConcurrentQueue<string> problems = new();

    private Visit(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                problems.Enqueue($"console: {message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => problems.Enqueue($"error: {error}");
        page.RequestFailed += (_, request) =>
        {
            if (request.Failure?.Contains("ABORTED", StringComparison.Ordinal) != true)
            {
                problems.Enqueue($"failed: {request.Url} {request.Failure}");
            }
        };
        page.Request += (_, request) =>
        {
            string[] own = [new Uri(GetBase(page)).GetLeftPart(UriPartial.Authority), "blob:", "data:"];
            if (!own.Any(start => request.Url.StartsWith(start, StringComparison.Ordinal)))
            {
                problems.Enqueue($"outside: {request.Url}");
            }
        };
    }

    public IPage Page { get; }

    private string Server { get; set; } = "";

    /// <summary>Opens a page and waits until the network is idle.</summary>
    public static async Task<Visit> ToAsync(Chromium chromium, RunningServer server, string path, int width = Desk, bool dark = false) =>
        await ToAsync(await chromium.OpenAsync(), server, path, width, dark);

    /// <summary>Opens a page in a given browser.</summary>
    public static async Task<Visit> ToAsync(IBrowser browser, RunningServer server, string path, int width = Desk, bool dark = false)
    {
        IBrowserContext context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = server.Client.BaseAddress!.ToString(),
            ViewportSize = new ViewportSize { Width = width, Height = width == Phone ? 844 : 800 },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            Permissions = ["camera"],
        });
        context.SetDefaultTimeout(180_000); // The first page waits for a browser that starts beside other tests.
        await context.AddInitScriptAsync(
            "document.addEventListener('securitypolicyviolation', e => console.error('content policy: ' + e.violatedDirective + ' ' + e.blockedURI))");
        IPage page = await context.NewPageAsync();
        Visit visit = new(context, page) { Server = server.Client.BaseAddress.ToString() };
        await visit.GoAsync(path);
        return visit;
    }

    /// <summary>Goes to another page and waits until the network is idle.</summary>
    public async Task GoAsync(string path) => await Page.GotoAsync(path, new PageGotoOptions { WaitUntil = WaitUntilState.NetworkIdle });

    /// <summary>Returns and clears the recorded problems, for those that the test caused.</summary>
    public IReadOnlyList<string> TakeProblems()
    {
        string[] taken = [.. problems];
        problems.Clear();
        return taken;
    }

    /// <summary>Asserts that there are no problems, no horizontal overflow, and no accessibility violations (axe).</summary>
    public async Task AssertSoundAsync()
    {
        Assert.True(problems.IsEmpty, string.Join("\n", TakeProblems()));
        Assert.Empty(await Page.Locator("[id$=problem] .bad").AllInnerTextsAsync());
        int tooWide = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(tooWide <= 0, $"{Page.Url} is {tooWide} px wider than the window: {await Page.EvaluateAsync<string>(Widest)}");
        Deque.AxeCore.Commons.AxeResult result = await Page.RunAxe(
            new Deque.AxeCore.Commons.AxeRunOptions { ResultTypes = [Deque.AxeCore.Commons.ResultType.Violations] });
        Assert.True(
            result.Violations.Length == 0,
            string.Join("\n", result.Violations.Select(v => $"{v.Id}: {v.Help}: {string.Join("; ", v.Nodes.Take(5).Select(n => n.Html))}")));
    }

    /// <summary>Walks the page with the tab key: every control is reached and shows its focus.</summary>
    public async Task AssertKeyboardAsync()
    {
        await Page.EvaluateAsync("document.activeElement?.blur(); window.scrollTo(0, 0)");
        int expected = await Page.EvaluateAsync<int>(
            "[...document.querySelectorAll('a[href], button, select, input, [tabindex=\"0\"]')].filter(e => !e.disabled && e.checkVisibility()).length");
        HashSet<string> seen = [];
        for (int i = 0; i < 400; i++)
        {
            await Page.Keyboard.PressAsync("Tab");
            string at = await Page.EvaluateAsync<string>(
                "() => { const e = document.activeElement; if (!e || e === document.body) return '';" +
                " e.dataset.visit ??= String(window.visits = (window.visits ?? 0) + 1);" +
                " const s = getComputedStyle(e); return e.dataset.visit + (s.outlineStyle === 'none' ? ' unseen ' + e.outerHTML.slice(0, 80) : ''); }");
            Assert.DoesNotContain("unseen", at, StringComparison.Ordinal);
            if (at.Length > 0 && !seen.Add(at) || at.Length == 0 && seen.Count > 0)
            {
                break;
            }
        }

        Assert.True(seen.Count >= expected, $"{seen.Count} of {expected} controls of {Page.Url} are reached by the tab key");
    }

    /// <summary>Saves a screenshot to the folder UNIFACE_SCREENSHOTS, if set.</summary>
    public async Task KeepAsync(string name, bool whole = true)
    {
        if (Environment.GetEnvironmentVariable("UNIFACE_SCREENSHOTS") is string folder)
        {
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = whole });
        }
    }

    /// <summary>Closes the window and asserts that there were no problems, except requests that the service refused.</summary>
    public async ValueTask DisposeAsync()
    {
        await context.DisposeAsync();
        string[] left = [.. problems.Where(t => !t.Contains("the server responded with a status of", StringComparison.Ordinal))];
        Assert.True(left.Length == 0, string.Join("\n", left));
    }

    private string GetBase(IPage page) => Server.Length > 0 ? Server : page.Url;

    private const string Widest =
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)" +
        ".slice(-3).map(e => e.outerHTML.slice(0, 120)).join(' | ')";
}
