namespace UniFace.TestSupport;

/// <summary>
/// Finds the research data beside a checkout (../shared). It is not part of the project: a test that needs it is skipped with a message if it is
/// missing.
/// </summary>
internal static class SharedData
{
    /// <summary>Path of a file of ../shared, or skips the running test.</summary>
    public static string Require(string relative)
    {
        string? path = Find(relative);
        Assert.SkipWhen(path is null, $"needs ../shared/{relative}, which does not exist beside this checkout");
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
