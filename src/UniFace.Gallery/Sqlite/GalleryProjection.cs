using UniFace.Gallery.Index;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// The search index of a gallery, which follows the database change by change. It has one row per template for
/// <see cref="PersonScore.Best"/>. For <see cref="PersonScore.Mean"/> it has one row per person, the mean of the templates: the inner product
/// with it is the mean of the cosines.
/// </summary>
internal sealed class GalleryProjection(GalleryStore store) : IDisposable
{
    private const int ChunkSize = 2048;

    // Reading a change takes microseconds: below this many, the next start is quick without storing the index again.
    private const long WorthStoring = 20_000;

    private readonly GalleryDatabase database = store.Database;
    private readonly GalleryInfo info = store.Info;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly ConcurrentDictionary<long, string> damage = [];
    private ExactIndex? index;
    private long indexedChange;
    private long storedChange = -1;
    private long dataVersion = -1;
    private volatile bool distrustFile;

    /// <summary>The file that keeps the index.</summary>
    public StoredIndex Stored { get; } = new(store.Path, store.Info);

    /// <summary>Templates that cannot be read and are not in the index: what is wrong, by template id.</summary>
    public IReadOnlyDictionary<long, string> Damage => damage;

    /// <summary>The index with all committed changes.</summary>
    public Task<ExactIndex> RefreshAsync(CancellationToken stop) => ExclusivelyAsync(() => CurrentAsync(stop), stop);

    /// <summary>The index rebuilt from the database, after a search found that the stored file was cut off or damaged since it was opened.</summary>
    public Task<ExactIndex> RebuildWithoutFileAsync(ExactIndex faulty, CancellationToken stop) => ExclusivelyAsync(
        () =>
        {
            if (ReferenceEquals(index, faulty))
            {
                // Not disposed: other searches may still use it.
                (index, dataVersion, distrustFile) = (null, -1, true);
            }

            return CurrentAsync(stop);
        },
        stop);

