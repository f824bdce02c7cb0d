namespace UniFace.Data.Archives;

/// <summary>A file in an archive.</summary>
/// <param name="Name">Its path in the archive, '/' between parts, without a leading "./" or "/".</param>
/// <param name="Offset">Offset of its bytes in a tar; index of its entry in a zip.</param>
/// <param name="Length">Its uncompressed size in bytes.</param>
/// <param name="Part">Which file of an archive of several files holds it, from 0.</param>
internal readonly record struct ArchiveFile(string Name, long Offset, long Length, int Part = 0);

/// <summary>The files of an archive, read by name without unpacking it as a whole. Thread-safe.</summary>
internal abstract class PhotoArchive : IDisposable
{
    /// <summary>The regular files, in the archive's order; if a name occurs twice, the later entry, as when unpacking.</summary>
    public abstract IReadOnlyList<ArchiveFile> Files { get; }

    /// <summary>Paths of the files in which the images can be read by position; empty for a compressed archive.</summary>
    public virtual IReadOnlyList<string> Parts => [];

    /// <summary>Opens a tar, a gzip-compressed tar or a zip, recognized by its first bytes.</summary>
    /// <param name="path">A file.</param>
    /// <returns>Null if the file is not one of these.</returns>
    /// <exception cref="UniFaceException">It is damaged, or too large to unpack.</exception>
    public static PhotoArchive? TryOpen(string path)
    {
        ImageFormat format = ImageFormat.Detect(FileHeader.Read(path));
        return format == ImageFormat.Gzip ? TarArchive.OpenCompressed(path)
            : format == ImageFormat.Zip ? new ZipPhotoArchive(path)
            : format == ImageFormat.Tar || path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase) ? TarArchive.Open(path) // v7 has no magic
            : null;
    }

    /// <summary>The first bytes of a file, up to a limit; all of them by default.</summary>
    /// <exception cref="UniFaceException">It cannot be read.</exception>
    public abstract byte[] Read(ArchiveFile file, long limit = long.MaxValue);

    public abstract void Dispose();

    /// <summary>The path of an entry without leading "./" or "/".</summary>
    protected internal static string Normalize(string name)
    {
        while (name.StartsWith("./", StringComparison.Ordinal))
        {
            name = name[2..];
        }

        return name.TrimStart('/');
    }
}
