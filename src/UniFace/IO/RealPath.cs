namespace UniFace.IO;

/// <summary>Resolves, names and compares paths, so that commands do not overwrite their input.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    /// <summary>The name of a file or folder, whether its path ends in a separator or in ".".</summary>
    public static string GetName(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    /// <summary>The absolute path with links resolved, without a trailing separator. Parts that do not exist are kept.</summary>
    public static string Resolve(string path)
    {
        string full = Path.GetFullPath(path);
        string real = Path.GetPathRoot(full)!;
        Stack<string> rest = new();
        Push(full[real.Length..]);
        int links = 0;
        while (rest.TryPop(out string? part))
        {
            string next = part == ".." ? Path.GetDirectoryName(real) ?? real : Path.Combine(real, part);
            if (part == ".." || links == MaxLinks || new FileInfo(next).LinkTarget is not string target)
            {
                real = next;
                continue;
            }

            links++;
            string root = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : "";
            real = root.Length > 0 ? root : real;
            Push(target[root.Length..]);
        }

        return Path.TrimEndingDirectorySeparator(real);

        void Push(string parts)
        {
            char[] separators = [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar];
            foreach (string part in parts.Split(separators, StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".").Reverse())
            {
                rest.Push(part);
            }
        }
    }

    /// <summary>Whether two real paths are the same file or folder, also on a case-insensitive file system.</summary>
    public static bool AreSame(string first, string second)
    {
        if (first == second)
        {
            return true;
        }

        if (!first.Equals(second, StringComparison.OrdinalIgnoreCase)
            || Path.GetDirectoryName(first) is not string folder || Path.GetDirectoryName(second) is not string other || !AreSame(folder, other))
        {
            return false;
        }

        // Both exist, but the folder lists only one of them: the file system is case-insensitive.
        string name = Path.GetFileName(first);
        return name == Path.GetFileName(second) || (Path.Exists(first) && Path.Exists(second)
            && Directory.EnumerateFileSystemEntries(folder).Count(entry => name.Equals(Path.GetFileName(entry), StringComparison.OrdinalIgnoreCase)) == 1);
    }

    /// <summary>The folder that a path is or lies in at any depth; null if none. All are real paths.</summary>
    /// <param name="folders">A case-insensitive set.</param>
    /// <param name="path">The path.</param>
    public static string? FindContaining(HashSet<string> folders, string path)
    {
        for (string? at = path; at is not null; at = Path.GetDirectoryName(at))
        {
            if (folders.TryGetValue(at, out string? folder) && AreSame(at, folder))
            {
                return folder;
            }
        }

        return null;
    }

    /// <summary>The real paths of folders, for <see cref="FindContaining"/>.</summary>
    public static HashSet<string> ResolveAll(IEnumerable<string> folders) => new(folders.Select(Resolve), StringComparer.OrdinalIgnoreCase);
}
