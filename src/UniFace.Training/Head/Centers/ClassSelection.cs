namespace UniFace.Training.Head.Centers;

/// <summary>
/// The classes that one step uses, in ascending order: all, or the classes of the step's labels and a uniform sample of the others.
/// <see cref="Tiles"/> can be enumerated repeatedly with the same result, and needs no memory in proportion to the number of classes
/// (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S). Of sharded centers, every process makes the same choice, and its tiles have the
/// classes of its shard, counted from the first of them.
/// </summary>
internal sealed class ClassSelection
{
    private readonly int classes;
    private readonly ShardRange shard;
    private readonly int[] positives = [];
    private readonly ulong seed;

    /// <summary>Selects all classes.</summary>
    public ClassSelection(int classes, ShardRange? shard = null)
    {
        this.classes = classes;
        this.shard = shard ?? new ShardRange(0, classes);
        Count = classes;
        All = true;
    }

    /// <summary>Selects the classes of the labels and random others until there are <paramref name="count"/>.</summary>
    public ClassSelection(int classes, ShardRange shard, IEnumerable<long> labels, int count, ulong seed)
    {
        this.classes = classes;
        this.shard = shard;
        this.seed = seed;
        positives = [.. labels.Distinct().Order().Select(l => (int)l)];
        Count = Math.Max(count, positives.Length);
    }

    /// <summary>True if every class is used.</summary>
    public bool All { get; }

    /// <summary>R, the number of classes used.</summary>
    public int Count { get; }

    /// <summary>Enumerates the classes in tiles.</summary>
    /// <param name="labels">The labels of the current batch, each of them among the selected classes.</param>
    /// <param name="size">Classes per tile; the last tile may have fewer.</param>
    public IEnumerable<ClassTile> Tiles(long[] labels, int size)
    {
        int[] order = [.. Enumerable.Range(0, labels.Length).Where(i => labels[i] >= shard.First && labels[i] < shard.End).OrderBy(i => labels[i])];
        int next = 0;
        foreach ((int start, long[]? ids, int count) in All ? Ranges(size) : Sample(size))
        {
            List<(int Sample, int Column)> targets = [];
            for (; next < order.Length; next++)
            {
                long label = labels[order[next]] - shard.First;
                int column = ids is null ? (int)(label - start) : Array.BinarySearch(ids, 0, count, label);
                if (column < 0 || column >= count)
                {
                    break;
                }

                targets.Add((order[next], column));
            }

            yield return new ClassTile(start, ids, count, targets);
        }
    }

    private IEnumerable<(int Start, long[]? Ids, int Count)> Ranges(int size)
    {
        for (int start = 0; start < shard.Count; start += size)
        {
            yield return (start, null, Math.Min(size, shard.Count - start));
        }
    }

    private IEnumerable<(int Start, long[]? Ids, int Count)> Sample(int size)
    {
        SeededRandom random = new((long)seed);
        int wanted = Count - positives.Length;
        int remaining = classes - positives.Length;
        int positive = 0;
        int count = 0;
        long[] ids = new long[Math.Min(size, Count)];
        for (int c = 0; c < shard.End; c++)
        {
            if (positive < positives.Length && positives[positive] == c)
            {
                positive++;
            }
            else if (random.NextDouble() * remaining-- < wanted)
            {
                wanted--;
            }
            else
            {
                continue;
            }

            if (c < shard.First)
            {
                continue;
            }

            ids[count++] = c - shard.First;
            if (count == ids.Length)
            {
                yield return ((int)ids[0], ids, count);
                count = 0;
            }
        }

        if (count > 0)
        {
            yield return ((int)ids[0], ids[..count], count);
        }
    }
}
