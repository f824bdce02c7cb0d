namespace UniFace.Training.Checkpoints;

/// <summary>
/// The tensors of a checkpoint that have rows for each class, of which this process takes those of its shard: from the checkpoint itself if one
/// process wrote it, else from the parts of the ranks that wrote it, whose number may differ.
/// </summary>
internal sealed class ShardedTensors : IDisposable
{
    private readonly List<(SafeTensorsFile File, ShardRange Classes)> sources = [];
    private readonly int classes;
    private readonly ShardRange shard;
    private readonly string path;

    private ShardedTensors(string path, int classes, ShardRange shard) => (this.path, this.classes, this.shard) = (path, classes, shard);

    /// <summary>Names of the tensors.</summary>
    public IReadOnlyCollection<string> Names { get; private set; } = [];

    /// <summary>Opens the files that have classes of the shard, after checking their checksums.</summary>
    /// <param name="file">The checkpoint; not disposed.</param>
    /// <param name="runId">The id of the run.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="shard">The classes to read.</param>
    /// <param name="isPerClass">Whether a tensor has rows for each class.</param>
    /// <exception cref="UniFaceException">A part is missing, damaged, or of another run.</exception>
    public static ShardedTensors Open(SafeTensorsFile file, string runId, int classes, ShardRange shard, Func<string, bool> isPerClass)
    {
        ShardedTensors result = new(file.Path, classes, shard);
        try
        {
            IReadOnlyList<CheckpointPart> parts = CheckpointParts.Parse(file.Path, file.Metadata, classes);
            if (parts.Count == 0)
            {
                result.sources.Add((file, new ShardRange(0, classes)));
            }

            foreach (CheckpointPart part in parts.Where(part => part.First < shard.End && part.First + part.Count > shard.First))
            {
                SafeTensorsFile opened = SafeTensorsFile.Open(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path))!, part.File));
                result.sources.Add((opened, new ShardRange(part.First, part.Count)));
                (string, string)[] expected =
                    [("format", CheckpointParts.Format), ("run", runId), ("first", $"{part.First}"), ("count", $"{part.Count}")];
                if (!opened.HasChecksum || expected.Any(e => opened.Metadata.GetValueOrDefault(e.Item1) != e.Item2))
                {
                    throw new UniFaceException($"{opened.Path} is not the part of {file.Path} with classes {part.First} to {part.First + part.Count - 1}.");
                }
            }

            result.Names = [.. result.sources.SelectMany(source => source.File.Entries.Keys).Where(isPerClass).Distinct()];
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Whether a tensor is one of these.</summary>
    public bool Has(string name) => Names.Contains(name);

    /// <summary>The rows of the shard; 0 where a part does not have the tensor. The caller owns them.</summary>
    public Tensor Read(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        (SafeTensorsFile known, ShardRange itsClasses) = sources.First(source => source.File.Entries.ContainsKey(name));
        SafeTensorsEntry entry = known.Entries[name];
        long perClass = entry.Shape.Count == 0 ? 0 : entry.Shape[0] / itsClasses.Count;
        if (perClass == 0 || entry.Shape[0] != perClass * itsClasses.Count)
        {
            throw new UniFaceException(
                $"{known.Path}: '{name}' is [{string.Join(", ", entry.Shape)}], which are not rows of {itsClasses.Count} classes: " +
                "the checkpoint and run.json do not match.");
        }

        Tensor rows = zeros([perClass * shard.Count, .. entry.Shape.Skip(1)], dtype: entry.Type);
        foreach ((SafeTensorsFile file, ShardRange range) in sources.Where(source => source.File.Entries.ContainsKey(name)))
        {
            int first = Math.Max(range.First, shard.First), end = Math.Min(range.End, shard.End);
            file.ReadRows(name, perClass * (first - range.First), rows.narrow(0, perClass * (first - shard.First), perClass * (end - first)));
        }

        return rows.MoveToOuterDisposeScope();
    }

    /// <summary>Closes the parts.</summary>
    public void Dispose()
    {
        foreach ((SafeTensorsFile file, ShardRange _) in sources.Where(source => source.File.Path != path))
        {
            file.Dispose();
        }
    }
}
