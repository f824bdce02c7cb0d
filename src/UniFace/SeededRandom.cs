using System.Numerics;

namespace UniFace;

/// <summary>
/// Random numbers that are the same on every machine and in every version: xoshiro256** (Blackman and Vigna, 2018), seeded through
/// SplitMix64. A draw is a pure function of its seed, its stream and its position, for example (seed, augmentation, (epoch, image)).
/// </summary>
internal sealed class SeededRandom
{
    private ulong s0;
    private ulong s1;
    private ulong s2;
    private ulong s3;

    /// <summary>A generator for a seed that has no other use.</summary>
    public SeededRandom(long seed)
        : this([seed])
    {
    }

    /// <summary>A generator for one purpose at one position, independent of all others with the same seed.</summary>
    /// <param name="seed">The seed of the run, data set or measurement.</param>
    /// <param name="stream">What is drawn.</param>
    /// <param name="position">Where: for example epoch and image.</param>
    public SeededRandom(long seed, RandomStream stream, params ReadOnlySpan<long> position)
        : this([seed, .. position, (long)stream])
    {
    }

    private SeededRandom(ReadOnlySpan<long> keys)
    {
        ulong state = 0;
        foreach (long key in keys)
        {
            state = Mix(state + 0x9E3779B97F4A7C15) ^ (ulong)key;
        }

        s0 = SplitMix(ref state);
        s1 = SplitMix(ref state);
        s2 = SplitMix(ref state);
        s3 = SplitMix(ref state);
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        ulong result = BitOperations.RotateLeft(s1 * 5, 7) * 9;
        ulong t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = BitOperations.RotateLeft(s3, 45);
        return result;
    }

    /// <summary>A whole number in [0, limit), each equally likely.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is below 1.</exception>
    public int Next(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        // Lemire's method: reject the few products whose low half would favor some numbers.
        uint threshold = unchecked((uint)-limit) % (uint)limit;
        while (true)
        {
            ulong product = (NextBits() >> 32) * (uint)limit;
            if ((uint)product >= threshold)
            {
                return (int)(product >> 32);
            }
        }
    }

    /// <summary>A number in [0, 1), a multiple of 2^-53.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number in [low, high).</summary>
    public double Between(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Brings items into a random order, each order equally likely (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>The finalizer of SplitMix64: a bijection in which every input bit changes about half of the output bits.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>The next number of SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    public static ulong SplitMix(ref ulong state) => Mix(state += 0x9E3779B97F4A7C15);
}
