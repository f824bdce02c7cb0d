namespace UniFace.Gallery.Sqlite;

/// <summary>
/// The SQLite file of a gallery: one connection that writes and one that reads, each used by one thread at a time. It has a write-ahead log,
/// a commit is on the disk when it returns (synchronous=FULL), and deleted bytes are overwritten (secure_delete).
/// </summary>
internal sealed class SqliteDatabase(string path, SqliteConnection writer, SqliteConnection reader) : SqlDatabase, IDisposable
{
    /// <summary>The schema version that this code writes.</summary>
    public const long Format = 1;

    /// <summary>Metadata key: the enrollment time, in Unix seconds, of templates that were enrolled before the gallery kept times.</summary>
    public const string TimesSince = "times_since";

    private const string Enrolled = "enrolled";

    // Columns of the table "template" that the first galleries did not have, and their types.
    private static readonly Dictionary<string, string> AddedColumns = new() { [Enrolled] = "INTEGER", ["photo"] = "BLOB" };

    private const int PageSize = 16384, Busy = 5, Locked = 6, ReadOnly = 8, InputOutput = 10, Corrupt = 11, Full = 13, CannotOpen = 14, NoDatabase = 26;

    private readonly SemaphoreSlim writeGate = new(1, 1);
    private readonly SemaphoreSlim readGate = new(1, 1);

    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>True if the file or its folder cannot be written.</summary>
    public bool IsReadOnly { get; private init; }

