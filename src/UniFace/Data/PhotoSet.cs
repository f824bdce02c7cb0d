using Microsoft.Win32.SafeHandles;

namespace UniFace.Data;

/// <summary>
/// Pictures by name, whatever holds them and however deep: one file, a folder, a tar. Unlike a data set it knows nothing
/// of people. Names are in ordinal order; reading is thread-safe.
/// </summary>
public sealed class PhotoSet : IDisposable
{
    private readonly Func<int, byte[]> read;
    private readonly SafeFileHandle? handle;

    private PhotoSet(string source, IReadOnlyList<string> names, Func<int, byte[]> read, SafeFileHandle? handle = null)
    {
        Source = source;
        Names = names;
        this.read = read;
        this.handle = handle;
    }

    /// <summary>The path that was opened.</summary>
    public string Source { get; }

    /// <summary>Names of the pictures, relative to the source, '/' between parts ("Ann/1.jpg").</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Opens a picture, a folder of pictures at any depth, or a tar of them.</summary>
    /// <exception cref="UniFaceException">There is no such path, it holds no picture, or the tar is damaged.</exception>
    public static PhotoSet Open(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (Directory.Exists(path))
        {
            return OfFolder(path);
        }

        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such file or folder; expected a photo, a folder of photos, or a tar of them.");
        }

        if (path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase))
        {
            return OfTar(path);
        }

        return new PhotoSet(path, [Path.GetFileName(path)], _ => ReadFile(path));
    }

    /// <summary>The encoded bytes of a picture.</summary>
    /// <param name="index">Index into <see cref="Names"/>.</param>
    /// <exception cref="UniFaceException">It cannot be read.</exception>
    public byte[] Read(int index) => read(index);

    /// <summary>Closes the tar.</summary>
    public void Dispose() => handle?.Dispose();

    private static PhotoSet OfFolder(string path)
    {
        string[] names;
        try
        {
            names = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(path, file).Replace(Path.DirectorySeparatorChar, '/'))
                .Where(PersonLayout.IsPicture)
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be listed: {e.Message}", e);
        }

        return names.Length > 0
            ? new PhotoSet(path, names, index => ReadFile(Path.Combine(path, names[index])))
            : throw new UniFaceException($"{path} holds no pictures (jpg, jpeg, png, webp, bmp), at any depth.");
    }

    private static PhotoSet OfTar(string path)
    {
        FileSegment tar = FileSegment.Open(path, out SafeFileHandle handle);
        try
        {
            TarFile[] files = [.. TarIndex.Read(tar).Where(file => PersonLayout.IsPicture(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal)];
            if (files.Length == 0)
            {
                throw new UniFaceException($"{path} holds no pictures (jpg, jpeg, png, webp, bmp).");
            }

            byte[] ReadEntry(int index)
            {
                if (files[index].Length > FileSegment.LargestItem)
                {
                    throw new UniFaceException($"{path}: {files[index].Name} has {files[index].Length} bytes, more than a picture may have.");
                }

                byte[] bytes = new byte[files[index].Length];
                tar.Read(files[index].Offset, bytes, files[index].Name);
                return bytes;
            }

            return new PhotoSet(path, [.. files.Select(file => file.Name)], ReadEntry, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            FileInfo file = new(path);
            return file.Length <= FileSegment.LargestItem
                ? File.ReadAllBytes(path)
                : throw new UniFaceException($"{path} has {file.Length} bytes, more than a picture may have.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
