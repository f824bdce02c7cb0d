using System.IO.Compression;

namespace UniFace.Data.Archives;

/// <summary>The files of a zip. Entries are inflated one at a time when they are read.</summary>
internal sealed class ZipPhotoArchive : PhotoArchive
{
    private readonly string path;
    private readonly ZipArchive zip;
    private readonly Lock gate = new(); // entries share the archive's stream

    public ZipPhotoArchive(string path)
    {
        this.path = path;
        zip = Guard("archive", () => ZipFile.OpenRead(path));
        Dictionary<string, ArchiveFile> files = [];
        try
        {
            foreach ((int index, ZipArchiveEntry entry) in Guard("directory", () => zip.Entries).Index())
            {
                string name = Normalize(entry.FullName.Replace('\\', '/'));
                if (name.Length > 0 && !name.EndsWith('/'))
                {
                    files[name] = new ArchiveFile(name, index, entry.Length);
                }
            }
        }
        catch
        {
            zip.Dispose();
            throw;
        }

        Files = [.. files.Values];
    }

    public override IReadOnlyList<ArchiveFile> Files { get; }

    public override byte[] Read(ArchiveFile file, long limit = long.MaxValue)
    {
        long length = Math.Min(limit, file.Length);
        if (length is < 0 or > FileSegment.LargestItem)
        {
            throw new UniFaceException($"{path}: {file.Name} claims {file.Length} bytes (limit {FileSegment.LargestItem}); the zip is damaged.");
        }

        return Guard(file.Name, () =>
        {
            lock (gate)
            {
                using Stream stream = zip.Entries[(int)file.Offset].Open();
                byte[] bytes = stream.ReadUpTo(length);
                return bytes.Length == length ? bytes : throw new InvalidDataException($"it ends after {bytes.Length} of {length} bytes");
            }
        });
    }

    public override void Dispose() => zip.Dispose();

    // The reader of the framework throws several kinds of exceptions for a damaged zip.
    private T Guard<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not (UniFaceException or OutOfMemoryException))
        {
            throw new UniFaceException($"{path}: {what} of the zip cannot be read: {e.Message}", e);
        }
    }
}
