using UniFace.Gallery.Index;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// The search index of a gallery, which follows the database change by change. It has one row per template for
/// <see cref="PersonScore.Best"/>. For <see cref="PersonScore.Mean"/> it has one row per person, the mean of the templates: the inner product
/// with it is the mean of the cosines. A process of several holds a range of the rows; only an index of all rows is stored.
/// </summary>
internal sealed class SqliteProjection(SqliteStore store, IndexRange range) : IDisposable
{
    private const int ChunkSize = 2048;
    private const int RangeSize = 64;

    // Reading a change takes microseconds: below this many, the next start is quick without storing the index again.
    private const long MinChangesToStore = 20_000;

    private readonly SqliteDatabase database = store.Database;
    private readonly GalleryInfo info = store.Info;
    private readonly SemaphoreSlim gate = new(1, 1);
    private ExactIndex? index;
    private long indexedChange;
    private long storedChange = -1;
    private long dataVersion = -1;
    private volatile bool ignoreStoredFile;

    /// <summary>The file that keeps the index.</summary>
    public StoredIndex Stored { get; } = new(store.Path, store.Info);

    /// <summary>The index with all committed changes.</summary>
    public Task<ExactIndex> RefreshAsync(CancellationToken stop) => ExclusivelyAsync(() => CurrentAsync(stop), stop);

    /// <summary>
    /// The index rebuilt from the database, after a search found that the stored file was truncated or damaged since it was opened, or that the
    /// index was disposed.
    /// </summary>
    public Task<ExactIndex> RebuildWithoutFileAsync(ExactIndex faulty, CancellationToken stop) => ExclusivelyAsync(
        () =>
        {
            if (ReferenceEquals(index, faulty))
            {
                faulty.Dispose();
                (index, dataVersion, ignoreStoredFile) = (null, -1, true);
            }

            return CurrentAsync(stop);
        },
        stop);

    /// <summary>Stores the index; without <paramref name="always"/>, only after many changes.</summary>
    public Task StoreAsync(bool always, CancellationToken stop) => ExclusivelyAsync(
        async () =>
        {
            ExactIndex current = await CurrentAsync(stop);
            if (!info.Encrypted && !database.IsReadOnly
                && (always || indexedChange - Math.Max(storedChange, 0) > Math.Max(MinChangesToStore, current.Count / 10)))
            {
                // Skip this if another process is storing the index.
                using FileLock? fileLock = always ? await StoredIndex.LockAsync(database.Path, stop) : Stored.TryLock();
                if (fileLock is not null)
                {
                    Save(await CurrentAsync(stop), indexedChange);
                }
            }

            return 0;
        },
        stop);

    /// <summary>Rebuilds the index from the database and stores it.</summary>
    /// <returns>Rows of the index.</returns>
    public Task<long> RebuildAsync(CancellationToken stop) => ExclusivelyAsync(
        async () =>
        {
            if (database.IsReadOnly)
            {
                throw new UniFaceException(
                    $"{database.Path}: the index cannot be stored, because the gallery or its folder cannot be written; searches work without it");
            }

            using ExactIndex rebuilt = new(info.EmbeddingSize);
            long change = await database.ReadAsync(session => CatchUpAsync(session, rebuilt, 0), stop);
            using FileLock fileLock = await StoredIndex.LockAsync(database.Path, stop);
            Save(rebuilt, await database.ReadAsync(session => CatchUpAsync(session, rebuilt, change), stop));
            return rebuilt.Count;
        },
        stop);

    /// <summary>What is wrong with the stored index; null if it is right or there is none.</summary>
    public async Task<string?> FindProblemAsync(SqlSession session)
    {
        if (!File.Exists(Stored.Path))
        {
            return null;
        }

        try
        {
            (ExactIndex? stored, long change) = await OpenAsync(session);
            using ExactIndex? opened = stored;
            if (opened is null)
            {
                return "the stored index belongs to another gallery, model or state; rebuild it with 'uniface gallery rebuild'";
            }

            await CatchUpAsync(session, opened, change);
            using ExactIndex expected = new(info.EmbeddingSize);
            await CatchUpAsync(session, expected, 0);
            return opened.HasSameRows(expected) ? null : "the stored index differs from the database; rebuild it with 'uniface gallery rebuild'";
        }
        catch (UniFaceException e)
        {
            return e.Message;
        }
    }

    /// <summary>Frees the index; searches that still use it get a new one, or the error that the gallery has changed.</summary>
    public void Dispose()
    {
        gate.Wait();
        index?.Dispose();
        index = null;
        gate.Release();
    }

    // On the thread pool, where no synchronization context is captured.
    private Task<T> ExclusivelyAsync<T>(Func<Task<T>> work, CancellationToken stop) => Task.Run(
        async () =>
        {
            await gate.WaitAsync(stop);
            try
            {
                return await work();
            }
            finally
            {
                gate.Release();
            }
        },
        stop);

    private Task<ExactIndex> CurrentAsync(CancellationToken stop) => database.ReadAsync(
        async session =>
        {
            long now = (long)(await session.ScalarAsync("PRAGMA data_version"))!;
            if (index is null || now != dataVersion)
            {
                await store.EnsureModelAsync(session, info.ContractId);
                index ??= await LoadAsync(session);
                indexedChange = await CatchUpAsync(session, index, indexedChange);
                dataVersion = now;
            }

            return index;
        },
        stop);

