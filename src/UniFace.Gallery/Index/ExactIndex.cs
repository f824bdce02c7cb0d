using UniFace.Gallery.Index.Search;

namespace UniFace.Gallery.Index;

/// <summary>
/// Finds the rows with the largest inner products with a query, exactly: the same rows, scores and order as a comparison with every row by
/// <see cref="ExactScore"/>, with a fraction of the memory traffic. Rows are added and removed without a rebuild, also while searches run.
/// </summary>
/// <remarks>
/// <para>
/// A row r is scanned as 8-bit codes, r~ = scale * codes; a query q as q~ likewise. Then
/// &lt;q, r&gt; - &lt;q~, r~&gt; = &lt;q, r - r~&gt; + &lt;q - q~, r~&gt;, and by Cauchy-Schwarz
/// |&lt;q, r&gt; - &lt;q~, r~&gt;| &lt;= ||q|| * ||r - r~|| + ||q - q~|| * ||r~||.
/// ||r - r~|| is stored with the row, ||q|| and ||q - q~|| are known, and ||r~|| is at most N, the largest norm of all rows.
/// &lt;q~, r~&gt; is an exact integer times two scales. The floats that it and the bound pass through round six times by at most
/// 2^-24 * 4 * ||q|| * N each, below 1.5e-6 * ||q|| * N in all; the exact score itself rounds by less than 1e-12 * ||q|| * N. The bound is
/// widened by 2e-6 * ||q|| * N. So every row has a proven lower and upper bound of its score.
/// </para>
/// <para>
/// Let t be the k-th largest lower bound: k rows score at least t, so a row whose upper bound is below t is not among the best k. All other
/// rows are candidates. They are scored exactly, the largest upper bound first, until the next upper bound is below the k-th exact score. A
/// tie is never dropped, because only strictly smaller bounds are.
/// </para>
/// </remarks>
internal sealed unsafe class ExactIndex : IDisposable
{
    private const int QueryBlock = 256;

    private readonly RowGroup layout;
    private readonly Lock gate = new();
    private readonly Dictionary<long, RowSlot> slots = [];
    private readonly Stack<RowSlot> free = new();
    private readonly List<RowSlot> removed = [];
    private IndexFile? file;
    private volatile RowBlock[] blocks = [];
    private volatile float largestNorm;
    private volatile bool disposed;
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

    /// <summary>Number of rows.</summary>
    public long Count => Interlocked.Read(ref count);

    /// <summary>Bytes that a scan reads per row: codes, scale and error.</summary>
    public double BytesPerRow => (double)layout.Stride / RowGroup.Rows;

    /// <summary>The instructions that scans use; set by tests.</summary>
    internal InstructionSet Instructions { get; set; } = DotKernels.Best;

    /// <summary>
    /// Opens a stored index: its codes are read and checked; its rows are read when they are needed. Later changes stay in memory until
    /// <see cref="Save"/>.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="stamp">The state that it was stored for; the caller checks that it is still current.</param>
    /// <param name="range">The rows to open; null for all.</param>
    /// <exception cref="UniFaceException">The file is missing, of another version, truncated or damaged.</exception>
    public static ExactIndex Open(string path, out IndexStamp stamp, IndexRange? range = null)
    {
        IndexFile file = IndexFile.Open(path, range ?? IndexRange.All);
        stamp = file.Header.Stamp;
        ExactIndex index = new(file.Header.Dimension) { file = file, largestNorm = file.Header.LargestNorm };
        index.count = file.Block.PresentRows.LongCount();
        index.blocks = file.Block.Used > 0 ? [file.Block] : [];
        return index;
    }

    /// <summary>Stores the rows. Searches may run; rows must not be added or removed until it returns.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stamp">The state that it is stored for.</param>
    public void Save(string path, IndexStamp stamp)
    {
        lock (gate)
        {
            IndexFile.Write(path, Dimension, PresentRows(), largestNorm, stamp);
        }
    }

    /// <summary>True if another index has the same ids, keys and values.</summary>
    public bool HasSameRows(ExactIndex other)
    {
        List<RowSlot> mine = PresentRows(), others = other.PresentRows();
        return mine.Count == others.Count && mine.Zip(others).All(pair =>
            pair.First.Id == pair.Second.Id && pair.First.Key == pair.Second.Key && pair.First.Values.SequenceEqual(pair.Second.Values));
    }

