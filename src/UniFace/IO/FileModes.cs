namespace UniFace.IO;

/// <summary>Who may open a file, on Unix.</summary>
public static class FileModes
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>What to say of a file that holds a secret or faces and is open to others than its owner; null for nothing to say.</summary>
    public static string? Warning(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path) && File.GetUnixFileMode(path) is UnixFileMode mode && (mode & Others) != 0
            ? $"warning: {path} is open to other users of this machine (mode {Convert.ToString((int)mode, 8)}); close it: chmod 600 {path}"
            : null;

    /// <summary>Gives a file the mode of another: who may open a gallery may open its index.</summary>
    public static void Copy(string from, string to)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(to, File.GetUnixFileMode(from));
        }
    }
}
