namespace UniFace.Training.Losses;

/// <summary>
/// Seeds for draws that depend on nothing but the run's seed, what they are for, and how many were made before:
/// a run that goes on from a checkpoint draws what it would have drawn.
/// </summary>
internal static class SeededRandom
{
    public const ulong CenterStream = 1;
    public const ulong NegativeStream = 2;
    public const ulong MarginStream = 3;
    public const ulong RoundingStream = 4;

    /// <summary>One well mixed seed of three numbers (SplitMix64's finaliser).</summary>
    public static ulong Mix(long seed, ulong stream, long step)
    {
        ulong mixed = Finish((ulong)seed + 0x9E3779B97F4A7C15UL * (stream + 1));
        return Finish(mixed + 0x9E3779B97F4A7C15UL * ((ulong)step + 1));
    }

    /// <summary>The next state of a SplitMix64 stream, and its draw in [0, 1).</summary>
    public static ulong Next(ulong state, out double draw)
    {
        state += 0x9E3779B97F4A7C15UL;
        draw = (Finish(state) >> 11) * (1.0 / (1UL << 53));
        return state;
    }

    private static ulong Finish(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
