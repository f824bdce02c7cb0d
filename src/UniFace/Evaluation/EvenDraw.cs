namespace UniFace.Evaluation;

/// <summary>Draws <c>wanted</c> of <c>total</c> indices, rising: one at random from each of as many equal stretches.</summary>
internal struct EvenDraw
{
    private readonly double stretch;
    private readonly long wanted;
    private readonly SeededRandom random;
    private long taken;

    public EvenDraw(long total, long wanted, long seed)
    {
        stretch = total / (double)wanted;
        this.wanted = wanted;
        random = new SeededRandom(seed);
        Current = Pick();
    }

    /// <summary>The next drawn index; past all where there is none.</summary>
    public long Current { get; private set; }

    public long Advance()
    {
        long before = Current;
        taken++;
        Current = taken < wanted ? Math.Max(before + 1, Pick()) : long.MaxValue;
        return Current;
    }

    /// <summary>For indices that rise by one: is this one drawn?</summary>
    public bool Takes(long index)
    {
        if (index != Current)
        {
            return false;
        }

        Advance();
        return true;
    }

    private long Pick() => stretch <= 1 ? taken : (long)((taken + random.NextDouble()) * stretch);
}
