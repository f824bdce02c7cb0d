namespace UniFace.Packages;

/// <summary>
/// The folder of what is installed once for all commands: models, fonts. The environment's UNIFACE_HOME alone where it is set;
/// else the .tools of the checkout that the program runs from, else "uniface" in the user's own application data. Never relative to the current folder.
/// </summary>
public static class UniFaceHome
{
    /// <summary>Where things are looked for, the first first; none for a user without a home.</summary>
    public static IReadOnlyList<string> Folders()
    {
        if (Environment.GetEnvironmentVariable("UNIFACE_HOME") is { Length: > 0 } home)
        {
            return [Path.GetFullPath(home)];
        }

        List<string> homes = [];
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string tools = Path.Combine(folder.FullName, ".tools");
            if (Directory.Exists(tools))
            {
                homes.Add(tools);
            }
        }

        return InUserData() is string own ? [.. homes, own] : homes;
    }

    /// <summary>Where new things go.</summary>
    /// <exception cref="UniFaceException">The user has no home.</exception>
    public static string ForNew() => Folders() is [string first, ..]
        ? first
        : throw new UniFaceException("there is no folder for models, because you have no home folder (HOME); set UNIFACE_HOME to a folder that you can write to.");

    /// <summary>The folder in the user's own application data, which need not be there; null for a user without a home.</summary>
    internal static string? InUserData()
    {
        // Not verified: without this option .NET says "" as long as the folder is not there. For a user without a home it says "/.local/share".
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        bool known = Path.IsPathFullyQualified(data) && (data != "/.local/share" || Directory.Exists(data));
        return known ? Path.Combine(data, "uniface") : null;
    }

    /// <summary>A file or folder by its path in one of the folders; null where none has it.</summary>
    public static string? Find(string relative) => Folders().Select(home => Path.Combine(home, relative)).FirstOrDefault(Path.Exists);
}
