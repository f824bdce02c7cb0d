namespace UniFace.Packages;

/// <summary>
/// A set of uniformly distributed 128-bit hashes in ascending order: at most 19 bytes for each of many, without copies of the whole as it grows.
/// </summary>
internal sealed class HashTable128
{
    private const int FirstBits = 8;
    private const int MostBits = 20;
    private const int SplitBits = 2;
    private const int LargestMean = 1024; // hashes in a bucket, of which an addition moves half

    private int bits = FirstBits;
    private UInt128[]?[] buckets = new UInt128[1 << FirstBits][]; // by the first bits, each in ascending order
    private int[] counts = new int[1 << FirstBits];

    /// <summary>Number of hashes.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a hash is in the set.</summary>
    public bool Contains(UInt128 hash) => Bucket(BucketOf(hash)).BinarySearch(hash) >= 0;

    /// <summary>Adds a hash; false if it was there.</summary>
    public bool Add(UInt128 hash)
    {
        if (Count >= LargestMean << bits && bits < MostBits)
        {
            Split();
        }

        int bucket = BucketOf(hash), count = counts[bucket], at = ~Bucket(bucket).BinarySearch(hash);
        if (at < 0)
        {
            return false;
        }

        UInt128[] values = buckets[bucket] ??= new UInt128[1];
        if (count == values.Length)
        {
            Array.Resize(ref values, count + Math.Max(1, count / 8));
            buckets[bucket] = values;
        }

        Array.Copy(values, at, values, at + 1, count - at);
        values[at] = hash;
        counts[bucket]++;
        Count++;
        return true;
    }

    /// <summary>Passes all hashes in ascending order, in blocks.</summary>
    public void ForEachBlock(Action<ReadOnlySpan<UInt128>> use)
    {
        for (int bucket = 0; bucket < buckets.Length; bucket++)
        {
            if (counts[bucket] > 0)
            {
                use(Bucket(bucket));
            }
        }
    }

    /// <summary>Removes all hashes.</summary>
    public void Clear()
    {
        bits = FirstBits;
        buckets = new UInt128[1 << bits][];
        counts = new int[1 << bits];
        Count = 0;
    }

    /// <summary>Divides the buckets, one after the other.</summary>
    private void Split()
    {
        UInt128[]?[] before = buckets;
        int[] countsBefore = counts;
        bits += SplitBits;
        buckets = new UInt128[1 << bits][];
        counts = new int[1 << bits];
        for (int old = 0; old < before.Length; old++)
        {
            ReadOnlySpan<UInt128> rest = before[old].AsSpan(0, countsBefore[old]);
            while (rest.Length > 0)
            {
                int bucket = BucketOf(rest[0]), count = 1;
                while (count < rest.Length && BucketOf(rest[count]) == bucket)
                {
                    count++;
                }

                buckets[bucket] = rest[..count].ToArray();
                counts[bucket] = count;
                rest = rest[count..];
            }

            before[old] = null;
        }
    }

    private int BucketOf(UInt128 hash) => (int)(hash >> (128 - bits));

    private ReadOnlySpan<UInt128> Bucket(int bucket) => buckets[bucket].AsSpan(0, counts[bucket]);
}
