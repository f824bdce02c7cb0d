using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using UniFace.Gallery.Index;
using UniFace.IO;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// The index of a gallery: a row a template for <see cref="PersonScore.Best"/>, a row a person for <see cref="PersonScore.Mean"/> - the mean of the
/// templates, because the mean of the cosines is the inner product with it. It follows the database change by change.
/// </summary>
internal sealed class GalleryProjection(GalleryDatabase database, GalleryRecords records, GalleryInfo info) : IAsyncDisposable
{
    private const int Piece = 2048;

    // Reading a change takes some microseconds: below this many, the next start is quick without storing the index again.
    private const long WorthStoring = 20_000;

    private readonly SemaphoreSlim gate = new(1, 1);
    private ExactIndex? index;
    private long seen;
    private long stored = -1;
    private long version = -1;
    private volatile bool distrusted;

    private readonly ConcurrentDictionary<long, string> damage = [];

    /// <summary>The file beside the database that keeps the index.</summary>
    public StoredIndex Stored { get; } = new(database.Path, info);

    /// <summary>Templates that cannot be read and are not in the index: what is wrong, by template id.</summary>
    public IReadOnlyDictionary<long, string> Damage => damage;

    /// <summary>Refuses a gallery that another process has moved to another model, restored or given another key since it was opened.</summary>
    public static void EnsureUnmoved(SqliteConnection connection, GalleryInfo info, string path)
    {
        if (GalleryDatabase.Meta(connection, "contract") as string != info.ContractId)
        {
            throw GalleryMovedException.Of(path, "moved to another model");
        }

        EnsureSameKey(connection, info, path);
    }

    /// <summary>Refuses a gallery that another process has restored or given another key since it was opened: no name in it is found by the old key.</summary>
    public static void EnsureSameKey(SqliteConnection connection, GalleryInfo info, string path)
    {
        if (GalleryDatabase.Meta(connection, SqliteGallery.GenerationKey) as string != info.Generation)
        {
            throw GalleryMovedException.Of(path, "restored or given another key");
        }
    }

