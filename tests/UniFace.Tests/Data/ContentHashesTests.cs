using System.Security.Cryptography;
using UniFace.Data;
using UniFace.Data.Identity;

namespace UniFace.Tests.Data;

/// <summary>The hash of a set that is read sample by sample, in any order and in several processes, is that of a set read at once.</summary>
public sealed class ContentHashesTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly ListDataset data = new([7, 6]);

    public void Dispose()
    {
        folder.Dispose();
        data.Dispose();
    }

    [Fact]
    public void Committed_hashes_are_continued_and_give_the_hash_of_the_set()
    {
        using (ContentHashes first = Open())
        {
            foreach (int i in (int[])[12, 3, 4, 3])
            {
                first.Add(i, Hash(i));
            }

            first.Commit();
            first.Add(5, Hash(5)); // not committed: as if the process was killed
            Assert.Equal(4, first.Count);
            Assert.Throws<InvalidOperationException>(first.Combine);
        }

        using ContentHashes next = Open();
        Assert.Equal(3, next.Count);
        int read = 0;
        next.ReadMissing(count => Interlocked.Add(ref read, count), TestContext.Current.CancellationToken);
        Assert.Equal(10, read);
        Assert.True(next.IsComplete);
        Assert.Equal(data.ComputeHash(), next.Combine());
    }

    [Fact]
    public void A_sample_that_has_changed_is_refused()
    {
        using ContentHashes hashes = Open();
        hashes.Add(2, Hash(2));
        UniFaceException error = Assert.Throws<UniFaceException>(() => hashes.Add(2, Hash(3)));
        Assert.Contains("list: p0/2 has changed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_other_processes_have_read_gives_the_same_hash()
    {
        using ContentHashes first = Open(), second = ContentHashes.WithoutFile(data), third = ContentHashes.WithoutFile(data);
        for (int round = 0; round < 2; round++)
        {
            for (int i = round; i < data.Samples.Count; i += 2)
            {
                ((ContentHashes[])[first, second, third])[i % 3].Add(i, Hash(i));
                third.Add(5, Hash(5));
            }

            foreach (ContentHashes other in new[] { second, third })
            {
                first.AddTaken(other.TakeAdded());
                Assert.Empty(other.TakeAdded());
            }

            first.Commit();
        }

        Assert.Equal(data.ComputeHash(), first.Combine());
        using ContentHashes late = ContentHashes.WithoutFile(data);
        late.Add(2, Hash(3));
        byte[] taken = late.TakeAdded();
        Assert.Contains("p0/2 has changed", Assert.Throws<UniFaceException>(() => first.AddTaken(taken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_damaged_or_of_another_set_is_begun_again()
    {
        using (ContentHashes hashes = Open())
        {
            hashes.ReadMissing(cancellationToken: TestContext.Current.CancellationToken);
            hashes.Commit();
        }

        byte[] good = File.ReadAllBytes(Path);
        using (ContentHashes other = Open('1'))
        {
            Assert.Equal(0, other.Count);
        }

        foreach (byte[] bad in (byte[][])[[], good[..^1], [.. good, 0], [.. "X"u8, .. good[1..]], [.. good[..^1], 0xFF]])
        {
            File.WriteAllBytes(Path, bad);
            using ContentHashes hashes = Open();
            Assert.Equal(0, hashes.Count);
        }

        File.WriteAllBytes(Path, good);
        using ContentHashes again = Open();
        Assert.Equal(data.ComputeHash(), again.Combine());
    }

    private string Path => folder["data.hashes"];

    private ContentHashes Open(char digit = '0') => ContentHashes.Open(Path, data, new string(digit, 64));

    private byte[] Hash(int i) => SHA256.HashData(data.Read(i));
}
