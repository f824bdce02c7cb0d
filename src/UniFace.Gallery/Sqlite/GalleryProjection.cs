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

    private string StoredPath => database.Path + ".index";

    private string Owner => $"{info.Id} {info.Scoring}";

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

    /// <summary>Stores the index; if not <paramref name="always"/>, only where enough is new.</summary>
    public async Task StoreAsync(bool always, CancellationToken stop)
    {
        await gate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            ExactIndex current = await database.ReadAsync(connection => Refresh(connection, fromFile: true, stop), stop).ConfigureAwait(false);
            if (always || seen - Math.Max(stored, 0) > Math.Max(WorthStoring, current.Count / 10))
            {
                await SaveAsync(current, seen, stop).ConfigureAwait(false);
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
            using ExactIndex made = new(info.EmbeddingSize);
            long change = await database.ReadAsync(connection => CatchUp(connection, made, 0, stop), stop).ConfigureAwait(false);
            await SaveAsync(made, change, stop).ConfigureAwait(false);
            return made.Count;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Overwrites rows of the stored index; deletes it where it cannot be read, and what a kill left of one that was being stored.</summary>
    public void Erase(IReadOnlyCollection<long> rows)
    {
        DeleteLeftovers();
        if (info.Encrypted || !File.Exists(IndexFiles.CodesPath(StoredPath)))
        {
            return;
        }

        try
        {
            ExactIndex.Erase(StoredPath, rows);
        }
        catch (UniFaceException)
        {
            ExactIndex.Delete(StoredPath);
        }
    }

    // AtomicFile writes .NAME.PROCESS.tmp beside; a process that was killed leaves it, with everybody's rows in it. Who has that number now says
    // nothing: in a container every service is process 1. The writer holds a lock that ends with it.
    private void DeleteLeftovers()
    {
        string full = Path.GetFullPath(StoredPath);
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.*.tmp"))
        {
            try
            {
                using FileStream nobodys = new(file, FileMode.Open, FileAccess.Read, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None);
                File.Delete(file);
            }
            catch (IOException)
            {
                // It is being written, or was renamed just now.
            }
        }
    }

    /// <summary>What is wrong with the stored index; null where all is well or there is none.</summary>
    public string? Problem(SqliteConnection connection, CancellationToken stop)
    {
        if (!File.Exists(IndexFiles.CodesPath(StoredPath)) && !File.Exists(IndexFiles.RowsPath(StoredPath)))
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

        if (GalleryDatabase.Meta(connection, "contract") as string != info.ContractId)
        {
            throw new UniFaceException($"{database.Path}: the gallery was moved to another model meanwhile; open it again.");
        }

        if (index is null)
        {
            long change = 0;
            index = (fromFile && !info.Encrypted ? TryOpen(connection, out change, quiet: true) : null) ?? new ExactIndex(info.EmbeddingSize);
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
            opened = ExactIndex.Open(StoredPath, out IndexStamp stamp);
            if (stamp.Owner == Owner && stamp.ContractId == info.ContractId && stamp.Change <= GalleryDatabase.Change(connection) && opened.Dimension == info.EmbeddingSize)
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

    private async Task SaveAsync(ExactIndex current, long change, CancellationToken stop)
    {
        if (info.Encrypted)
        {
            return;
        }

        current.Save(StoredPath, new IndexStamp(Owner, info.ContractId, change));
        FileModes.Copy(database.Path, IndexFiles.RowsPath(StoredPath));
        FileModes.Copy(database.Path, IndexFiles.CodesPath(StoredPath));
        stored = change;

        // Whoever was removed by another process meanwhile was erased from the old file, not from this one.
        List<long> rows = await database.ReadAsync(connection => GalleryDatabase.Numbers(connection, info.Scoring == PersonScore.Mean ? "SELECT DISTINCT person FROM gone WHERE change > $from" : "SELECT template FROM gone WHERE change > $from", ("$from", change)), stop).ConfigureAwait(false);
        if (rows.Count > 0)
        {
            Erase(rows);
        }
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
        }

        using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT id, person, embedding FROM template WHERE id > $from ORDER BY id", ("$from", from));
        using SqliteDataReader reader = command.ExecuteReader();
        List<(long Id, long Person, byte[] Stored)> piece = new(Piece);
        bool more;
        do
        {
            more = reader.Read();
            if (more)
            {
                piece.Add((reader.GetInt64(0), reader.GetInt64(1), (byte[])reader[2]));
            }

            if (piece.Count == Piece || (!more && piece.Count > 0))
            {
                // Decrypting and quantising are most of the work.
                Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(0, piece.Count), new ParallelOptions { CancellationToken = stop }, range =>
                {
                    float[] row = new float[info.EmbeddingSize];
                    for (int i = range.Item1; i < range.Item2; i++)
                    {
                        records.Open(piece[i].Id, piece[i].Person, piece[i].Stored, row);
                        target.Add(piece[i].Id, piece[i].Person, row);
                    }
                });
                piece.Clear();
            }
        }
        while (more);
        return to;
    }

    private void PutMean(SqliteConnection connection, ExactIndex target, long person)
    {
        double[] sum = new double[info.EmbeddingSize];
        float[] row = new float[info.EmbeddingSize];
        int count = 0;
        using (SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT id, embedding FROM template WHERE person = $person ORDER BY id", ("$person", person)))
        {
            using SqliteDataReader reader = command.ExecuteReader();
            for (; reader.Read(); count++)
            {
                records.Open(reader.GetInt64(0), person, (byte[])reader[1], row);
                for (int i = 0; i < row.Length; i++)
                {
                    sum[i] += row[i];
                }
            }
        }

        if (count == 0)
        {
            target.Remove(person);
            return;
        }

        target.Add(person, person, [.. sum.Select(s => (float)(s / count))]);
    }
}
