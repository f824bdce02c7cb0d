namespace UniFace.Gallery.Index;

/// <summary>
/// The rows with the largest inner products with a query, exactly: the same rows, the same scores and the same order as comparing
/// the query with every row by <see cref="ExactScore"/>, at a fraction of the memory traffic. Rows come and go without a rebuild;
/// searches run while rows are written.
/// </summary>
/// <remarks>
/// <para>
/// A row r is scanned as 8-bit codes, r~ = scale * codes; a query q as q~ likewise. Then
/// &lt;q, r&gt; - &lt;q~, r~&gt; = &lt;q, r - r~&gt; + &lt;q - q~, r~&gt;, and by Cauchy-Schwarz
/// |&lt;q, r&gt; - &lt;q~, r~&gt;| &lt;= ||q|| * ||r - r~|| + ||q - q~|| * ||r~||.
/// ||r - r~|| is stored with the row, ||q|| and ||q - q~|| are known, ||r~|| is at most the largest norm of all rows N.
/// &lt;q~, r~&gt; is an integer computed without error times two scales; the floats it and the bound pass through round six
/// times at a relative 2^-24 of at most 4 * ||q|| * N each, below 1.5e-6 * ||q|| * N in all, and the exact score itself rounds by less than
/// 1e-12 * ||q|| * N: the bound is widened by 2e-6 * ||q|| * N. So every row has a proven lower and upper bound of its score.
/// </para>
/// <para>
/// Let t be the k-th largest lower bound: k rows score at least t. A row whose upper bound is below t scores less than those k, so it is
/// not among the best k. All other rows are candidates; they are scored exactly, the largest upper bound first, until the next upper bound is
/// below the k-th exact score. A tie is never cut off, because only strictly smaller bounds are.
/// </para>
/// </remarks>
public sealed unsafe partial class ExactIndex : IDisposable
{
    private const float LargestRowNorm = 1e6f;
    private const int QueryBlock = 256;

    private readonly RowGroup layout;
    private readonly Lock gate = new();
    private readonly Dictionary<long, (RowBlock Block, int Row)> slots = [];
    private readonly Stack<(RowBlock Block, int Row)> free = new();
    private readonly List<(RowBlock Block, int Row)> removed = [];
    private volatile RowBlock[] blocks = [];
    private volatile float largestNorm;
    private int readers;
    private long count;

