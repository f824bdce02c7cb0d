namespace UniFace.Training;

/// <summary>Seeds for the parts of a run, all from the run's one seed.</summary>
internal static class Seeds
{
    /// <summary>A seed for a place, e.g. (step, batch); different places give unrelated seeds (SplitMix64).</summary>
    public static long Mix(long seed, long a, long b)
    {
        ulong mixed = Round(Round(Round((ulong)seed) ^ (ulong)a) ^ (ulong)b);
        return (long)(mixed >> 1);
    }

    private static ulong Round(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
