using System.IO.Enumeration;

namespace UniFace.Data;

/// <summary>
/// The pictures of a folder or archive. Every other file is listed with the reason why it is left out, except files that are clearly not
/// photos (hidden files, reports, texts), which are only counted. A file with the extension of a picture is a picture; other files are
/// recognised by their first bytes. Links are followed, but no file or folder is listed twice.
/// </summary>
internal sealed class PictureListing
{
    private static readonly HashSet<string> PictureExtensions =
        new(StringComparer.OrdinalIgnoreCase) { ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".gif" };

    private static readonly HashSet<string> SidecarExtensions =
        new(StringComparer.OrdinalIgnoreCase) { ".txt", ".json", ".csv", ".xml", ".xmp", ".aae", ".md", ".html", ".log", ".ini", ".db", ".lnk", ".url" };

    private const string NotUtf8 = "its name is not valid UTF-8; rename it, e.g. with convmv -f latin1 -t utf8";

    private readonly List<string> pictures = [];
    private readonly List<LeftOutFile> leftOut = [];
    private readonly HashSet<string> linkedFolders = [];

    private PictureListing()
    {
    }

    /// <summary>Paths of the pictures, relative to the set, '/' between parts, in ordinal order.</summary>
    public IReadOnlyList<string> Pictures => pictures;

    /// <summary>Other files that were found and are not used, in ordinal order.</summary>
    public IReadOnlyList<LeftOutFile> LeftOut => leftOut;

    /// <summary>Number of hidden files, reports and texts.</summary>
    public int Ignored { get; private set; }

    /// <summary>Real paths of the folders outside the set that links in it point to.</summary>
    public IReadOnlyCollection<string> LinkedFolders => linkedFolders;

    /// <summary>Lists a folder at any depth; opens only files with an unknown extension.</summary>
    /// <exception cref="UniFaceException">A folder cannot be listed.</exception>
    public static PictureListing FromFolder(string path)
    {
        PictureListing listing = new();
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
    public static PictureListing FromArchive(PhotoArchive archive)
    {
        PictureListing listing = new();
        foreach (ArchiveFile file in archive.Files)
        {
            if (IsHidden(file.Name))
            {
                listing.Ignored++;
            }
            else if (file.Name.Contains('\uFFFD'))
            {
                listing.leftOut.Add(new(file.Name, NotUtf8));
            }
            else
            {
                listing.Add(file.Name, () => archive.Read(file, ImageFormat.HeaderBytes));
            }
        }

        return listing.Sorted();
    }

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
                leftOut.Add(new(at.Name, "a link to a folder that is already listed"));
                continue;
            }

            if (isLinked && RealPath.Holding(inside, at.Real) is null)
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
                    leftOut.Add(new(relative, NotUtf8));
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
                    Add(relative, () => PictureHead.Read(full));
                }
            }
        }

        HashSet<string> linked = [];
        foreach ((string name, string real) in linkedFiles.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            if (!File.Exists(real))
            {
                leftOut.Add(new(name, "a link to a file that does not exist"));
            }
            else if (listed.Contains(Path.GetDirectoryName(real)!) || !linked.Add(real))
            {
                leftOut.Add(new(name, "a link to a file that is already listed"));
            }
            else
            {
                linkedFolders.Add(Path.GetDirectoryName(real)!);
                Add(name, () => PictureHead.Read(real));
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
        if (!PictureExtensions.Contains(extension))
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
            pictures.Add(name);
        }
        else
        {
            leftOut.Add(new(name, reason));
        }
    }

    private PictureListing Sorted()
    {
        pictures.Sort(StringComparer.Ordinal);
        leftOut.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return this;
    }
}
