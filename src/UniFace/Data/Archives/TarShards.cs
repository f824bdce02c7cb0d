namespace UniFace.Data.Archives;

/// <summary>The tars of a folder as one archive: a set that was written in shards. A person may be in several.</summary>
internal sealed class TarShards : PhotoArchive
{
    private readonly List<TarArchive> shards = [];

    private TarShards(string folder, IReadOnlyList<string> parts)
    {
        Parts = parts;
        try
        {
            List<ArchiveFile> files = [];
            Dictionary<string, int> shardOf = [];
            foreach ((int part, string path) in parts.Index())
            {
                TarArchive shard = TarArchive.Open(path);
                shards.Add(shard);
                foreach (ArchiveFile file in shard.Files)
                {
                    if (!shardOf.TryAdd(file.Name, part))
                    {
                        throw new UniFaceException(
                            $"{folder}: {file.Name} is in {Path.GetFileName(parts[shardOf[file.Name]])} and in {Path.GetFileName(path)}; " +
                            "expected each image in one shard: leave one of the two out");
                    }

                    files.Add(file with { Part = part });
                }
            }

            Files = files;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override IReadOnlyList<ArchiveFile> Files { get; }

    public override IReadOnlyList<string> Parts { get; }

    /// <summary>The shards of a folder that holds tars and neither folders nor images: their paths in ordinal order; empty otherwise.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="isOther">Whether a file is what another kind of set holds, such as an image.</param>
    public static string[] Find(string folder, Func<string, bool> isOther)
    {
        List<string> shards = [];
        foreach (string path in Directory.EnumerateFileSystemEntries(folder).Where(path => !Path.GetFileName(path).StartsWith('.')))
        {
            if (Directory.Exists(path) || isOther(path))
            {
                return [];
            }

            if (path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase))
            {
                shards.Add(path);
            }
        }

        return [.. shards.Order(StringComparer.Ordinal)];
    }

    /// <summary>Opens shards.</summary>
    /// <exception cref="UniFaceException">One is not a tar or is damaged, or two hold a file of one name.</exception>
    public static TarShards Open(string folder, IReadOnlyList<string> parts) => new(folder, parts);

    public override byte[] Read(ArchiveFile file, long limit = long.MaxValue) => shards[file.Part].Read(file, limit);

    public override void Dispose() => shards.ForEach(shard => shard.Dispose());
}
