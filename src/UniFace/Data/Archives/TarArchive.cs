using System.IO.Compression;

namespace UniFace.Data.Archives;

/// <summary>The files of a tar, read in place. A compressed tar is first unpacked into a temporary file, which is deleted with it.</summary>
internal sealed class TarArchive : PhotoArchive
{
    // Images hardly compress: anything above is an attack, or not a set of images.
    private const int MaxRatio = 20;
    private const long AlwaysAllowedBytes = 1L << 30;

    private readonly FileSegment tar;

    private TarArchive(FileSegment tar, IReadOnlyList<string> parts)
    {
        this.tar = tar;
        Parts = parts;
        try
        {
            Files = TarIndex.Read(tar);
        }
        catch
        {
            tar.Dispose();
            throw;
        }
    }

    public override IReadOnlyList<ArchiveFile> Files { get; }

    public override IReadOnlyList<string> Parts { get; }

    public static TarArchive Open(string path) => new(FileSegment.Open(path), [path]);

    public static TarArchive OpenCompressed(string path, long allowed = AlwaysAllowedBytes)
    {
        string temporary = Path.Combine(Path.GetTempPath(), $"uniface-{Guid.NewGuid():N}.tar");
        SafeFileHandle handle = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, FileOptions.DeleteOnClose);
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                File.Delete(temporary); // The open handle keeps the content; nothing is left after a kill.
            }

            return new TarArchive(new FileSegment(handle, path, 0, Unpack(path, handle, allowed)), []);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            handle.Dispose();
            throw new UniFaceException($"{path} cannot be unpacked into {Path.GetTempPath()}: {e.Message}", e);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public override byte[] Read(ArchiveFile file, long limit = long.MaxValue) => tar.Read(file.Offset, Math.Min(file.Length, limit), file.Name);

    /// <summary>An entry as a segment of the tar.</summary>
    public FileSegment Segment(ArchiveFile file) => tar.Slice($"{tar.Name}:{file.Name}", file.Offset, file.Length);

    public override void Dispose() => tar.Dispose();

    private static long Unpack(string path, SafeFileHandle target, long allowed)
    {
        using FileStream file = File.OpenRead(path);
        using GZipStream gzip = new(file, CompressionMode.Decompress);
        long limit = Math.Max(allowed, MaxRatio * file.Length), length = 0;
        byte[] buffer = new byte[1 << 20];
        for (int count; (count = gzip.Read(buffer)) > 0; length += count)
        {
            if (length + count > limit)
            {
                throw new UniFaceException($"{path} unpacks to more than {limit} bytes; expected a tar of images");
            }

            RandomAccess.Write(target, buffer.AsSpan(0, count), length);
        }

        return length > 0 ? length : throw new InvalidDataException("it is truncated");
    }
}
