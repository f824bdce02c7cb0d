namespace UniFace.IO;

/// <summary>Unix permissions of files.</summary>
internal static class FileModes
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>A warning if a file with a secret or faces is accessible to other users; otherwise null.</summary>
    public static string? FindWarning(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path) && File.GetUnixFileMode(path) is UnixFileMode mode && (mode & Others) != 0
            ? $"{path} is open to other users of this machine (mode {Convert.ToString((int)mode, 8)}); restrict it: chmod 600 {path}"
            : null;

    /// <summary>Copies the permissions of a file, e.g. of a gallery to its index.</summary>
    public static void Copy(string from, string to)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(to, File.GetUnixFileMode(from));
        }
    }
}
