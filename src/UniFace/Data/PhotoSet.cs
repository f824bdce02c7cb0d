using Microsoft.Win32.SafeHandles;
using UniFace.Faces;
using UniFace.IO;

namespace UniFace.Data;

/// <summary>
/// Pictures by name, whatever holds them and however deep: one file, a folder, a tar. Unlike a data set it knows nothing
/// of people. Names are in ordinal order; reading is thread-safe.
/// </summary>
public sealed class PhotoSet : IDisposable
{
    /// <summary>Stands for a photo that is read from standard input.</summary>
    public const string StandardInput = "-";

    private readonly Func<int, byte[]> read;
    private readonly PictureListing? listing;
    private readonly SafeFileHandle? handle;

    private PhotoSet(string source, IReadOnlyList<string> names, Func<int, byte[]> read, PictureListing? listing = null, SafeFileHandle? handle = null)
    {
        Source = source;
        Names = names;
        this.read = read;
        this.listing = listing;
        this.handle = handle;
    }

    /// <summary>The path that was opened.</summary>
    public string Source { get; }

    /// <summary>Names of the pictures, relative to the source, '/' between parts ("Ann/1.jpg").</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Files beside the pictures that are not used, and why.</summary>
    public IReadOnlyList<LeftOutFile> LeftOut => listing?.LeftOut ?? [];

    /// <summary>How many hidden files, texts and reports lie beside the pictures; nobody takes them for photos.</summary>
    public int IgnoredFiles => listing?.Ignored ?? 0;

    /// <summary>Opens a picture, a folder of pictures at any depth, a tar of them, or "-", a picture from standard input.</summary>
    /// <exception cref="UniFaceException">There is no such path, it holds no picture, or the tar is damaged.</exception>
    public static PhotoSet Open(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (Directory.Exists(path))
        {
            return OfFolder(path);
        }

        if (path != StandardInput && !File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such file or folder; expected a photo, a folder of photos, a tar of them, or - for standard input.");
        }

        if (path == StandardInput)
        {
            byte[] photo = ReadPhoto(path);
            return new PhotoSet(path, [path], _ => photo);
        }

        ImageFormat format = ImageFormat.Detect(PictureListing.Head(path));
        return format.Name == "tar" || path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase) ? OfTar(path)
            : format.Name is "gzip" or "archive" or "ZIP"
            ? throw new UniFaceException($"{path} is {format.Description}; photos are read from a folder or a tar, so unpack it first.")
            : new PhotoSet(path, [Path.GetFileName(path)], _ => ReadPhoto(path));
    }

    /// <summary>The bytes of one photo: of a file, or of standard input for "-".</summary>
    /// <exception cref="UniFaceException">It cannot be read, or is larger than a photo may be.</exception>
    public static byte[] ReadPhoto(string path)
    {
        try
        {
            using Stream stream = path == StandardInput ? Console.OpenStandardInput() : File.OpenRead(path);
            using MemoryStream photo = new((int)Math.Min(stream.CanSeek ? stream.Length : 0, FileSegment.LargestItem));
            byte[] buffer = new byte[1 << 16];
            for (int count; (count = stream.Read(buffer)) > 0;)
            {
                photo.Write(buffer, 0, count);
                if (photo.Length > FileSegment.LargestItem)
                {
                    throw new UniFaceException($"{path} has more than {FileSegment.LargestItem} bytes, more than a photo may have.");
                }
            }

            return photo.Length > 0 ? photo.Length == photo.Capacity ? photo.GetBuffer() : photo.ToArray()
                : throw new UniFaceException($"{path} is empty; expected a photo ({ImageFormat.Expected}).");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The person of each picture by the folder that holds it, as in a data set, but without guessing.</summary>
    /// <param name="personLevel">Which folder of a picture's path is the person, from 1; null: PERSON/PICTURE is expected.</param>
    /// <exception cref="UniFaceException">A picture lies deeper, or beside the people's folders; says which.</exception>
    public IReadOnlyList<string> PeopleByFolder(int? personLevel = null)
    {
        PersonLayout layout = PersonLayout.Of(Source, Names, personLevel, strict: true);
        string[] people = new string[Names.Count];
        for (int i = 0; i < people.Length; i++)
        {
            people[layout.Sources[i]] = layout.People[layout.Samples[i].Label];
        }

        return people;
    }

    /// <summary>
    /// Refuses folders to be written of which one is the folder of the photos, or lies in it or around it, links followed: photos could be
    /// replaced, or results be taken for photos.
    /// </summary>
    /// <exception cref="UniFaceException">One does; says which and how.</exception>
    public void RequireApart(params IEnumerable<string> outputs)
    {
        if (!Directory.Exists(Source))
        {
            return;
        }

        HashSet<string> folders = RealPath.SetOf([Source, .. listing!.LinkedFolders]), targets = RealPath.SetOf(outputs);
        foreach (string target in targets)
        {
            if (RealPath.Holding(folders, target) is string folder)
            {
                throw Overlap(target, RealPath.Same(folder, target) ? "is the folder of the photos" : $"lies in the folder of the photos, {folder}");
            }
        }

        foreach (string folder in folders)
        {
            if (RealPath.Holding(targets, folder) is string target)
            {
                throw Overlap(target, $"lies around the folder of the photos, {folder}");
            }
        }

        static UniFaceException Overlap(string target, string how) =>
            new($"{target} {how}: photos could be replaced, or results be taken for photos; name a folder elsewhere.");
    }

    /// <summary>The encoded bytes of a picture.</summary>
    /// <param name="index">Index into <see cref="Names"/>.</param>
    /// <exception cref="UniFaceException">It cannot be read.</exception>
    public byte[] Read(int index) => read(index);

    /// <summary>Closes the tar.</summary>
    public void Dispose() => handle?.Dispose();

    private static PhotoSet OfFolder(string path)
    {
        PictureListing listing = PictureListing.OfFolder(path);
        RequirePictures(path, listing);
        return new PhotoSet(path, listing.Pictures, index => ReadOf(Path.Combine(path, listing.Pictures[index])), listing);

        static byte[] ReadOf(string file) => PictureListing.IsEmpty(file)
            ? throw new UniFaceException($"{file} is empty; expected a photo ({ImageFormat.Expected}).")
            : ReadPhoto(file);
    }

    private static PhotoSet OfTar(string path)
    {
        FileSegment tar = FileSegment.Open(path, out SafeFileHandle handle);
        try
        {
            IReadOnlyList<TarFile> all = TarIndex.Read(tar);
            PictureListing listing = PictureListing.OfTar(tar, all);
            RequirePictures(path, listing);
            TarFile[] files = listing.In(all);
            return new PhotoSet(path, listing.Pictures, index => tar.Read(files[index].Offset, files[index].Length, files[index].Name), listing, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static void RequirePictures(string path, PictureListing listing)
    {
        if (listing.Pictures.Count == 0)
        {
            string left = listing.LeftOut.Count > 0 ? $"; {LeftOutFile.Describe(listing.LeftOut)}" : "";
            throw new UniFaceException($"{path} holds no pictures ({ImageFormat.Expected}), at any depth{left}.");
        }
    }
}
