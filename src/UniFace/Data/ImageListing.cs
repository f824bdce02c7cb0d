using System.IO.Enumeration;

namespace UniFace.Data;

/// <summary>
/// The images of a folder or archive. Every other file is listed with the reason why it is skipped, except files that are clearly not
/// photos (hidden files, reports, texts), which are only counted. A file with the extension of an image is an image; other files are
/// recognized by their first bytes. Links are followed, but no file or folder is listed twice.
/// </summary>
internal sealed class ImageListing
{
    private static readonly HashSet<string> ImageExtensions =
        new(StringComparer.OrdinalIgnoreCase) { ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".gif" };

    private static readonly HashSet<string> SidecarExtensions =
        new(StringComparer.OrdinalIgnoreCase) { ".txt", ".json", ".csv", ".xml", ".xmp", ".aae", ".md", ".html", ".log", ".ini", ".db", ".lnk", ".url" };

    private const string NotUtf8 = "its name is not valid UTF-8; rename it, e.g. with convmv -f latin1 -t utf8";

    private readonly List<string> images = [];
    private readonly List<SkippedFile> skipped = [];
    private readonly HashSet<string> linkedFolders = [];

    private ImageListing()
    {
    }

    /// <summary>Paths of the images, relative to the set, '/' between parts, in ordinal order.</summary>
    public IReadOnlyList<string> Images => images;

    /// <summary>Other files that were found and are not used, in ordinal order.</summary>
    public IReadOnlyList<SkippedFile> Skipped => skipped;

    /// <summary>Number of hidden files, reports and texts.</summary>
    public int Ignored { get; private set; }

    /// <summary>Real paths of the folders outside the set that links in it point to.</summary>
    public IReadOnlyCollection<string> LinkedFolders => linkedFolders;

    /// <summary>Lists a folder at any depth; opens only files with an unknown extension.</summary>
    /// <exception cref="UniFaceException">A folder cannot be listed.</exception>
    public static ImageListing FromFolder(string path)
    {
        ImageListing listing = new();
        try
        {
            listing.Walk(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be listed: {e.Message}", e);
        }

        return listing.Sorted();
    }

    /// <summary>Lists the files of an archive.</summary>
    public static ImageListing FromArchive(PhotoArchive archive)
    {
        ImageListing listing = new();
        foreach (ArchiveFile file in archive.Files)
        {
            if (IsHidden(file.Name))
            {
                listing.Ignored++;
            }
            else if (file.Name.Contains('\uFFFD'))
            {
                listing.skipped.Add(new(file.Name, NotUtf8));
            }
            else
            {
                listing.Add(file.Name, () => archive.Read(file, ImageFormat.HeaderBytes));
            }
        }

        return listing.Sorted();
    }

    /// <summary>Whether a name has the extension of an image.</summary>
    public static bool IsImageName(string name) => ImageExtensions.Contains(Path.GetExtension(name));

    private static bool IsHidden(string path) => path.Split('/').Any(part => part.StartsWith('.') || part is "__MACOSX" or "@eaDir");

    private static FileSystemEnumerable<(string Name, bool IsFolder, bool IsLink)> Entries(string folder) => new(
        folder,
        (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory, entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
        new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false });

    /// <summary>Real folders first, then linked ones, so that a folder is listed under its own name.</summary>
    private void Walk(string path)
    {
        string root = RealPath.Resolve(path);
        HashSet<string> inside = RealPath.ResolveAll([root]);
        HashSet<string> listed = [];
        List<(string Name, string Real)> linkedFiles = [];
        Stack<(string Name, string Real)> folders = new([("", root)]);
        SortedDictionary<string, string> links = new(StringComparer.Ordinal); // of folders
        while (folders.Count > 0 || links.Count > 0)
        {
            bool isLinked = !folders.TryPop(out (string Name, string Real) at);
            if (isLinked)
            {
                (at.Name, at.Real) = links.First();
                links.Remove(at.Name);
            }

            if (!listed.Add(at.Real))
            {
                skipped.Add(new(at.Name, "a link to a folder that is already listed"));
                continue;
            }

            if (isLinked && RealPath.FindContaining(inside, at.Real) is null)
            {
                linkedFolders.Add(at.Real);
            }

            foreach ((string name, bool isFolder, bool isLink) in Entries(at.Real))
            {
                string relative = at.Name.Length == 0 ? name : $"{at.Name}/{name}", full = Path.Combine(at.Real, name);
                if (IsHidden(name))
                {
                    Ignored++;
                }
                else if (name.Contains('\uFFFD') && !Path.Exists(full))
                {
                    skipped.Add(new(relative, NotUtf8));
                }
                else if (isLink)
                {
                    string real = RealPath.Resolve(full);
                    if (isFolder)
                    {
                        links.Add(relative, real);
                    }
                    else
                    {
                        linkedFiles.Add((relative, real));
                    }
                }
                else if (isFolder)
                {
                    folders.Push((relative, full));
                }
                else
                {
                    Add(relative, () => FileHeader.Read(full));
                }
            }
        }

        HashSet<string> linked = [];
        foreach ((string name, string real) in linkedFiles.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            if (!File.Exists(real))
            {
                skipped.Add(new(name, "a link to a file that does not exist"));
            }
            else if (listed.Contains(Path.GetDirectoryName(real)!) || !linked.Add(real))
            {
                skipped.Add(new(name, "a link to a file that is already listed"));
            }
            else
            {
                linkedFolders.Add(Path.GetDirectoryName(real)!);
                Add(name, () => FileHeader.Read(real));
            }
        }
    }

    private void Add(string name, Func<byte[]> head)
    {
        string extension = Path.GetExtension(name);
        if (SidecarExtensions.Contains(extension) || Path.GetFileName(name) == FaceDatasets.ContactSheet)
        {
            Ignored++;
            return;
        }

        string? reason = null;
        if (!IsImageName(name))
        {
            try
            {
                byte[] start = head();
                ImageFormat format = ImageFormat.Detect(start);
                reason = format.IsRead ? null : start.Length == 0 ? "empty" : format.Description;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or UniFaceException)
            {
                reason = $"cannot be read: {e.Message}";
            }
        }

        if (reason is null)
        {
            images.Add(name);
        }
        else
        {
            skipped.Add(new(name, reason));
        }
    }

    private ImageListing Sorted()
    {
        images.Sort(StringComparer.Ordinal);
        skipped.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return this;
    }
}
