namespace UniFace.AspNetCore;

/// <summary>The folder for everything that a service writes: keys, logs, and often the gallery.</summary>
internal static class DataFolder
{
    /// <summary>Creates the folder if it is missing; on Unix with access for its owner only, because it holds templates and names.</summary>
    public static void Create(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
