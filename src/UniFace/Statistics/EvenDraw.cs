namespace UniFace.Statistics;

/// <summary>Draws <c>wanted</c> of <c>total</c> indices in ascending order: one at random from each of <c>wanted</c> equal intervals.</summary>
internal struct EvenDraw
{
    private readonly double interval;
    private readonly long wanted;
    private readonly SeededRandom random;
    private long taken;

    public EvenDraw(long total, long wanted, long seed)
    {
        interval = total / (double)wanted;
        this.wanted = wanted;
        random = new SeededRandom(seed);
        Current = Pick();
    }

    /// <summary>The next drawn index; <see cref="long.MaxValue"/> at the end.</summary>
    public long Current { get; private set; }

    public long Advance()
    {
        long before = Current;
        taken++;
        Current = taken < wanted ? Math.Max(before + 1, Pick()) : long.MaxValue;
        return Current;
    }

    /// <summary>Whether an index is drawn; called for each index in order.</summary>
    public bool Takes(long index)
    {
        if (index != Current)
        {
            return false;
        }

        Advance();
        return true;
    }

    private long Pick() => interval <= 1 ? taken : (long)((taken + random.NextDouble()) * interval);
}