    /// <summary>Stores the index; without <paramref name="always"/>, only if enough is new.</summary>
    public Task StoreAsync(bool always, CancellationToken stop) => ExclusivelyAsync(
        async () =>
        {
            ExactIndex current = await CurrentAsync(stop);
            if (!info.Encrypted && !database.IsReadOnly
                && (always || indexedChange - Math.Max(storedChange, 0) > Math.Max(WorthStoring, current.Count / 10)))
            {
                // If another process is storing it, that is not worth waiting for.
                using FileLock? held = always ? await StoredIndex.LockAsync(database.Path, stop) : Stored.TryLock();
                if (held is not null)
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
                    $"{database.Path}: the index cannot be stored, because the gallery or its folder cannot be written; searches work without it.");
            }

            using ExactIndex made = new(info.EmbeddingSize);
            long change = await database.ReadAsync(connection => CatchUp(connection, made, 0, stop), stop);
            using FileLock held = await StoredIndex.LockAsync(database.Path, stop);
            Save(made, await database.ReadAsync(connection => CatchUp(connection, made, change, stop), stop));
            return made.Count;
        },
        stop);

    /// <summary>What is wrong with the stored index; null if it is right or there is none.</summary>
    public string? FindProblem(SqliteConnection connection, CancellationToken stop)
    {
        if (!File.Exists(Stored.Path))
        {
            return null;
        }

        try
        {
            using ExactIndex? opened = Open(connection, out long change);
            if (opened is null)
            {
                return "the stored index belongs to another gallery, model or state; rebuild it with 'uniface gallery rebuild'";
            }

            CatchUp(connection, opened, change, stop);
            using ExactIndex expected = new(info.EmbeddingSize);
            CatchUp(connection, expected, 0, stop);
            return opened.HasSameRows(expected) ? null : "the stored index differs from the database; rebuild it with 'uniface gallery rebuild'";
        }
        catch (UniFaceException e)
        {
            return e.Message;
        }
    }

    /// <summary>Frees the index.</summary>
    public void Dispose()
    {
        index?.Dispose();
        index = null;
        gate.Dispose();
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
        connection =>
        {
            long now = (long)connection.Scalar("PRAGMA data_version")!;
            if (index is null || now != dataVersion)
            {
                store.EnsureUnmoved(connection);
                index ??= Load(connection);
                indexedChange = CatchUp(connection, index, indexedChange, stop);
                dataVersion = now;
            }

            return index;
        },
        stop);

    // The stored index if it can be used, else an empty one.
    private ExactIndex Load(SqliteConnection connection)
    {
        (indexedChange, storedChange) = (0, -1);
        try
        {
            if (!distrustFile && !info.Encrypted && Open(connection, out long change) is ExactIndex opened)
            {
                (indexedChange, storedChange) = (change, change > 0 ? change : -1);
                return opened;
            }
        }
        catch (UniFaceException)
        {
            // The database holds everything that is needed.
        }

        return new ExactIndex(info.EmbeddingSize);
    }

    // The stored index; null if it is not of this gallery as it is now.
    private ExactIndex? Open(SqliteConnection connection, out long change)
    {
        ExactIndex opened = ExactIndex.Open(Stored.Path, out IndexStamp stamp);
        change = stamp.Change;
        if (stamp.Owner == Stored.Owner && stamp.ContractId == info.ContractId && change <= connection.Change() && opened.Dimension == info.EmbeddingSize)
        {
            return opened;
        }

        opened.Dispose();
        return null;
    }

    // The caller holds the index's lock. With damaged templates nothing is stored, so that the next start reports them too.
    private void Save(ExactIndex current, long change)
    {
        if (info.Encrypted)
        {
            return;
        }

        Stored.DeleteLeftovers();
        if (!damage.IsEmpty)
        {
            StoredIndex.Delete(Stored.Path);
            return;
        }

        current.Save(Stored.Path, new IndexStamp(Stored.Owner, info.ContractId, change));
        FileModes.Copy(database.Path, Stored.Path);
        storedChange = change;
        database.Step("index stored");
    }

    // Brings an index from one change to the database's last.
    private long CatchUp(SqliteConnection connection, ExactIndex target, long from, CancellationToken stop)
    {
        long to = connection.Change();
        if (from == to)
        {
            return to;
        }

        bool mean = info.Scoring == PersonScore.Mean;
        foreach (long template in from == 0 ? [] : connection.Numbers("SELECT template FROM gone WHERE change > $from", ("$from", from)))
        {
            damage.TryRemove(template, out _);
            if (!mean)
            {
                target.Remove(template);
            }
        }

        if (mean)
        {
            const string Changed = "SELECT person FROM template WHERE id > $from UNION SELECT person FROM gone WHERE change > $from";
            foreach (long person in connection.Numbers(from == 0 ? "SELECT id FROM person" : Changed, ("$from", from)))
            {
                stop.ThrowIfCancellationRequested();
                PutMean(connection, target, person);
            }
        }
        else
        {
            PutTemplates(connection, target, from, stop);
        }

        return to;
    }

    private void PutTemplates(SqliteConnection connection, ExactIndex target, long from, CancellationToken stop)
    {
        ConcurrentBag<(long Id, long Person, string Fault)> faults = [];
        foreach ((long Id, long Person, byte[] Stored, long Checksum)[] chunk in connection.Query(
            "SELECT id, person, embedding, checksum FROM template WHERE id > $from ORDER BY id",
            r => (r.GetInt64(0), r.GetInt64(1), (byte[])r[2], r.GetInt64(3)),
            ("$from", from)).Chunk(ChunkSize))
        {
            // Decrypting and quantising are most of the work.
            Parallel.ForEach(Partitioner.Create(0, chunk.Length), new ParallelOptions { CancellationToken = stop }, range =>
            {
                float[] row = new float[info.EmbeddingSize];
                foreach ((long id, long person, byte[] stored, long checksum) in chunk.AsSpan(range.Item1, range.Item2 - range.Item1))
                {
                    if (store.Records.FindFault(id, person, stored, checksum, info, row) is string fault)
                    {
                        faults.Add((id, person, fault));
                        continue;
                    }

                    target.Add(id, person, row);
                }
            });
        }

        AddDamage(connection, faults);
    }

    private void PutMean(SqliteConnection connection, ExactIndex target, long person)
    {
        float[] row = new float[info.EmbeddingSize];
        List<float[]> templates = [];
        List<(long, long, string)> faults = [];
        foreach ((long id, byte[] stored, long checksum) in connection.Query(
            "SELECT id, embedding, checksum FROM template WHERE person = $person ORDER BY id",
            r => (r.GetInt64(0), (byte[])r[1], r.GetInt64(2)),
            ("$person", person)))
        {
            if (store.Records.FindFault(id, person, stored, checksum, info, row) is string fault)
            {
                faults.Add((id, person, fault));
                continue;
            }

            templates.Add([.. row]);
        }

        AddDamage(connection, faults);
        if (templates.Count == 0)
        {
            target.Remove(person);
            return;
        }

        target.Add(person, person, MeanTemplate.Compute(templates));
    }

    private void AddDamage(SqliteConnection connection, IReadOnlyCollection<(long Id, long Person, string Fault)> faults)
    {
        Dictionary<long, string> names = store.Records.PersonNames(connection, faults.Select(f => f.Person));
        foreach ((long id, long person, string fault) in faults)
        {
            damage[id] = GalleryChecks.DescribeDamage(names.GetValueOrDefault(person, "somebody"), id, fault);
        }
    }
}
