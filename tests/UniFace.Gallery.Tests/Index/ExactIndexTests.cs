using CsCheck;
using UniFace.Gallery.Index;
using UniFace.Gallery.Index.Kernels;
using UniFace.Gallery.Index.Search;
using UniFace.Gallery.Index.Storage;

namespace UniFace.Gallery.Tests.Index;

/// <summary>A search gives the answer of a comparison with every row, to the last bit, whatever happens to the rows during it.</summary>
public sealed class ExactIndexTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public static TheoryData<string> InstructionSets => [.. Enum.GetNames<InstructionSet>()];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_score_is_its_definition_to_the_last_bit() => Gen.Select(Gen.Float[-1, 1].Array[0, 70], Gen.Int).Sample((x, seed) =>
    {
        float[] y = [.. x.Select((v, i) => (float)new Random(seed + i).NextDouble() - v)];
        Assert.Equal(BitConverter.DoubleToInt64Bits(Rows.Score(x, y)), BitConverter.DoubleToInt64Bits(ExactScore.Compute(x, y)));
    });

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Searches_equal_brute_force_including_ties_and_near_duplicates(string name)
    {
        InstructionSet instructions = Enum.Parse<InstructionSet>(name);
        Assert.SkipUnless(DotKernels.IsSupported(instructions), $"this processor has no {instructions}");
        Gen.Select(Gen.Int[1, 100], Gen.Int[0, 400], Gen.Int[1, 20], Gen.Int[1, 20], Gen.Bool, Gen.Int[1, 2], Gen.Int).Sample(
            (size, count, queries, k, distinct, threads, seed) =>
        {
            using ExactIndex index = new(size) { Instructions = instructions };
            (long Id, long Key, float[] Row)[] rows = [.. Rows.Hard(count, size, seed).Select((r, i) => ((long)i * 3, i % 17L, r))];
            foreach ((long id, long key, float[] row) in rows.Reverse())
            {
                index.Add(id, key, row);
            }

            float[][] asked = [.. Rows.Hard(queries, size, seed + 1).Select((q, i) => i % 2 == 0 && count > 0 ? rows[i * 7 % count].Row : q)];
            IndexHit[][] hits = index.Search([.. asked.SelectMany(q => q)], k, distinct, threads);
            for (int q = 0; q < queries; q++)
            {
                Assert.Equal(Rows.Best(rows, asked[q], k, distinct), hits[q].Select(h => (h.Id, h.Score)));
            }
        }, iter: 100);
    }

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Searches_are_exact_where_all_cosines_lie_close_together_as_those_of_dlib_do(string name)
    {
        InstructionSet instructions = Enum.Parse<InstructionSet>(name);
        Assert.SkipUnless(DotKernels.IsSupported(instructions), $"this processor has no {instructions}");
        const int size = 128, count = 8000;
        float[] center = Rows.Random(1, size, 1)[0];
        using ExactIndex index = new(size) { Instructions = instructions };
        (long Id, long Key, float[] Row)[] rows = [.. Cone(count, 2).Select((row, i) => ((long)i, i / 2L, row))];
        foreach ((long id, long key, float[] row) in rows)
        {
            index.Add(id, key, row);
        }

        foreach (float[] query in Cone(12, 3).Append(rows[77].Row))
        {
            (long Id, double Score)[] all = Rows.Best(rows, query, count);
            Assert.InRange(all[^1].Score, 0.83, 0.95);
            Assert.Equal(all.Take(10), index.Search(query, 10)[0].Select(h => (h.Id, h.Score)));
            Assert.Equal(Rows.Best(rows, query, 50, distinctKeys: true), index.Search(query, 50, distinctKeys: true)[0].Select(h => (h.Id, h.Score)));
        }

        // Unit vectors around one direction, with cosines of 0.85 to 1 among each other.
        IEnumerable<float[]> Cone(int number, int seed) =>
            Rows.Random(number, size, seed).Select(row => Rows.Unit([.. row.Zip(center, (a, b) => b + (0.3f * a))]));
    }

    [Fact]
    public void Many_near_duplicates_are_ordered_to_the_last_bit()
    {
        const int size = 64, count = 20000;
        float[] center = Rows.Random(1, size, 1)[0];
        float[][] rows = [.. Rows.Random(count, size, 2).Select(r => (float[])[.. r.Zip(center, (a, b) => b + (1e-5f * a))])];
        using ExactIndex index = new(size);
        for (int i = 0; i < count; i++)
        {
            index.Add(i, i, rows[i]);
        }

        IndexHit[] hits = index.Search(center, 50)[0];
        Assert.Equal(Rows.Best(rows.Select((r, i) => ((long)i, (long)i, r)), center, 50), hits.Select(h => (h.Id, h.Score)));
    }

    [Fact]
    public void A_search_after_additions_removals_and_replacements_sees_present_rows_only() => Gen.Select(
        Gen.Int[0, 30].Array[1, 200], Gen.Int).Sample((ids, seed) =>
    {
        const int size = 12;
        float[][] values = Rows.Hard(ids.Length, size, seed);
        float[] query = Rows.Random(1, size, seed + 1)[0];
        using ExactIndex index = new(size);
        Dictionary<long, float[]> expected = [];
        for (int i = 0; i < ids.Length; i++)
        {
            if (i % 3 == 2)
            {
                Assert.Equal(expected.Remove(ids[i]), index.Remove(ids[i]));
            }
            else
            {
                index.Add(ids[i], ids[i], values[i]);
                expected[ids[i]] = values[i];
            }

            Assert.Equal(expected.Count, index.Count);
        }

        Assert.Equal(Rows.Best(expected.Select(e => (e.Key, e.Key, e.Value)), query, 40), index.Search(query, 40)[0].Select(h => (h.Id, h.Score)));
    });

    [Fact]
    public async Task Searches_during_changes_find_every_row_that_stays_and_no_other()
    {
        const int size = 32, standing = 2000;
        float[][] fixedRows = Rows.Random(standing, size, 1), moving = Rows.Random(3000, size, 2);
        using ExactIndex index = new(size);
        for (int i = 0; i < standing; i++)
        {
            index.Add(i, i, fixedRows[i]);
        }

        float[] query = Rows.Random(1, size, 3)[0];
        (long Id, double Score)[] always = Rows.Best(fixedRows.Select((r, i) => ((long)i, (long)i, r)), query, 10);
        using CancellationTokenSource done = new();
        Task writer = Task.Run(() =>
        {
            for (int i = 0; !done.IsCancellationRequested; i = (i + 1) % moving.Length)
            {
                index.Add(10000 + i, 10000 + i, moving[i]);
                index.Remove(10000 + ((i + moving.Length - 500) % moving.Length));
            }
        });
        for (int round = 0; round < 300; round++)
        {
            IndexHit[] hits = index.Search(query, 600, threads: 2)[0];
            Assert.All(hits, h => Assert.Equal(Rows.Score(query, h.Id < 10000 ? fixedRows[h.Id] : moving[h.Id - 10000]), h.Score));
            Assert.Equal(always, hits.Where(h => h.Id < 10000).Take(10).Select(h => (h.Id, h.Score)));
        }

        await done.CancelAsync();
        await writer;
    }

    [Fact]
    public async Task An_index_that_is_disposed_during_searches_answers_them_or_says_that_it_is_disposed()
    {
        const int size = 32;
        float[][] rows = Rows.Random(2000, size, 1);
        (long Id, double Score)[] best = Rows.Best(rows.Select((r, i) => ((long)i, (long)i, r)), rows[7], 10);
        for (int round = 0; round < 20; round++)
        {
            using ExactIndex index = new(size);
            foreach ((int i, float[] row) in rows.Index())
            {
                index.Add(i, i, row);
            }

            using CountdownEvent searching = new(3);
            Task[] searches = [.. Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    searching.Signal();
                    try
                    {
                        while (true)
                        {
                            Assert.Equal(best, index.Search(rows[7], 10, threads: 1)[0].Select(h => (h.Id, h.Score)));
                        }
                    }
                    catch (ObjectDisposedException)
                    {
                        // Expected in the end.
                    }
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default))];
            searching.Wait(TestContext.Current.CancellationToken);
            index.Dispose();
            await Task.WhenAll(searches);
        }
    }

    [Fact]
    public void A_stored_index_gives_the_same_answers_and_can_be_changed()
    {
        const int size = 40;
        float[][] rows = Rows.Hard(500, size, 5);
        float[] query = Rows.Random(1, size, 6)[0];
        string path = Path.Combine(folder, "index");
        IndexStamp stamp = new("gallery é", "contract", 77);
        using (ExactIndex index = new(size))
        {
            for (int i = rows.Length - 1; i >= 0; i--)
            {
                index.Add(i, i / 3, rows[i]);
            }

            index.Remove(13);
            index.Save(path, stamp);
        }

        using ExactIndex opened = ExactIndex.Open(path, out IndexStamp read);
        Assert.Equal(stamp, read);
        Assert.Equal(499, opened.Count);
        Dictionary<long, float[]> expected = rows.Index().Where(r => r.Index != 13).ToDictionary(r => (long)r.Index, r => r.Item);
        Check();
        opened.Add(13, 4, rows[13]);
        expected[13] = rows[13];
        Assert.True(opened.Remove(20));
        expected.Remove(20);
        opened.Add(1000, 1, query);
        expected[1000] = query;
        opened.Add(30, 10, query);
        expected[30] = query;
        Check();
        opened.Save(path, stamp with { Change = 78 });
        using ExactIndex again = ExactIndex.Open(path, out IndexStamp later);
        Assert.Equal(78, later.Change);
        Assert.Equal(expected.Count, again.Count);
        Assert.Equal(opened.Search(query, 600)[0], again.Search(query, 600)[0]);

        void Check() => Assert.Equal(
            Rows.Best(expected.Select(e => (e.Key, e.Key, e.Value)), query, 600), opened.Search(query, 600)[0].Select(h => (h.Id, h.Score)));
    }

    [Fact]
    public void An_erased_row_leaves_no_bytes_in_the_file_and_the_rest_is_whole()
    {
        const int size = 40;
        float[][] rows = Rows.Random(100, size, 7);
        string path = Path.Combine(folder, "index");
        using (ExactIndex index = new(size))
        {
            for (int i = 0; i < rows.Length; i++)
            {
                index.Add(i, i, rows[i]);
            }

            index.Save(path, new IndexStamp("g", "c", 1));
        }

        byte[] secret = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(rows[42]).ToArray();
        byte[] codesBefore = File.ReadAllBytes(path);
        Assert.True(codesBefore.AsSpan().IndexOf(secret) >= 0);
        IndexFile.Erase(path, "g", [42, 4711]);
        Assert.True(File.ReadAllBytes(path).AsSpan().IndexOf(secret.AsSpan(0, 8)) < 0);

        // Lane 10 of group 2 holds the codes of row 42, which must all be the code of zero now.
        byte[] codes = File.ReadAllBytes(path);
        int group = 4096 + 4096 + 4096 + (2 * ((64 * 16) + 128));
        Assert.Contains(Enumerable.Range(0, 16), s => codesBefore[group + (s * 64) + 40] != 128);
        Assert.All(Enumerable.Range(0, 64), d => Assert.Equal(128, codes[group + (d / 4 * 64) + 40 + (d % 4)]));
        using ExactIndex opened = ExactIndex.Open(path, out IndexStamp stamp);
        Assert.Equal(1, stamp.Change);
        Assert.Equal(99, opened.Count);
        IEnumerable<(long Id, long Key, float[] Row)> others = rows.Select((r, i) => ((long)i, (long)i, r)).Where(r => r.Item1 != 42);
        Assert.Equal(Rows.Best(others, rows[42], 5), opened.Search(rows[42], 5)[0].Select(h => (h.Id, h.Score)));
    }

    [Fact]
    public void A_damaged_index_file_is_refused_in_one_line() => Gen.Select(Gen.Bool, Gen.Int[0, 100000], Gen.Int[0, 2]).Sample((tables, at, kind) =>
    {
        string path = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        using (ExactIndex index = new(8))
        {
            foreach ((int i, float[] row) in Rows.Random(50, 8, 1).Index())
            {
                index.Add(i, i, row);
            }

            index.Save(path, new IndexStamp("g", "c", 1));
        }

        byte[] bytes = File.ReadAllBytes(path);
        at %= tables && kind == 0 ? 12288 + (4 * 640) : 4096; // The rows after them are read when a search asks for them.
        bool padding = kind == 0 && tables && at >= 4096 && IsPadding(at);
        File.WriteAllBytes(path, kind switch { 0 => [.. bytes.Select((b, i) => i == at ? (byte)(b ^ 1) : b)], 1 => bytes[..at], _ => [.. bytes, 0] });
        if (padding)
        {
            return;
        }

        Assert.DoesNotContain('\n', Assert.Throws<UniFaceException>(() => ExactIndex.Open(path, out _).Dispose()).Message);

        // Padding between the sections.
        static bool IsPadding(int at) => at is (>= 4096 + (64 * 8) and < 8192) or (>= 8192 + (64 * 8) and < 12288);
    }, iter: 40);

    [Fact]
    public void A_damaged_stored_row_is_reported_and_an_erased_one_is_skipped()
    {
        string path = Path.Combine(folder, "index");
        float[][] rows = Rows.Random(50, 8, 1);
        using ExactIndex index = new(8);
        foreach ((int i, float[] row) in rows.Index())
        {
            index.Add(i, i, row);
        }

        index.Save(path, new IndexStamp("g", "c", 1));
        using (ExactIndex opened = ExactIndex.Open(path, out _))
        {
            IndexFile.Erase(path, "g", [7]);
            Assert.DoesNotContain(opened.Search(rows[7].Select(v => -v).ToArray(), 50)[0], h => h.Id == 7);
        }

        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.AsSpan().IndexOf(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(rows[9])) + 3] ^= 0x40; // the exponent
        File.WriteAllBytes(path, bytes);
        using ExactIndex damaged = ExactIndex.Open(path, out _);
        Assert.Contains("row 9 of the stored index is damaged", Assert.Throws<UniFaceException>(() =>
        {
            _ = damaged.Search(rows[9], 1);
            _ = damaged.Search(rows[9].Select(v => -v).ToArray(), 50);
        }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_index_fails_the_search_only()
    {
        string path = Path.Combine(folder, "index");
        float[][] rows = Rows.Random(500, 64, 1);
        using ExactIndex index = new(64);
        foreach ((int i, float[] row) in rows.Index())
        {
            index.Add(i, i, row);
        }

        index.Save(path, new IndexStamp("g", "c", 1));
        using ExactIndex opened = ExactIndex.Open(path, out _);
        File.WriteAllBytes(path, []);
        Assert.Contains("was truncated", Assert.Throws<UniFaceException>(() => opened.Search(rows[9], 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_and_queries_that_are_not_finite_or_of_another_length_are_refused()
    {
        using ExactIndex index = new(3);
        Assert.Throws<ArgumentException>(() => index.Add(1, 1, [1, 2]));
        Assert.Throws<ArgumentException>(() => index.Add(1, 1, [1, float.NaN, 2]));
        Assert.Throws<ArgumentException>(() => index.Add(1, 1, [1, float.PositiveInfinity, 2]));
        Assert.Throws<ArgumentException>(() => index.Add(1, 1, [1e30f, 0, 2]));
        index.Add(1, 1, [0, 0, 0]);
        Assert.Throws<ArgumentException>(() => index.Search([1, 0], 1));
        Assert.Throws<ArgumentException>(() => index.Search([float.NaN, 0, 0], 1));
        Assert.Equal(0, index.Search([1, 0, 0], 1)[0].Single().Score);
        Assert.Empty(new ExactIndex(3).Search([1, 0, 0], 1)[0]);
    }
}
