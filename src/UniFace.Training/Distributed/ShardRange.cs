namespace UniFace.Training.Distributed;

/// <summary>A contiguous part of a numbered whole: the classes or the images of one rank.</summary>
/// <param name="First">The first number.</param>
/// <param name="Count">How many.</param>
internal readonly record struct ShardRange(int First, int Count)
{
    /// <summary>The number after the last.</summary>
    public int End => First + Count;

    /// <summary>The part of a rank: parts differ by at most one, and together they are the whole, in the order of the ranks.</summary>
    public static ShardRange Of(int total, int rank, int size)
    {
        int first = (int)((long)total * rank / size);
        return new ShardRange(first, (int)((long)total * (rank + 1) / size) - first);
    }

    /// <summary>The number of members of each rank's part.</summary>
    public static int[] Counts(int total, int size) => [.. Enumerable.Range(0, size).Select(rank => Of(total, rank, size).Count)];
}
