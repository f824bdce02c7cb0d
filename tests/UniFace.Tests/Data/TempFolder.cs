namespace UniFace.Tests.Data;

/// <summary>A temporary folder, deleted on disposal.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("uniface-test-").FullName;

    /// <summary>A path in the folder.</summary>
    public string this[string relative] => Path.Combine(Root, relative);

    /// <summary>Writes a file and the folders above it; gives its path.</summary>
    public string Write(string relative, ReadOnlySpan<byte> bytes)
    {
        string path = this[relative];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
