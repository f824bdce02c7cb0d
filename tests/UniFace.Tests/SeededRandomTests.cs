using CsCheck;

namespace UniFace.Tests;

/// <summary>Random numbers are the same everywhere, uniform, and independent between streams and positions.</summary>
public class SeededRandomTests
{
    [Fact]
    public void The_first_numbers_are_those_of_xoshiro256_starstar_seeded_by_splitmix64()
    {
        // Computed apart, with Python integers modulo 2^64, from the published definitions: the keys seed, position
        // and stream give the state mix(state + golden) ^ key.
        SeededRandom random = new(2026, (RandomStream)7, -3);
        Assert.Equal([0x8631140A80C97C6DUL, 0x9BA0FA283CCD6827UL, 0xFCEF7E91A994E3A8UL], new[] { random.NextBits(), random.NextBits(), random.NextBits() });
    }

    [Fact]
    public void Another_seed_stream_or_position_gives_other_numbers()
    {
        SeededRandom[] all =
        [
            new(0), new(1), new(0, RandomStream.Dropout), new(1, RandomStream.Dropout), new(0, RandomStream.Bootstrap), new(0, RandomStream.Dropout, 0),
            new(0, RandomStream.Dropout, 1), new(0, RandomStream.Dropout, 0, 0), new(0, RandomStream.Dropout, 0, 1), new(0, RandomStream.Dropout, 1, 0),
        ];
        ulong[] firsts = [.. all.Select(random => random.NextBits())];
        Assert.Equal(firsts.Length, firsts.Distinct().Count());
    }

    [Fact]
    public void Numbers_stay_below_their_limit_and_each_is_equally_likely()
    {
        Gen.Select(Gen.Long, Gen.Int[1, int.MaxValue]).Sample((seed, limit) => Assert.InRange(new SeededRandom(seed).Next(limit), 0, limit - 1));
        SeededRandom random = new(3);
        int[] seen = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            seen[random.Next(7)]++;
        }

        Assert.All(seen, count => Assert.InRange(count, 10_000 - 463, 10_000 + 463)); // 5 deviations
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(0));
    }

    [Fact]
    public void Doubles_lie_in_0_to_1_with_the_moments_of_the_uniform_distribution()
    {
        SeededRandom random = new(4);
        double[] values = [.. Enumerable.Range(0, 100_000).Select(_ => random.NextDouble())];
        Assert.All(values, value => Assert.InRange(value, 0, 1 - 1e-16));
        Assert.Equal(0.5, values.Average(), 0.005);
        Assert.Equal(1 / 12.0, values.Average(value => (value - 0.5) * (value - 0.5)), 0.001);
    }
}
