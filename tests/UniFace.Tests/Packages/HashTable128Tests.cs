using UniFace.Packages;

namespace UniFace.Tests.Packages;

/// <summary>A table of hashes is a sorted set.</summary>
public class HashTable128Tests
{
    [Theory]
    [InlineData(2000, 12)] // few values, again and again
    [InlineData(400_000, 128)] // beyond the division of the buckets
    public void It_is_a_sorted_set(int additions, int bits)
    {
        Random random = new(3);
        SortedSet<UInt128> expected = [];
        HashTable128 table = new();
        for (int i = 0; i < additions; i++)
        {
            UInt128 hash = Draw(random) << (128 - bits);
            Assert.Equal(expected.Contains(hash), table.Contains(hash));
            Assert.Equal(expected.Add(hash), table.Add(hash));
        }

        Assert.Equal(expected, List(table));
        Assert.Equal(expected.Count, table.Count);
        Assert.DoesNotContain(Enumerable.Range(0, 100).Select(_ => Draw(random)), hash => table.Contains(hash) != expected.Contains(hash));
        table.Clear();
        Assert.Equal((0, false), (table.Count, table.Contains(expected.Min)));
        Assert.True(table.Add(expected.Max));
        Assert.Equal([expected.Max], List(table));
    }

    private static UInt128 Draw(Random random) => new((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64());

    private static List<UInt128> List(HashTable128 table)
    {
        List<UInt128> list = [];
        table.ForEachBlock(block => list.AddRange(block));
        return list;
    }
}
