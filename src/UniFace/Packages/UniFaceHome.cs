namespace UniFace.Packages;

/// <summary>
/// The folder of what is installed once for all commands: models, fonts. The environment's UNIFACE_HOME alone where it is set;
/// else the .tools of the checkout that the program runs from, else "uniface" in the user's own application data.
/// </summary>
public static class UniFaceHome
{
    /// <summary>Where things are looked for, the first first; new ones go into the first.</summary>
    public static IReadOnlyList<string> Folders()
    {
        if (Environment.GetEnvironmentVariable("UNIFACE_HOME") is { Length: > 0 } home)
        {
            return [home];
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

        homes.Add(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "uniface"));
        return homes;
    }

    /// <summary>A file or folder by its path in one of the folders; null where none has it.</summary>
    public static string? Find(string relative) => Folders().Select(home => Path.Combine(home, relative)).FirstOrDefault(Path.Exists);
}
