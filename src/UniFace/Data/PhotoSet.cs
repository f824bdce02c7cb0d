namespace UniFace.Data;

/// <summary>
/// Images by name at any depth: one file, a folder, a tar, tgz or zip. Unlike a data set it has no people. Names are in ordinal order.
/// Thread-safe.
/// </summary>
internal sealed class PhotoSet : IDisposable
{
    private readonly Func<int, byte[]> read;
    private readonly Func<int, long>? sizeOf;
    private readonly ImageListing? listing;
    private readonly PhotoArchive? archive;

    private PhotoSet(
        string source,
        IReadOnlyList<string> names,
        Func<int, byte[]> read,
        Func<int, long>? sizeOf = null,
        ImageListing? listing = null,
        PhotoArchive? archive = null)
    {
        this.sizeOf = sizeOf;
        Source = source;
        Names = names;
        this.read = read;
        this.listing = listing;
        this.archive = archive;
    }

    /// <summary>The path that was opened.</summary>
    public string Source { get; }

    /// <summary>Where the images are in the archive; empty without one.</summary>
    internal ArchiveFile[] ArchiveFiles { get; private init; } = [];

    /// <summary>The archive that holds the images, or null.</summary>
    internal PhotoArchive? Archive => archive;

    /// <summary>Names of the images, relative to the source, '/' between parts ("Ann/1.jpg").</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Files beside the images that are not used, and why.</summary>
    public IReadOnlyList<SkippedFile> Skipped => listing?.Skipped ?? [];

    /// <summary>Number of hidden files, texts and reports beside the images, which are ignored.</summary>
    public int IgnoredFiles => listing?.Ignored ?? 0;

    /// <summary>A set of one photo that has been read.</summary>
    /// <param name="name">Names it in results and errors.</param>
    /// <param name="photo">Its bytes.</param>
    public static PhotoSet FromPhoto(string name, byte[] photo) => new(name, [name], _ => photo);

    /// <summary>Opens an image, or a folder or archive of images at any depth.</summary>
    /// <exception cref="UniFaceException">The path does not exist, contains no image, or the archive is damaged.</exception>
    public static PhotoSet Open(string path)
    {
        if (!Path.Exists(path))
        {
            throw new UniFaceException($"{path}: no such file or folder; expected a photo, a folder of photos, or a tar, tgz or zip of them");
        }

        PhotoSet photos = Directory.Exists(path) ? OpenFolder(path)
            : PhotoArchive.TryOpen(path) is PhotoArchive archive ? OpenArchive(path, archive)
            : new PhotoSet(path, [Path.GetFileName(path)], _ => ReadPhoto(path));
        if (photos.listing is null && ImageFormat.Detect(FileHeader.Read(path)) == ImageFormat.Archive)
        {
            throw new UniFaceException(
                $"{path} is {ImageFormat.Archive.Description}; photos are read from a folder, tar, tgz or zip, so unpack it first");
        }

        if (photos.Names.Count == 0)
        {
            photos.Dispose();
            string skipped = photos.Skipped.Count > 0 ? $"; {SkippedFile.Describe(photos.Skipped)}" : "";
            throw new UniFaceException($"{path} contains no images ({ImageFormat.Expected}), at any depth{skipped}");
        }

        return photos;
    }

    /// <summary>The images in a folder; may be empty.</summary>
    internal static PhotoSet OpenFolder(string path)
    {
        ImageListing listing = ImageListing.FromFolder(path);
        return new PhotoSet(
            path,
            listing.Images,
            index => ReadFile(Path.Combine(path, listing.Images[index])),
            index => SizeOfFile(Path.Combine(path, listing.Images[index])),
            listing);
    }

    /// <summary>The images in an archive; may be empty. Takes ownership of the archive.</summary>
    internal static PhotoSet OpenArchive(string path, PhotoArchive archive)
    {
        ImageListing listing = ImageListing.FromArchive(archive);
        Dictionary<string, ArchiveFile> byName = archive.Files.ToDictionary(file => file.Name);
        ArchiveFile[] files = [.. listing.Images.Select(name => byName[name])];
        return new PhotoSet(path, listing.Images, index => archive.Read(files[index]), index => files[index].Length, listing, archive)
        {
            ArchiveFiles = files,
        };
    }

    /// <summary>The bytes of one photo.</summary>
    /// <exception cref="UniFaceException">It cannot be read, is empty, or is larger than a photo may be.</exception>
    public static byte[] ReadPhoto(string path) => RequireContent(ReadAll(path), path);

