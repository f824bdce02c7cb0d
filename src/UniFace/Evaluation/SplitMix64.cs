namespace UniFace.Evaluation;

/// <summary>A small seeded generator (Steele, Lea and Flood's SplitMix64): the same numbers on every machine and in every thread order.</summary>
internal struct SplitMix64(ulong state)
{
    private ulong state = state;

    /// <summary>A generator for one part of a seeded whole, independent of how many parts there are.</summary>
    public static SplitMix64 Of(long seed, long part) => new(Mix((ulong)seed + 0x9E3779B97F4A7C15UL) ^ Mix((ulong)part * 0xD1342543DE82EF95UL + 1));

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        state += 0x9E3779B97F4A7C15UL;
        return Mix(state);
    }

    /// <summary>A whole number in [0, <paramref name="bound"/>); its bias is below 2^-32 for bounds below 2^32.</summary>
    public int Next(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>Scrambles 64 bits.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
