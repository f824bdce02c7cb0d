namespace UniFace.Training.Losses;

/// <summary>
/// The classes that one step uses, in ascending order: all, or every class of the step's labels and a uniform sample of the others.
/// A function of its seed: <see cref="Tiles"/> can be walked as often as wanted and always gives the same, and it keeps nothing
/// whose size depends on the number of classes (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S).
/// </summary>
public sealed class ClassSelection
{
    private readonly int classes;
    private readonly int[] positives;
    private readonly ulong seed;

    /// <summary>All classes.</summary>
    internal ClassSelection(int classes)
    {
        this.classes = classes;
        positives = [];
        Count = classes;
        All = true;
    }

    /// <summary>The classes of the labels, and others until there are <paramref name="count"/>.</summary>
    internal ClassSelection(int classes, IEnumerable<long> labels, int count, ulong seed)
    {
        this.classes = classes;
        this.seed = seed;
        positives = [.. labels.Distinct().Order().Select(l => (int)l)];
        Count = Math.Max(count, positives.Length);
    }

    /// <summary>True where every class is used.</summary>
    public bool All { get; }

    /// <summary>R, the number of classes used.</summary>
    public int Count { get; }

    /// <summary>Walks the classes, <paramref name="size"/> at a time.</summary>
    /// <param name="labels">The labels of the batch at hand, each of them one of the classes used.</param>
    /// <param name="size">Classes a tile; the last one has what is left.</param>
    internal IEnumerable<ClassTile> Tiles(long[] labels, int size)
    {
        int[] order = [.. Enumerable.Range(0, labels.Length).OrderBy(i => labels[i])];
        int next = 0;
        foreach ((int start, long[]? ids, int count) in All ? Ranges(size) : Draws(size))
        {
            List<(int Sample, int Column)> targets = [];
            for (; next < order.Length; next++)
            {
                long label = labels[order[next]];
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
        for (int start = 0; start < classes; start += size)
        {
            yield return (start, null, Math.Min(size, classes - start));
        }
    }

    private IEnumerable<(int Start, long[]? Ids, int Count)> Draws(int size)
    {
        SeededRandom random = new((long)seed);
        int wanted = Count - positives.Length;
        int left = classes - positives.Length;
        int positive = 0;
        int count = 0;
        long[] ids = new long[Math.Min(size, Count)];
        for (int c = 0; c < classes; c++)
        {
            bool own = positive < positives.Length && positives[positive] == c;
            if (own)
            {
                positive++;
            }
            else
            {
                bool drawn = random.NextDouble() * left < wanted;
                left--;
                if (!drawn)
                {
                    continue;
                }

                wanted--;
            }

            ids[count++] = c;
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