    // The stored index if it can be used, else an empty one.
    private async Task<ExactIndex> LoadAsync(SqlSession session)
    {
        (indexedChange, storedChange) = (0, -1);
        try
        {
            if (!ignoreStoredFile && !info.Encrypted && await OpenAsync(session) is (ExactIndex opened, long change))
            {
                (indexedChange, storedChange) = (change, change > 0 ? change : -1);
                return opened;
            }
        }
        catch (UniFaceException)
        {
            // The index is rebuilt from the database.
        }

        return new ExactIndex(info.EmbeddingSize);
    }

    // The stored index; null if it is not of this gallery as it is now.
    private async Task<(ExactIndex? Index, long Change)> OpenAsync(SqlSession session)
    {
        ExactIndex opened = ExactIndex.Open(Stored.Path, out IndexStamp stamp, range);
        if (stamp.Owner == Stored.Owner && stamp.ContractId == info.ContractId && opened.Dimension == info.EmbeddingSize
            && stamp.Change <= await session.ChangeAsync())
        {
            return (opened, stamp.Change);
        }

        opened.Dispose();
        return default;
    }

    // The caller holds the index's lock. With damaged templates nothing is stored, so that the next start reports them too.
    private void Save(ExactIndex current, long change)
    {
        if (info.Encrypted)
        {
            return;
        }

        Stored.DeleteLeftovers();
        if (!store.Damage.IsEmpty)
        {
            StoredIndex.Delete(Stored.Path);
            return;
        }

        current.Save(Stored.Path, new IndexStamp(Stored.Owner, info.ContractId, change));
        FileModes.Copy(database.Path, Stored.Path);
        storedChange = change;
        database.Step(GalleryStep.IndexStored);
    }

    // Brings an index from one change to the database's last.
    private async Task<long> CatchUpAsync(SqlSession session, ExactIndex target, long from)
    {
        long to = await session.ChangeAsync();
        if (from == to)
        {
            return to;
        }

        bool mean = info.Scoring == PersonScore.Mean;
        IAsyncEnumerable<long> ReadIds(string sql) => session.StreamAsync(sql, r => r.GetInt64(0), from);
        if (from > 0)
        {
            await foreach (long template in ReadIds("SELECT template FROM gone WHERE change > $1"))
            {
                store.Damage.TryRemove(template, out _);
                if (!mean)
                {
                    target.Remove(template);
                }
            }
        }

        if (!mean)
        {
            await IndexTemplatesAsync(session, target, from);
            return to;
        }

        const string Changed = "SELECT person FROM template WHERE id > $1 UNION SELECT person FROM gone WHERE change > $1";
        await foreach (long person in ReadIds(from == 0 ? "SELECT id FROM person WHERE id > $1" : Changed))
        {
            if (range.Contains(person))
            {
                await IndexMeanAsync(session, target, person);
            }
        }

        return to;
    }

    private async Task IndexTemplatesAsync(SqlSession session, ExactIndex target, long from)
    {
        ConcurrentBag<(long Id, long Person, string Fault)> faults = [];
        await foreach ((long Id, long Person, byte[] Stored, long Checksum)[] chunk in session.StreamAsync(
            "SELECT id, person, embedding, checksum FROM template WHERE id > $1 AND id < $2 ORDER BY id",
            r => (r.GetInt64(0), r.GetInt64(1), (byte[])r[2], r.GetInt64(3)),
            Math.Max(from, range.First - 1),
            range.End).Chunk(ChunkSize))
        {
            // Decrypting and quantizing are most of the work.
            ParallelLoop.RunRanges(
                chunk.Length,
                RangeSize,
                (first, end) =>
                {
                    float[] row = new float[info.EmbeddingSize];
                    foreach ((long id, long person, byte[] stored, long checksum) in chunk.AsSpan(first, end - first))
                    {
                        if (store.FindFault(id, person, stored, checksum, row) is string fault)
                        {
                            faults.Add((id, person, fault));
                            continue;
                        }

                        target.Add(id, person, row);
                    }
                },
                session.Stop);
        }

        await AddDamageAsync(session, faults);
    }

    private async Task IndexMeanAsync(SqlSession session, ExactIndex target, long person)
    {
        List<float[]> templates = [];
        List<(long, long, string)> faults = [];
        await foreach ((long id, string? fault, float[] row) in session.StreamAsync(
            "SELECT id, embedding, checksum FROM template WHERE person = $1 ORDER BY id",
            r =>
            {
                float[] row = new float[info.EmbeddingSize];
                return (r.GetInt64(0), store.FindFault(r.GetInt64(0), person, (byte[])r[1], r.GetInt64(2), row), row);
            },
            person))
        {
            if (fault is not null)
            {
                faults.Add((id, person, fault));
                continue;
            }

            templates.Add(row);
        }

        await AddDamageAsync(session, faults);
        if (templates.Count == 0)
        {
            target.Remove(person);
            return;
        }

        target.Add(person, person, MeanTemplate.Compute(templates));
    }

    private async Task AddDamageAsync(SqlSession session, IReadOnlyCollection<(long Id, long Person, string Fault)> faults)
    {
        if (faults.Count == 0)
        {
            return;
        }

        Dictionary<long, string> names = await store.PersonNamesAsync(session, faults.Select(f => f.Person));
        foreach ((long id, long person, string fault) in faults)
        {
            store.Damage[id] = GalleryChecks.DescribeDamage(names.GetValueOrDefault(person, "(unknown person)"), id, fault);
        }
    }
}