    /// <summary>Creates a database file with its tables and the rows that <paramref name="fill"/> inserts, atomically.</summary>
    public static Task CreateAsync(string path, Func<SqlSession, Task> fill) => SqliteFile.CreateAsync(path, overwrite: false, async temporary =>
    {
        await using SqliteConnection connection = Connect(temporary, SqliteOpenMode.ReadWriteCreate);
        SqlSession session = new(connection, CancellationToken.None);
        await session.RunAsync($"PRAGMA page_size={PageSize}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
        await using SqliteTransaction transaction = connection.BeginTransaction();
        await session.RunAsync(ReadSql<SqliteDatabase>("schema.sql"));
        await fill(session);
        transaction.Commit();
        await session.RunAsync("PRAGMA wal_checkpoint(TRUNCATE);");
    });

    /// <summary>Opens a database file, read-only if it cannot be written.</summary>
    public static Task<SqliteDatabase> OpenAsync(string path) => File.Exists(path)
        ? GuardAsync(path, async () =>
        {
            try
            {
                return await OpenAsync(path, path, SqliteOpenMode.ReadWrite);
            }
            catch (SqliteException e) when (e.SqliteErrorCode is ReadOnly or CannotOpen)
            {
                return await OpenReadOnlyAsync(path);
            }
        })
        : throw new UniFaceException($"{path}: no such gallery; create it with 'uniface gallery create'");

    /// <summary>Opens a database file on a disk that cannot be written.</summary>
    public static async Task<SqliteDatabase> OpenReadOnlyAsync(string path)
    {
        try
        {
            // No process can change the file, so SQLite needs neither a log nor locks, for which it would create files.
            string source = SqliteFile.HasLog(path) ? path : new Uri(System.IO.Path.GetFullPath(path)).AbsoluteUri + "?immutable=1";
            return await OpenAsync(path, source, SqliteOpenMode.ReadOnly);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is ReadOnly or CannotOpen && SqliteFile.HasLog(path))
        {
            throw new UniFaceException(
                $"{path}: cannot be written, and {path}-wal holds changes that are not in it yet; open it once where it can be written, " +
                "e.g. with 'uniface gallery list'",
                e);
        }
    }

    private static async Task<SqliteDatabase> OpenAsync(string path, string source, SqliteOpenMode mode)
    {
        SqliteConnection? writer = null, reader = null;
        try
        {
            writer = Connect(source, mode);
            if (mode == SqliteOpenMode.ReadWrite)
            {
                await new SqlSession(writer, CancellationToken.None).RunAsync(
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;");
            }

            reader = Connect(source, mode);
            SqlSession reading = new(reader, CancellationToken.None);
            bool readOnly = SQLitePCL.raw.sqlite3_db_readonly(writer.Handle, "main") != 0;
            if (readOnly && await MissingColumnsAsync(reading) is { Count: > 0 } missing)
            {
                // An older gallery, whose columns cannot be added now: a view stands in, with NULLs for what is missing.
                string nulls = string.Concat(missing.Select(column => $", NULL AS {column}"));
                await reading.RunAsync($"PRAGMA temp_store=MEMORY; CREATE TEMP VIEW template AS SELECT *{nulls} FROM main.template;");
            }

            await reading.RunAsync("PRAGMA query_only=ON;");
            return new SqliteDatabase(path, writer, reader) { IsReadOnly = readOnly };
        }
        catch
        {
            writer?.Dispose();
            reader?.Dispose();
            throw;
        }
    }

    /// <summary>Adds the columns for enrollment times and photo hashes to a gallery of an older version.</summary>
    public async Task AddMissingColumnsAsync(CancellationToken stop)
    {
        if ((await ReadAsync(MissingColumnsAsync, stop)).Count == 0)
        {
            return;
        }

        await WriteAsync(
            async session =>
            {
                foreach (string column in await MissingColumnsAsync(session))
                {
                    await session.RunAsync($"ALTER TABLE template ADD COLUMN {column} {AddedColumns[column]}");
                    if (column == Enrolled)
                    {
                        await session.SetMetaAsync(TimesSince, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
                    }
                }
            },
            stop);
    }

    private static async Task<List<string>> MissingColumnsAsync(SqlSession session) =>
        [.. AddedColumns.Keys.Except(await session.QueryAsync("SELECT name FROM pragma_table_info('template')", r => r.GetString(0)))];

    /// <summary>Replaces another file's content with this database, in one transaction, while this one stays in use.</summary>
    public Task CopyToAsync(string path, CancellationToken stop) => ReadAsync(
        async _ =>
        {
            await using SqliteConnection target = Connect(path, SqliteOpenMode.ReadWrite);
            reader.BackupDatabase(target);
        },
        stop);

    /// <summary>Rewrites all pages, so that nothing is left in their unused parts.</summary>
    public Task VacuumAsync(CancellationToken stop) => RunAsync(writeGate, () => new SqlSession(writer, stop).ScalarAsync("VACUUM"), stop);

    /// <inheritdoc/>
    public override Task<T> WriteAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop) => RunAsync(
        writeGate,
        async () =>
        {
            await using SqliteTransaction transaction = writer.BeginTransaction(deferred: false);
            T result = await work(new SqlSession(writer, stop));
            stop.ThrowIfCancellationRequested();
            transaction.Commit();
            return result;
        },
        stop);

    /// <inheritdoc/>
    public override Task<T> ReadAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop) => RunAsync(
        readGate,
        async () =>
        {
            await using SqliteTransaction transaction = reader.BeginTransaction(deferred: true);
            return await work(new SqlSession(reader, stop));
        },
        stop);

    /// <summary>Moves the log into the file and empties it.</summary>
    /// <param name="timeout">How long to retry while another process is reading.</param>
    /// <param name="stop">Cancels the waiting.</param>
    /// <returns>False if another process was reading until the timeout, so that the log stays.</returns>
    public async Task<bool> TruncateLogAsync(TimeSpan timeout, CancellationToken stop)
    {
        for (Stopwatch waited = Stopwatch.StartNew(); ; await Task.Delay(100, stop))
        {
            bool timedOut = waited.Elapsed >= timeout;

            // This process's reader keeps the log as another's does.
            await readGate.WaitAsync(stop);
            try
            {
                if (await RunAsync(writeGate, () => new SqlSession(writer, stop).ScalarAsync("PRAGMA wal_checkpoint(TRUNCATE)"), stop) is 0L)
                {
                    return true;
                }
            }
            finally
            {
                readGate.Release();
            }

            if (timedOut)
            {
                return false;
            }
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        writer.Dispose();
        reader.Dispose();
        writeGate.Dispose();
        readGate.Dispose();
    }

    private Task<T> RunAsync<T>(SemaphoreSlim gate, Func<Task<T>> work, CancellationToken stop) => Task.Run(
        async () =>
        {
            await gate.WaitAsync(stop);
            try
            {
                return await GuardAsync(Path, work);
            }
            finally
            {
                gate.Release();
            }
        },
        stop);

    private static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        SqliteConnectionStringBuilder settings = new() { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 5 };
        SqliteConnection connection = new(settings.ToString());
        connection.Open();
        return connection;
    }

    /// <summary>Runs work and turns SQLite's errors into messages for the user.</summary>
    public static async Task<T> GuardAsync<T>(string path, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (SqliteException e)
        {
            throw new UniFaceException(
                $"{path}: " + e.SqliteErrorCode switch
                {
                    Busy or Locked => "another process is writing to the gallery; nothing was changed; try again when it is done",
                    Full => "the disk is full; nothing was written, and what was enrolled before is kept; free space and try again",
                    InputOutput => $"the disk cannot be read or written ({e.Message}); what was enrolled before is kept; check space and disk, and try again",
                    Corrupt => "the gallery's database is damaged; restore it from a copy; 'uniface gallery verify-integrity' lists the problems",
                    NoDatabase => "not a gallery: expected a file created by 'uniface gallery create'",
                    ReadOnly => "the gallery cannot be written; check the permissions of the file and its folder",
                    CannotOpen => "the gallery cannot be opened; check the permissions of the file and its folder",
                    _ => $"the gallery's database failed: {e.Message}",
                },
                e);
        }
        catch (Exception e) when (e is InvalidCastException or FormatException or OverflowException)
        {
            throw new UniFaceException($"{path}: a value is of another type than the gallery stores: the gallery is damaged; restore it from a copy", e);
        }
    }
}