    /// <summary>The index with all that is committed.</summary>
    public async Task<ExactIndex> FreshAsync(CancellationToken stop)
    {
        await gate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return await database.ReadAsync(connection => Refresh(connection, fromFile: true, stop), stop).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>The index made from the database alone, because a search found that the stored one was cut off or damaged since it was opened.</summary>
    public async Task<ExactIndex> WithoutFileAsync(ExactIndex faulty, CancellationToken stop)
    {
        await gate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (ReferenceEquals(index, faulty))
            {
                // Not freed: other searches may still run on it.
                (index, version, distrusted) = (null, -1, true);
            }

            return await database.ReadAsync(connection => Refresh(connection, fromFile: false, stop), stop).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Stores the index; if not <paramref name="always"/>, only where enough is new.</summary>
    public async Task StoreAsync(bool always, CancellationToken stop)
    {
        await gate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            ExactIndex current = await database.ReadAsync(connection => Refresh(connection, fromFile: true, stop), stop).ConfigureAwait(false);
            if (info.Encrypted || database.IsReadOnly)
            {
                return; // The index is in memory only.
            }

            if (always || seen - Math.Max(stored, 0) > Math.Max(WorthStoring, current.Count / 10))
            {
                // Not worth waiting for another process that stores it.
                using FileLock? held = always ? await StoredIndex.LockAsync(database.Path, stop).ConfigureAwait(false) : Stored.TryLock();
                if (held is not null)
                {
                    Save(await database.ReadAsync(connection => Refresh(connection, fromFile: true, stop), stop).ConfigureAwait(false), seen);
                }
            }
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Makes the index anew from the database, and stores it.</summary>
    public async Task<long> RebuildAsync(CancellationToken stop)
    {
        await gate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (database.IsReadOnly)
            {
                throw new UniFaceException($"{database.Path}: the index cannot be stored, because the gallery or its folder cannot be written; it is searched without.");
            }

            using ExactIndex made = new(info.EmbeddingSize);
            long change = await database.ReadAsync(connection => CatchUp(connection, made, 0, stop), stop).ConfigureAwait(false);
            using FileLock held = await StoredIndex.LockAsync(database.Path, stop).ConfigureAwait(false);
            Save(made, await database.ReadAsync(connection => CatchUp(connection, made, change, stop), stop).ConfigureAwait(false));
            return made.Count;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>What is wrong with the stored index; null where all is well or there is none.</summary>
    public string? Problem(SqliteConnection connection, CancellationToken stop)
    {
        if (!File.Exists(Stored.Path))
        {
            return null;
        }

        ExactIndex? opened;
        try
        {
            opened = TryOpen(connection, out long change, quiet: false);
            if (opened is null)
            {
                return "the stored index is of another gallery, model or time; 'uniface gallery rebuild' makes it anew";
            }

            using (opened)
            {
                CatchUp(connection, opened, change, stop);
                using ExactIndex truth = new(info.EmbeddingSize);
                CatchUp(connection, truth, 0, stop);
                return opened.HasSameRows(truth) ? null : "the stored index does not hold what the database holds; 'uniface gallery rebuild' makes it anew";
            }
        }
        catch (UniFaceException e)
        {
            return e.Message;
        }
    }

    /// <summary>Frees the index.</summary>
    public ValueTask DisposeAsync()
    {
        index?.Dispose();
        index = null;
        gate.Dispose();
        return ValueTask.CompletedTask;
    }

    private ExactIndex Refresh(SqliteConnection connection, bool fromFile, CancellationToken stop)
    {
        long now = (long)GalleryDatabase.Scalar(connection, "PRAGMA data_version")!;
        if (index is not null && now == version)
        {
            return index;
        }

        EnsureUnmoved(connection, info, database.Path);
        if (index is null)
        {
            long change = 0;
            index = (fromFile && !distrusted && !info.Encrypted ? TryOpen(connection, out change, quiet: true) : null) ?? new ExactIndex(info.EmbeddingSize);
            (seen, stored) = (change, change > 0 ? change : -1);
        }

        seen = CatchUp(connection, index, seen, stop);
        version = now;
        return index;
    }

    private ExactIndex? TryOpen(SqliteConnection connection, out long change, bool quiet)
    {
        change = 0;
        ExactIndex? opened = null;
        try
        {
            opened = ExactIndex.Open(Stored.Path, out IndexStamp stamp);
            if (stamp.Owner == Stored.Owner && stamp.ContractId == info.ContractId && stamp.Change <= GalleryDatabase.Change(connection) && opened.Dimension == info.EmbeddingSize)
            {
                change = stamp.Change;
                return opened;
            }
        }
        catch (UniFaceException) when (quiet)
        {
            // A projection: what cannot be read is made anew from the database.
        }

        opened?.Dispose();
        return null;
    }

    // Under the index's lock, with all that is committed. Of a gallery that is not whole nothing is stored, so that the next start tells of it too.
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
        stored = change;
        database.Step("index stored");
    }

    // Brings an index from one change to the database's last.
    private long CatchUp(SqliteConnection connection, ExactIndex target, long from, CancellationToken stop)
    {
        long to = GalleryDatabase.Change(connection);
        if (from == to)
        {
            return to;
        }

        if (info.Scoring == PersonScore.Mean)
        {
            foreach (long template in from == 0 ? [] : GalleryDatabase.Numbers(connection, "SELECT template FROM gone WHERE change > $from", ("$from", from)))
            {
                damage.TryRemove(template, out _);
            }

            foreach (long person in GalleryDatabase.Numbers(connection, from == 0 ? "SELECT id FROM person" : "SELECT person FROM template WHERE id > $from UNION SELECT person FROM gone WHERE change > $from", ("$from", from)))
            {
                stop.ThrowIfCancellationRequested();
                PutMean(connection, target, person);
            }

            return to;
        }

        foreach (long template in from == 0 ? [] : GalleryDatabase.Numbers(connection, "SELECT template FROM gone WHERE change > $from", ("$from", from)))
        {
            target.Remove(template);
            damage.TryRemove(template, out _);
        }

        ConcurrentBag<(long Id, long Person, string Fault)> faults = [];
        using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT id, person, embedding, checksum FROM template WHERE id > $from ORDER BY id", ("$from", from));
        using SqliteDataReader reader = command.ExecuteReader();
        List<(long Id, long Person, byte[] Stored, long Checksum)> piece = new(Piece);
        bool more;
        do
        {
            more = reader.Read();
            if (more)
            {
                piece.Add((reader.GetInt64(0), reader.GetInt64(1), (byte[])reader[2], reader.GetInt64(3)));
            }

            if (piece.Count == Piece || (!more && piece.Count > 0))
            {
                // Decrypting and quantising are most of the work.
                Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(0, piece.Count), new ParallelOptions { CancellationToken = stop }, range =>
                {
                    float[] row = new float[info.EmbeddingSize];
                    for (int i = range.Item1; i < range.Item2; i++)
                    {
                        if (records.Fault(piece[i].Id, piece[i].Person, piece[i].Stored, piece[i].Checksum, info, row) is string fault)
                        {
                            faults.Add((piece[i].Id, piece[i].Person, fault));
                            continue;
                        }

                        target.Add(piece[i].Id, piece[i].Person, row);
                    }
                });
                piece.Clear();
            }
        }
        while (more);
        Note(connection, faults);
        return to;
    }

    private void Note(SqliteConnection connection, IReadOnlyCollection<(long Id, long Person, string Fault)> faults)
    {
        Dictionary<long, string> names = records.PersonNames(connection, faults.Select(f => f.Person).Distinct());
        foreach ((long id, long person, string fault) in faults)
        {
            damage[id] = EmbeddingCheck.Damaged(names.GetValueOrDefault(person, "somebody"), id, fault);
        }
    }

    private void PutMean(SqliteConnection connection, ExactIndex target, long person)
    {
        double[] sum = new double[info.EmbeddingSize];
        float[] row = new float[info.EmbeddingSize];
        int count = 0;
        List<(long, long, string)> faults = [];
        using (SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT id, embedding, checksum FROM template WHERE person = $person ORDER BY id", ("$person", person)))
        {
            using SqliteDataReader reader = command.ExecuteReader();
            while (reader.Read())
            {
                if (records.Fault(reader.GetInt64(0), person, (byte[])reader[1], reader.GetInt64(2), info, row) is string fault)
                {
                    faults.Add((reader.GetInt64(0), person, fault));
                    continue;
                }

                count++;
                for (int i = 0; i < row.Length; i++)
                {
                    sum[i] += row[i];
                }
            }
        }

        Note(connection, faults);
        if (count == 0)
        {
            target.Remove(person);
            return;
        }

        target.Add(person, person, [.. sum.Select(s => (float)(s / count))]);
    }
}
