namespace UniFace.Data;

/// <summary>
/// Pictures by name at any depth: one file, a folder, a tar, tgz or zip. Unlike a data set it has no people. Names are in ordinal order.
/// Thread-safe.
/// </summary>
public sealed class PhotoSet : IDisposable
{
    /// <summary>Stands for a photo that is read from standard input.</summary>
    public const string StandardInput = "-";

    private readonly Func<int, byte[]> read;
    private readonly PictureListing? listing;
    private readonly PhotoArchive? archive;

    private PhotoSet(string source, IReadOnlyList<string> names, Func<int, byte[]> read, PictureListing? listing = null, PhotoArchive? archive = null)
    {
        Source = source;
        Names = names;
        this.read = read;
        this.listing = listing;
        this.archive = archive;
    }

    /// <summary>The path that was opened.</summary>
    public string Source { get; }

    /// <summary>Names of the pictures, relative to the source, '/' between parts ("Ann/1.jpg").</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Files beside the pictures that are not used, and why.</summary>
    public IReadOnlyList<LeftOutFile> LeftOut => listing?.LeftOut ?? [];

    /// <summary>Number of hidden files, texts and reports beside the pictures, which are ignored.</summary>
    public int IgnoredFiles => listing?.Ignored ?? 0;

    /// <summary>Opens a picture, a folder or archive of pictures at any depth, or "-", a picture from standard input.</summary>
    /// <exception cref="UniFaceException">The path does not exist, holds no picture, or the archive is damaged.</exception>
    public static PhotoSet Open(string path)
    {
        if (path == StandardInput)
        {
            byte[] photo = ReadPhoto(path);
            return new PhotoSet(path, [path], _ => photo);
        }

        if (!Path.Exists(path))
        {
            throw new UniFaceException(
                $"{path}: no such file or folder; expected a photo, a folder of photos, a tar, tgz or zip of them, or - for standard input.");
        }

        PhotoSet photos = Directory.Exists(path) ? OpenFolder(path)
            : PhotoArchive.TryOpen(path) is PhotoArchive archive ? OpenArchive(path, archive)
            : new PhotoSet(path, [Path.GetFileName(path)], _ => ReadPhoto(path));
        if (photos.listing is null && ImageFormat.Detect(PictureHead.Read(path)) == ImageFormat.Archive)
        {
            throw new UniFaceException(
                $"{path} is {ImageFormat.Archive.Description}; photos are read from a folder, tar, tgz or zip, so unpack it first.");
        }

        if (photos.Names.Count == 0)
        {
            photos.Dispose();
            string left = photos.LeftOut.Count > 0 ? $"; {LeftOutFile.Describe(photos.LeftOut)}" : "";
            throw new UniFaceException($"{path} holds no pictures ({ImageFormat.Expected}), at any depth{left}.");
        }

        return photos;
    }

    /// <summary>The pictures of a folder, maybe none.</summary>
    internal static PhotoSet OpenFolder(string path)
    {
        PictureListing listing = PictureListing.FromFolder(path);
        return new PhotoSet(path, listing.Pictures, index => ReadFile(Path.Combine(path, listing.Pictures[index])), listing);
    }

    /// <summary>The pictures of an archive, maybe none; takes over the archive.</summary>
    internal static PhotoSet OpenArchive(string path, PhotoArchive archive)
    {
        PictureListing listing = PictureListing.FromArchive(archive);
        Dictionary<string, ArchiveFile> byName = archive.Files.ToDictionary(file => file.Name);
        ArchiveFile[] files = [.. listing.Pictures.Select(name => byName[name])];
        return new PhotoSet(path, listing.Pictures, index => archive.Read(files[index]), listing, archive);
    }

    /// <summary>The bytes of one photo: of a file, or of standard input for "-".</summary>
    /// <exception cref="UniFaceException">It cannot be read, is empty, or is larger than a photo may be.</exception>
    public static byte[] ReadPhoto(string path) => RequireContent(ReadAll(path), path);

    /// <summary>The bytes of a file in a set; empty for a file without length, such as a pipe, which could block.</summary>
    /// <exception cref="UniFaceException">It cannot be read, or is larger than a photo may be.</exception>
    internal static byte[] ReadFile(string path) => new FileInfo(path) is { Exists: true, Length: 0 } ? [] : ReadAll(path);

    /// <summary>The person of each picture by the folder that holds it, as in a data set, but without guessing.</summary>
    /// <param name="personLevel">Which folder of a picture's path is the person, from 1; null: PERSON/PICTURE is expected.</param>
    /// <exception cref="UniFaceException">A picture lies deeper, or beside the people's folders; the message names it.</exception>
    public IReadOnlyList<string> PeopleByFolder(int? personLevel = null)
    {
        PersonLayout layout = PersonLayout.Resolve(Source, Names, personLevel, strict: true);
        string[] people = new string[Names.Count];
        for (int i = 0; i < people.Length; i++)
        {
            people[layout.Sources[i]] = layout.People[layout.Samples[i].Label];
        }

        return people;
    }

    /// <summary>
    /// Throws if an output folder is the folder of the photos, lies in it or contains it, with links followed: photos could be replaced, or
    /// results be taken for photos.
    /// </summary>
    /// <exception cref="UniFaceException">An output folder overlaps; the message says how.</exception>
    public void RequireApart(params IEnumerable<string> outputs)
    {
        if (!Directory.Exists(Source))
        {
            return;
        }

        HashSet<string> folders = RealPath.ResolveAll([Source, .. listing!.LinkedFolders]), targets = RealPath.ResolveAll(outputs);
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
    /// <exception cref="UniFaceException">It cannot be read, or is empty.</exception>
    public byte[] Read(int index) => RequireContent(read(index), listing is null ? Source : Path.Combine(Source, Names[index]));

    /// <summary>The encoded bytes of a picture; empty for an empty file.</summary>
    internal byte[] ReadOrEmpty(int index) => read(index);

    /// <summary>Closes the archive.</summary>
    public void Dispose() => archive?.Dispose();

    private static byte[] RequireContent(byte[] photo, string name) =>
        photo.Length > 0 ? photo : throw new UniFaceException($"{name} is empty; expected a photo ({ImageFormat.Expected}).");

    private static byte[] ReadAll(string path)
    {
        try
        {
            using Stream stream = path == StandardInput ? Console.OpenStandardInput() : File.OpenRead(path);
            byte[] photo = stream.ReadUpTo(FileSegment.LargestItem + 1L);
            return photo.Length <= FileSegment.LargestItem
                ? photo
                : throw new UniFaceException($"{path} has more than {FileSegment.LargestItem} bytes, more than a photo may have.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
