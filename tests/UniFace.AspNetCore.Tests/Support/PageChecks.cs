namespace UniFace.AspNetCore.Tests.Support;

/// <summary>Checks for every page.</summary>
internal static class PageChecks
{
    /// <summary>Checks a page at desktop and phone width, light and dark.</summary>
    public static async Task SoundEverywhereAsync(Chromium chromium, RunningServer server, string path, string name)
    {
        foreach (int width in new[] { Visit.Desk, Visit.Phone })
        {
            foreach (bool dark in new[] { false, true })
            {
                await using Visit visit = await Visit.ToAsync(chromium, server, path, width, dark);
                await visit.KeepAsync($"{name}-{(width == Visit.Phone ? "phone" : "desk")}-{(dark ? "dark" : "light")}");
                await visit.AssertSoundAsync();
            }
        }
    }
}
