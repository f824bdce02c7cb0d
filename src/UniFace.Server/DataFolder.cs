namespace UniFace.Server;

/// <summary>The folder of all that a service writes: keys, log, and often the gallery.</summary>
internal static class DataFolder
{
    /// <summary>Makes it where it is missing: on Unix for its owner only, as templates and names are in it. One that is there stays as it is.</summary>
    public static void Make(string folder)
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
