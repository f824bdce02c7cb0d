namespace UniFace.IO;

/// <summary>
/// Writes a file beside its place and renames it over: a kill at any moment leaves the old file or the new one, whole.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes a file by a callback that fills its stream.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(folder);
        string beside = Path.Combine(folder, $".{Path.GetFileName(full)}.{Environment.ProcessId}.tmp");
        try
        {
            // Held until it is renamed: whoever can lock such a file knows that nobody is writing it. Windows wants to be told that it is renamed while open.
            using FileStream stream = new(beside, FileMode.Create, FileAccess.Write, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None, 1 << 16);
            write(stream);
            stream.Flush(flushToDisk: true);
            File.Move(beside, full, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    public static void WriteText(string path, string text) =>
        Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