    /// <summary>The bytes of one photo, up to the end of a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="name">Names it in errors.</param>
    /// <exception cref="UniFaceException">It cannot be read, is empty, or is larger than a photo may be.</exception>
    public static byte[] ReadPhoto(Stream stream, string name) => RequireContent(ReadToEnd(stream, name), name);

    /// <inheritdoc cref="ReadPhoto(Stream, string)"/>
    public static async Task<byte[]> ReadPhotoAsync(Stream stream, string name, CancellationToken cancellationToken)
    {
        try
        {
            RequireSize(Remaining(stream), name);
            byte[] photo = await stream.ReadUpToAsync(FileSegment.MaxItemBytes + 1L, cancellationToken).ConfigureAwait(false);
            RequireSize(photo.Length, name);
            return RequireContent(photo, name);
        }
        catch (IOException e)
        {
            throw Unreadable(name, e);
        }
    }

    /// <summary>The bytes of a file in a set; empty for a file without length, such as a pipe, which could block.</summary>
    /// <exception cref="UniFaceException">It cannot be read, or is larger than a photo may be.</exception>
    internal static byte[] ReadFile(string path) => new FileInfo(path) is { Exists: true, Length: 0 } ? [] : ReadAll(path);

    /// <summary>The person of each image by the folder that holds it, as in a data set, but without guessing.</summary>
    /// <param name="personLevel">Which folder of an image's path is the person, from 1; null: PERSON/IMAGE is expected.</param>
    /// <exception cref="UniFaceException">An image lies deeper, or beside the people's folders; the message names it.</exception>
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
            if (RealPath.FindContaining(folders, target) is string folder)
            {
                throw Overlap(target, RealPath.AreSame(folder, target) ? "is the folder of the photos" : $"lies in the folder of the photos, {folder}");
            }
        }

        foreach (string folder in folders)
        {
            if (RealPath.FindContaining(targets, folder) is string target)
            {
                throw Overlap(target, $"contains the folder of the photos, {folder}");
            }
        }

        static UniFaceException Overlap(string target, string how) =>
            new($"{target} {how}: photos could be replaced, or results be taken for photos; name a folder elsewhere");
    }

    /// <summary>The encoded bytes of an image.</summary>
    /// <param name="index">Index into <see cref="Names"/>.</param>
    /// <exception cref="UniFaceException">It cannot be read, or is empty.</exception>
    public byte[] Read(int index) => RequireContent(read(index), listing is null ? Source : Path.Combine(Source, Names[index]));

    /// <summary>The encoded bytes of an image; empty for an empty file.</summary>
    internal byte[] ReadOrEmpty(int index) => read(index);

    /// <summary>The number of encoded bytes of an image; a file or an archive knows it without reading.</summary>
    internal long SizeOf(int index) => sizeOf?.Invoke(index) ?? read(index).Length;

    /// <summary>The length of a file; 0 for a pipe.</summary>
    /// <exception cref="UniFaceException">It does not exist or cannot be examined.</exception>
    internal static long SizeOfFile(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Closes the archive.</summary>
    public void Dispose() => archive?.Dispose();

    private static byte[] RequireContent(byte[] photo, string name) =>
        photo.Length > 0 ? photo : throw new UniFaceException($"{name} is empty; expected a photo ({ImageFormat.Expected})");

    private static byte[] ReadAll(string path)
    {
        try
        {
            using Stream stream = File.OpenRead(path);
            return ReadToEnd(stream, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UniFaceException($"{path}: no such file; expected a photo ({ImageFormat.Expected})", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    private static byte[] ReadToEnd(Stream stream, string name)
    {
        try
        {
            RequireSize(Remaining(stream), name);
            byte[] photo = stream.ReadUpTo(FileSegment.MaxItemBytes + 1L);
            RequireSize(photo.Length, name);
            return photo;
        }
        catch (IOException e)
        {
            throw Unreadable(name, e);
        }
    }

    private static long Remaining(Stream stream) => stream.CanSeek ? stream.Length - stream.Position : 0;

    private static void RequireSize(long bytes, string name)
    {
        if (bytes > FileSegment.MaxItemBytes)
        {
            throw new UniFaceException($"{name} has more than {FileSegment.MaxItemBytes} bytes, more than a photo may have");
        }
    }

    private static UniFaceException Unreadable(string name, Exception e) => new($"{name} cannot be read: {e.Message}", e);
}