    /// <summary>An empty index.</summary>
    /// <param name="dimension">Values in a row, 1 to 65,536.</param>
    public ExactIndex(int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimension, 65536);
        Dimension = dimension;
        layout = new RowGroup(dimension);
    }

    /// <summary>Values in a row.</summary>
    public int Dimension { get; }

    /// <summary>Rows that are there.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>Bytes that a scan reads for a row: codes, scale and error.</summary>
    public double BytesPerRow => (double)layout.Stride / RowGroup.Rows;

    /// <summary>What scans compute with; tests set it.</summary>
    internal DotPath Path { get; set; } = DotKernels.Best;

    /// <summary>Adds a row, or puts it in the place of the row with the same id; a search that runs meanwhile may see either.</summary>
    /// <param name="id">Its id; ties of scores are ordered by it.</param>
    /// <param name="key">Whom it belongs to; several rows may share a key.</param>
    /// <param name="row">[D], finite, of a norm below 1e6.</param>
    /// <exception cref="ArgumentException">Another length, or not finite or too large.</exception>
    public void Add(long id, long key, ReadOnlySpan<float> row)
    {
        if (row.Length != Dimension)
        {
            throw new ArgumentException($"the row has {row.Length} values, the index's have {Dimension}.", nameof(row));
        }

        float norm = RowQuantizer.NormAbove(row);
        if (!(norm < LargestRowNorm))
        {
            throw new ArgumentException("the row is not finite, or its norm is 1e6 or more.", nameof(row));
        }

        Span<sbyte> codes = layout.Padded <= 4096 ? stackalloc sbyte[layout.Padded] : new sbyte[layout.Padded];
        Quantized quantized = RowQuantizer.Row(row, codes);
        lock (gate)
        {
            // Before the row is there: a search that sees the row has read at least this norm.
            largestNorm = Math.Max(largestNorm, Math.Max(norm, quantized.Norm));
            (RowBlock Block, int Row)? old = Find(id);
            (RowBlock block, int at) = NextSlot();
            row.CopyTo(block.OwnedRow(at));
            block.Ids[at] = id;
            block.Keys[at] = key;
            block.Layout.Write(block.GroupOf(at), at % RowGroup.Rows, codes, quantized);
            if (at >= block.Used)
            {
                block.Used = at + 1;
            }

            slots[id] = (block, at);
            Interlocked.Increment(ref count);
            if (old is (RowBlock, int) slot)
            {
                Take(slot);
            }
        }
    }

    /// <summary>Takes a row away; its values are overwritten as soon as no search runs that may be reading them.</summary>
    /// <returns>False where there is no such row.</returns>
    public bool Remove(long id)
    {
        lock (gate)
        {
            if (Find(id) is not (RowBlock, int) slot)
            {
                return false;
            }

            slots.Remove(id);
            Take(slot);
            return true;
        }
    }

    /// <summary>True where there is a row with this id.</summary>
    public bool Contains(long id)
    {
        lock (gate)
        {
            return Find(id) is not null;
        }
    }

    /// <summary>The best rows for each query, as comparing with every row gives them.</summary>
    /// <param name="queries">[count, D], finite.</param>
    /// <param name="k">How many rows, 1 or more; all rows where there are fewer.</param>
    /// <param name="distinctKeys">True: at most one row a key, its best; k keys then.</param>
    /// <param name="threads">Cores to use; 0 for all.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <returns>For each query its best rows in the order of <see cref="IndexHit"/>.</returns>
    /// <exception cref="ArgumentException">Not whole queries, or not finite ones.</exception>
    public IndexHit[][] Search(ReadOnlySpan<float> queries, int k, bool distinctKeys = false, int threads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (queries.Length % Dimension != 0)
        {
            throw new ArgumentException($"{queries.Length} values are not whole queries of {Dimension}.", nameof(queries));
        }

        int total = queries.Length / Dimension;
        IndexHit[][] hits = new IndexHit[total][];
        Interlocked.Increment(ref readers);
        try
        {
            for (int first = 0; first < total; first += QueryBlock)
            {
                int some = Math.Min(QueryBlock, total - first);
                SearchBlock(queries.Slice(first * Dimension, some * Dimension).ToArray(), hits.AsMemory(first, some), k, distinctKeys, threads > 0 ? threads : Environment.ProcessorCount, cancellationToken);
            }
        }
        finally
        {
            Interlocked.Decrement(ref readers);
        }

        return hits;
    }

    /// <summary>Frees the memory; no search may run.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (RowBlock block in blocks)
            {
                block.Dispose();
            }

            blocks = [];
            slots.Clear();
            free.Clear();
            removed.Clear();
            file?.Dispose();
            file = null;
        }
    }

    private void SearchBlock(float[] queries, Memory<IndexHit[]> hits, int k, bool distinctKeys, int threads, CancellationToken stop)
    {
        for (int q = 0; q < hits.Length; q++)
        {
            float length = RowQuantizer.NormAbove(queries.AsSpan(q * Dimension, Dimension));
            if (!(length < LargestRowNorm))
            {
                throw new ArgumentException("a query is not finite, or its norm is 1e6 or more.", nameof(queries));
            }
        }

        // The blocks first: whatever row they show then was written after its norm.
        RowBlock[] scanned = blocks;
        CandidateSet[][] found;
        int wanted = (int)Math.Min(k, scanned.Sum(b => (long)b.Used));
        if (wanted == 0)
        {
            hits.Span.Fill([]);
            return;
        }

        float norm;
        do
        {
            norm = largestNorm;
            using ScanQueries scan = new(queries, hits.Length, Dimension, norm);
            IndexScan pass = new(scanned, scan, wanted, distinctKeys, Path);
            found = InParallel(threads, _ => pass.Run(stop), stop);
        }
        while (largestNorm != norm); // A larger row came meanwhile, for which the bounds were not made. Norms of embeddings are all about 1: rare.

        if (hits.Length == 1)
        {
            hits.Span[0] = Rank(found, 0, queries, wanted, distinctKeys);
            return;
        }

        Parallel.For(0, hits.Length, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, q => hits.Span[q] = Rank(found, q, queries, wanted, distinctKeys));
    }

    // Scores the candidates exactly, the largest upper bound first, until no bound reaches the k-th score.
    private IndexHit[] Rank(CandidateSet[][] found, int query, float[] queries, int k, bool distinctKeys)
    {
        ReadOnlySpan<float> values = queries.AsSpan(query * Dimension, Dimension);
        CandidateSet all = found[0][query];
        foreach (CandidateSet[] other in found.Skip(1))
        {
            all.Merge(other[query]);
        }

        (float[] uppers, (RowBlock Block, int Row)[] rows, int candidates) = all.Sorted();
        BestHits best = new(k, distinctKeys);
        for (int i = 0; i < candidates && uppers[i] >= best.Threshold; i++)
        {
            (RowBlock block, int row) = rows[i];
            long id = block.Ids[row], key = block.Keys[row];
            ReadOnlySpan<float> stored = block.Row(row);
            double score = ExactScore.Of(values, stored);
            if (!block.IsOwned && !(score <= uppers[i]))
            {
                // Beyond its proven bound: another process has erased the row in the file just now, or a bit of it has flipped there. (A row in memory
                // may have been written while it was scanned.)
                if (stored.ContainsAnyExcept(0f))
                {
                    throw new UniFaceException($"row {id} of the stored index is damaged; rebuild the gallery's index by 'uniface gallery rebuild'.");
                }

                continue;
            }

            // Still the row that was scored: a removed one is no answer, and a slot is not written again while a search runs.
            if (block.IsPresent(row))
            {
                best.Add(new IndexHit(id, key, score));
            }
        }

        return best.ToArray();
    }

    private static T[] InParallel<T>(int threads, Func<int, T> run, CancellationToken stop)
    {
        T[] results = new T[threads];
        if (threads == 1)
        {
            results[0] = run(0);
            return results;
        }

        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, i => results[i] = run(i));
        return results;
    }

    private (RowBlock Block, int Row)? Find(long id) =>
        slots.TryGetValue(id, out (RowBlock Block, int Row) slot) ? slot : FindMapped(id);

    private (RowBlock Block, int Row) NextSlot()
    {
        Drain();
        if (free.TryPop(out (RowBlock Block, int Row) slot))
        {
            return slot;
        }

        RowBlock[] known = blocks;
        if (known.Length == 0 || !known[^1].IsOwned || known[^1].Used == known[^1].Capacity)
        {
            blocks = known = [.. known, RowBlock.Allocate(Dimension, known.Sum(b => (long)b.Capacity))];
        }

        return (known[^1], known[^1].Used);
    }

    private void Take((RowBlock Block, int Row) slot)
    {
        slot.Block.Layout.Remove(slot.Block.GroupOf(slot.Row), slot.Row % RowGroup.Rows);
        Interlocked.Decrement(ref count);
        removed.Add(slot);
        Drain();
    }

    // Searches that began before a row was removed may still read it. Once none runs, nobody can: later ones see that it is absent.
    private void Drain()
    {
        Interlocked.MemoryBarrier();
        if (removed.Count == 0 || Volatile.Read(ref readers) != 0)
        {
            return;
        }

        foreach ((RowBlock block, int row) in removed)
        {
            block.Wipe(row);
            if (block.IsOwned)
            {
                free.Push((block, row));
            }
        }

        removed.Clear();
    }
}