    /// <summary>Adds a row, or replaces the row with the same id; a concurrent search may see either.</summary>
    /// <param name="id">Its id; rows with equal scores are ordered by it.</param>
    /// <param name="key">Key of its owner; several rows may share a key.</param>
    /// <param name="row">[D], finite, with a norm below 1e6.</param>
    /// <exception cref="ArgumentException">Another length, not finite, or too large.</exception>
    public void Add(long id, long key, ReadOnlySpan<float> row)
    {
        if (row.Length != Dimension)
        {
            throw new ArgumentException($"the row has {row.Length} values, the index's have {Dimension}.", nameof(row));
        }

        float norm = RowQuantizer.NormAbove(row);
        if (!(norm < RowQuantizer.MaxNorm))
        {
            throw new ArgumentException("the row is not finite, or its norm is 1e6 or more.", nameof(row));
        }

        Span<sbyte> codes = layout.Padded <= 4096 ? stackalloc sbyte[layout.Padded] : new sbyte[layout.Padded];
        Quantized quantized = RowQuantizer.QuantizeRow(row, codes);
        lock (gate)
        {
            // Set before the row is written: a search that sees the row has read at least this norm.
            largestNorm = Math.Max(largestNorm, Math.Max(norm, quantized.Norm));
            RowSlot? old = Find(id);
            RowSlot slot = NextSlot();
            slot.Write(id, key, row, codes, quantized);
            slots[id] = slot;
            Interlocked.Increment(ref count);
            if (old is RowSlot replaced)
            {
                Release(replaced);
            }
        }
    }

    /// <summary>Removes a row; its values are overwritten as soon as no search can be reading them.</summary>
    /// <returns>False if there is no such row.</returns>
    public bool Remove(long id)
    {
        lock (gate)
        {
            if (Find(id) is not RowSlot slot)
            {
                return false;
            }

            slots.Remove(id);
            Release(slot);
            return true;
        }
    }

    /// <summary>The best rows for each query, as a comparison with every row gives them.</summary>
    /// <param name="queries">[count, D], finite.</param>
    /// <param name="k">How many rows, 1 or more; all rows if there are fewer.</param>
    /// <param name="distinctKeys">True: at most one row per key, the best; k counts keys then.</param>
    /// <param name="threads">Threads to use; 0 for one per core.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <returns>The best rows for each query, in the order of <see cref="IndexHit"/>.</returns>
    /// <exception cref="ArgumentException">The queries are not whole or not finite.</exception>
    /// <exception cref="ObjectDisposedException">The index has been disposed.</exception>
    public IndexHit[][] Search(ReadOnlySpan<float> queries, int k, bool distinctKeys = false, int threads = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (queries.Length % Dimension != 0)
        {
            throw new ArgumentException($"{queries.Length} values are not whole queries of {Dimension}.", nameof(queries));
        }

        threads = threads > 0 ? threads : Environment.ProcessorCount;
        List<IndexHit[]> hits = new(queries.Length / Dimension);
        Interlocked.Increment(ref readers);
        try
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            for (int at = 0; at < queries.Length; at += QueryBlock * Dimension)
            {
                float[] chunk = queries[at..Math.Min(queries.Length, at + (QueryBlock * Dimension))].ToArray();

                // Read before the norm: whatever row the blocks show was written after its norm.
                ExactSearch search = new(blocks, chunk, Dimension, k, distinctKeys, threads, cancellationToken);
                float norm;
                do
                {
                    norm = largestNorm;
                    search.Scan(norm, Instructions);
                }
                while (largestNorm != norm); // A larger row was added, for which the bounds do not hold. Rare: embeddings have norms of about 1.
                hits.AddRange(search.Rank());
            }
        }
        finally
        {
            Interlocked.Decrement(ref readers);
        }

        return [.. hits];
    }

    /// <summary>Frees the memory after the searches that run; later ones throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        disposed = true;
        Interlocked.MemoryBarrier(); // A search counts itself before it reads the flag.
        SpinWait.SpinUntil(() => Volatile.Read(ref readers) == 0);
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

    private RowSlot? Find(long id) => slots.TryGetValue(id, out RowSlot slot) ? slot : FindInFile(id);

    // Rows of the file are in the order of their ids.
    private RowSlot? FindInFile(long id)
    {
        if (file is null)
        {
            return null;
        }

        int row = file.Block.Ids.AsSpan(0, file.Block.Used).BinarySearch(id);
        return row >= 0 && new RowSlot(file.Block, row) is { IsPresent: true } slot ? slot : null;
    }

    // The rows in the order of their ids.
    private List<RowSlot> PresentRows() => [.. blocks.SelectMany(block => block.PresentRows).OrderBy(slot => slot.Id)];

    private RowSlot NextSlot()
    {
        Reclaim();
        if (free.TryPop(out RowSlot slot))
        {
            return slot;
        }

        RowBlock[] known = blocks;
        if (known.Length == 0 || !known[^1].IsOwned || known[^1].Used == known[^1].Capacity)
        {
            blocks = known = [.. known, RowBlock.Allocate(Dimension, known.Sum(b => (long)b.Capacity))];
        }

        return new RowSlot(known[^1], known[^1].Used);
    }

    private void Release(RowSlot slot)
    {
        slot.Remove();
        Interlocked.Decrement(ref count);
        removed.Add(slot);
        Reclaim();
    }

    // Searches that began before a row was removed may still read it. When none runs, the row can be wiped: later searches see that it is absent.
    private void Reclaim()
    {
        Interlocked.MemoryBarrier();
        if (removed.Count == 0 || Volatile.Read(ref readers) != 0)
        {
            return;
        }

        foreach (RowSlot slot in removed)
        {
            slot.Wipe();
            if (slot.Block.IsOwned)
            {
                free.Push(slot);
            }
        }

        removed.Clear();
    }
}
