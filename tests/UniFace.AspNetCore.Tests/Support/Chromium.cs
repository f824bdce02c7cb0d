using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(UniFace.AspNetCore.Tests.Support.Chromium))]

namespace UniFace.AspNetCore.Tests.Support;

/// <summary>One headless browser for all page tests: the system's Chromium.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly SemaphoreSlim starting = new(1);
    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>The browser, started on first use. Skips the test if Chromium is not installed.</summary>
    public async Task<IBrowser> OpenAsync()
    {
        await starting.WaitAsync();
        try
        {
            return browser ??= await LaunchAsync([]);
        }
        finally
        {
            starting.Release();
        }
    }

    /// <summary>A browser whose camera shows the given frames in a loop. The test disposes it.</summary>
    /// <param name="frames">A JPEG file, or several in a row.</param>
    public async Task<IBrowser> OpenAsync(string frames)
    {
        await starting.WaitAsync();
        try
        {
            return await LaunchAsync(["--use-file-for-fake-video-capture=" + frames]);
        }
        finally
        {
            starting.Release();
        }
    }

    private async Task<IBrowser> LaunchAsync(string[] more)
    {
        string? program = Places.FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "needs Chromium, which setup/browser.sh installs when root runs it on a Debian or Ubuntu");
        playwright ??= await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout(180_000); // A machine may be busy with other tests.
        return await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = program,
            ChromiumSandbox = !Environment.IsPrivilegedProcess, // Chromium refuses its sandbox to root.
            Args = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-gpu", .. more],
            Timeout = 600_000,
        });
    }

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
        starting.Dispose();
    }
}
