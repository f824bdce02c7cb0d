namespace UniFace.Gallery.Index.Search;

/// <summary>A search for a block of queries: a scan on all threads, then exact scores of the candidates.</summary>
internal sealed unsafe class ExactSearch
{
    private readonly RowBlock[] blocks;
    private readonly float[] queries;
    private readonly int dimension;
    private readonly int count;
    private readonly int k;
    private readonly bool distinctKeys;
    private readonly ParallelOptions parallel;
    private CandidateSet[][] found = []; // [threads, queries]

    /// <summary>Prepares a search.</summary>
    /// <exception cref="ArgumentException">A query is not finite, or too large.</exception>
    public ExactSearch(RowBlock[] blocks, float[] queries, int dimension, int k, bool distinctKeys, int threads, CancellationToken stop)
    {
        (this.blocks, this.queries, this.dimension, this.distinctKeys) = (blocks, queries, dimension, distinctKeys);
        count = queries.Length / dimension;
        parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop };
        this.k = (int)Math.Min(k, blocks.Sum(b => (long)b.Used));
        for (int q = 0; q < count; q++)
        {
            if (!(RowQuantizer.NormAbove(Query(q)) < RowQuantizer.LargestNorm))
            {
                throw new ArgumentException("a query is not finite, or its norm is 1e6 or more.", nameof(queries));
            }
        }
    }

    /// <summary>Finds the candidates among all rows.</summary>
    /// <param name="largestNorm">At least the norm of every row and of its quantised form.</param>
    /// <param name="instructions">The instructions to use.</param>
    public void Scan(float largestNorm, InstructionSet instructions)
    {
        if (k == 0)
        {
            return;
        }

        using ScanQueries scan = new(queries, count, dimension, largestNorm);
        IndexScan pass = new(blocks, scan, k, distinctKeys, instructions);
        found = new CandidateSet[parallel.MaxDegreeOfParallelism][];
        For(found.Length, i => found[i] = pass.Run(parallel.CancellationToken));
    }

    /// <summary>The best rows for each query.</summary>
    public IndexHit[][] Rank()
    {
        IndexHit[][] hits = new IndexHit[count][];
        For(count, q => hits[q] = k == 0 ? [] : Rank(q));
        return hits;
    }

    // Scores the candidates exactly, the largest upper bound first, until no bound reaches the k-th score.
    private IndexHit[] Rank(int query)
    {
        CandidateSet all = found[0][query];
        foreach (CandidateSet[] other in found.Skip(1))
        {
            all.Merge(other[query]);
        }

        BestHits best = new(k, distinctKeys);
        foreach ((float upper, RowSlot row) in all.Sort())
        {
            if (!(upper >= best.Threshold))
            {
                break;
            }

            (long id, long key) = (row.Id, row.Key);
            ReadOnlySpan<float> stored = row.Values;
            double score = ExactScore.Compute(Query(query), stored);
            if (!row.Block.IsOwned && !(score <= upper))
            {
                // The score exceeds its proven bound: another process erased the row in the file, or the file is damaged. (A row in memory may have
                // been written during the scan.)
                if (stored.ContainsAnyExcept(0f))
                {
                    throw new UniFaceException($"row {id} of the stored index is damaged; rebuild the gallery's index with 'uniface gallery rebuild'.");
                }

                continue;
            }

            // A removed row is no answer. Its slot is not reused while a search runs, so a row that is still present is the one that was scored.
            if (row.IsPresent)
            {
                best.Add(new IndexHit(id, key, score));
            }
        }

        return best.ToArray();
    }

    private ReadOnlySpan<float> Query(int query) => queries.AsSpan(query * dimension, dimension);

    private void For(int number, Action<int> body)
    {
        if (number == 1)
        {
            body(0);
            return;
        }

        try
        {
            Parallel.For(0, number, parallel, body);
        }
        catch (AggregateException e) when (e.InnerExceptions[0] is UniFaceException first)
        {
            throw new UniFaceException(first.Message, e);
        }
    }
}
