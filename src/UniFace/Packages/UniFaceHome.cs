namespace UniFace.Packages;

/// <summary>
/// The folder for what is installed once for all commands: models and fonts. It is UNIFACE_HOME if that is set; otherwise .tools of the
/// checkout that the program runs from, then "uniface" in the user's application data. Never relative to the current folder. Models of NuGet
/// packages are in the folder "models" beside the program, which is searched last and never written.
/// </summary>
internal static class UniFaceHome
{
    /// <summary>The folders that are searched, in order; empty for a user without a home folder.</summary>
    public static IReadOnlyList<string> Folders()
    {
        if (Environment.GetEnvironmentVariable("UNIFACE_HOME") is { Length: > 0 } home)
        {
            return [Path.GetFullPath(home)];
        }

        List<string> homes = [];
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            homes.Add(Path.Combine(folder.FullName, ".tools"));
        }

        return [.. homes.Where(Directory.Exists), .. new[] { InUserData() }.OfType<string>()];
    }

    /// <summary>The folder for new files.</summary>
    /// <exception cref="UniFaceException">The user has no home folder.</exception>
    public static string ForNew() => Folders() is [string first, ..]
        ? first
        : throw new UniFaceException(
            "there is no folder for models, because you have no home folder (HOME); set UNIFACE_HOME to a folder that you can write to");

    /// <summary>The folders that are searched: <see cref="Folders"/> and the program's own.</summary>
    internal static IEnumerable<string> Searched() => Folders().Append(AppContext.BaseDirectory);

    /// <summary>The folder in the user's application data, which may not exist; null for a user without a home folder.</summary>
    internal static string? InUserData()
    {
        // Not verified: with verification, .NET returns "" while the folder does not exist. Without a home folder it returns "/.local/share".
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        bool known = Path.IsPathFullyQualified(data) && (data != "/.local/share" || Directory.Exists(data));
        return known ? Path.Combine(data, "uniface") : null;
    }

    /// <summary>A file or folder by its path in one of the folders or beside the program; null if none has it.</summary>
    public static string? Find(string relative) => Searched().Select(home => Path.Combine(home, relative)).FirstOrDefault(Path.Exists);
}
