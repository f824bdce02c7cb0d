namespace UniFace.TestSupport;

/// <summary>
/// Locates research data beside the checkout (../shared), which is never part of the project. A test that needs it is skipped if it is
/// missing.
/// </summary>
internal static class SharedData
{
    /// <summary>Path of a file of ../shared, or skips the running test.</summary>
    public static string Require(string relative)
    {
        string? path = Find(relative);
        Assert.SkipWhen(path is null, $"needs ../shared/{relative}, which is not beside this checkout");
        return path!;
    }

    /// <summary>Path of a file of ../shared, or null.</summary>
    public static string? Find(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "shared", relative);
            if (Path.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
