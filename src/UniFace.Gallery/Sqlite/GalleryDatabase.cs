namespace UniFace.Gallery.Sqlite;

/// <summary>
/// The SQLite file of a gallery: one connection that writes and one that reads, each used by one thread at a time. It has a write-ahead log,
/// a commit is on the disk when it returns (synchronous=FULL), and deleted bytes are overwritten (secure_delete).
/// </summary>
internal sealed class GalleryDatabase : IDisposable
{
    /// <summary>The schema version that this code writes.</summary>
    public const long Format = 1;

    private const string TimesSince = "times_since", Enrolled = "enrolled";

    // Columns of the table "template" that the first galleries did not have, and their types.
    private static readonly Dictionary<string, string> AddedColumns = new() { [Enrolled] = "INTEGER", ["photo"] = "BLOB" };

    private const int PageSize = 16384, Busy = 5, Locked = 6, ReadOnly = 8, InputOutput = 10, Corrupt = 11, Full = 13, CannotOpen = 14, NoDatabase = 26;

    // A template's id is the number of the change that added it. Removals count on the same counter and leave a tombstone in the table
    // "gone". The changes since c are the templates with an id above c and the tombstones above c.
    private const string Schema =
        """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, name_key BLOB NOT NULL UNIQUE, name BLOB);
        CREATE TABLE template(id INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES person(id), checksum INTEGER NOT NULL,
            source BLOB, embedding BLOB NOT NULL, enrolled INTEGER, photo BLOB);
        CREATE INDEX template_person ON template(person);
        CREATE TABLE crop(template INTEGER PRIMARY KEY REFERENCES template(id), checksum INTEGER NOT NULL, image BLOB NOT NULL);
        CREATE TABLE pending(template INTEGER PRIMARY KEY REFERENCES template(id), embedding BLOB NOT NULL);
        CREATE TABLE gone(change INTEGER PRIMARY KEY, template INTEGER NOT NULL, person INTEGER NOT NULL, erased INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX gone_unerased ON gone(erased) WHERE erased = 0;
        """;

    private readonly SqliteConnection writer;
    private readonly SqliteConnection reader;
    private readonly SemaphoreSlim writeGate = new(1, 1);
    private readonly SemaphoreSlim readGate = new(1, 1);

    private GalleryDatabase(string path, SqliteConnection writer, SqliteConnection reader)
    {
        Path = path;
        this.writer = writer;
        this.reader = reader;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Called after each step of storing, removing and erasing, so that tests can simulate a kill there.</summary>
    public Action<string> Step { get; set; } = static _ => { };

    /// <summary>True if the file or its folder cannot be written.</summary>
    public bool IsReadOnly { get; private init; }

    /// <summary>Creates a database file with its tables and the rows that <paramref name="fill"/> inserts, atomically.</summary>
    public static void Create(string path, Action<SqliteConnection> fill) => GalleryFile.Create(path, overwrite: false, temporary =>
    {
        using SqliteConnection connection = Connect(temporary, SqliteOpenMode.ReadWriteCreate);
        connection.Run($"PRAGMA page_size={PageSize}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
        using SqliteTransaction transaction = connection.BeginTransaction();
        connection.Run(Schema);
        fill(connection);
        transaction.Commit();
        connection.Run("PRAGMA wal_checkpoint(TRUNCATE);");
    });

    /// <summary>Opens a database file, read-only if it cannot be written.</summary>
    public static GalleryDatabase Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such gallery; create it with 'uniface gallery create'.");
        }

        return Guard(path, () =>
        {
            try
            {
                return Open(path, path, SqliteOpenMode.ReadWrite);
            }
            catch (SqliteException e) when (e.SqliteErrorCode is ReadOnly or CannotOpen)
            {
                return OpenReadOnly(path);
            }
        });
    }

    /// <summary>Opens a database file on a disk that cannot be written.</summary>
    public static GalleryDatabase OpenReadOnly(string path)
    {
        try
        {
            // Nobody can change the file, so SQLite needs neither a log nor locks, for which it would create files.
            return GalleryFile.HasLog(path)
                ? Open(path, path, SqliteOpenMode.ReadOnly)
                : Open(path, new Uri(System.IO.Path.GetFullPath(path)).AbsoluteUri + "?immutable=1", SqliteOpenMode.ReadOnly);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is ReadOnly or CannotOpen && GalleryFile.HasLog(path))
        {
            throw new UniFaceException(
                $"{path}: cannot be written, and {path}-wal holds changes that are not in it yet; open it once where it can be written, " +
                "e.g. with 'uniface gallery list'.",
                e);
        }
    }

    private static GalleryDatabase Open(string path, string source, SqliteOpenMode mode)
    {
        SqliteConnection? writer = null, reader = null;
        try
        {
            writer = Connect(source, mode);
            if (mode == SqliteOpenMode.ReadWrite)
            {
                writer.Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;");
            }

            reader = Connect(source, mode);
            bool readOnly = SQLitePCL.raw.sqlite3_db_readonly(writer.Handle, "main") != 0;
            if (readOnly && MissingColumns(reader) is { Count: > 0 } missing)
            {
                // An older gallery, whose columns cannot be added now: a view stands in, with NULLs for what is missing.
                string nulls = string.Concat(missing.Select(column => $", NULL AS {column}"));
                reader.Run($"PRAGMA temp_store=MEMORY; CREATE TEMP VIEW template AS SELECT *{nulls} FROM main.template;");
            }

            reader.Run("PRAGMA query_only=ON;");
            return new GalleryDatabase(path, writer, reader) { IsReadOnly = readOnly };
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
        if ((await ReadAsync(MissingColumns, stop)).Count == 0)
        {
            return;
        }

        await WriteAsync(
            connection =>
            {
                foreach (string column in MissingColumns(connection))
                {
                    connection.Run($"ALTER TABLE template ADD COLUMN {column} {AddedColumns[column]}");
                    if (column == Enrolled)
                    {
                        connection.SetMeta(TimesSince, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
                    }
                }
            },
            stop);
    }

    /// <summary>The enrollment time, in Unix seconds, of templates that were enrolled before the gallery kept times.</summary>
    public static long DefaultEnrolled(SqliteConnection connection) => connection.Meta(TimesSince) as long? ?? 0;

    private static List<string> MissingColumns(SqliteConnection connection) =>
        [.. AddedColumns.Keys.Except(connection.Query("SELECT name FROM pragma_table_info('template')", r => r.GetString(0)))];

    /// <summary>Replaces another file's content with this database, in one transaction, while this one stays in use.</summary>
    public Task CopyToAsync(string path, CancellationToken stop) => ReadAsync(
        connection =>
        {
            using SqliteConnection target = Connect(path, SqliteOpenMode.ReadWrite);
            connection.BackupDatabase(target);
        },
        stop);

    /// <summary>Rewrites all pages, so that nothing is left in their unused parts.</summary>
    public Task VacuumAsync(CancellationToken stop) => RunAsync(
        writeGate,
        () =>
        {
            writer.Run("VACUUM");
            return 0;
        },
        stop);

    /// <summary>Runs work in a write transaction: all of it is done, or nothing.</summary>
    public Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken stop) => RunAsync(
        writeGate,
        () =>
        {
            using SqliteTransaction transaction = writer.BeginTransaction(deferred: false);
            T result = work(writer);
            stop.ThrowIfCancellationRequested();
            transaction.Commit();
            return result;
        },
        stop);

    /// <summary>Runs work in a write transaction: all of it is done, or nothing.</summary>
    public Task WriteAsync(Action<SqliteConnection> work, CancellationToken stop) => WriteAsync(Returning(work), stop);

    /// <summary>Runs work on one state of the database.</summary>
    public Task<T> ReadAsync<T>(Func<SqliteConnection, T> work, CancellationToken stop) => RunAsync(
        readGate,
        () =>
        {
            using SqliteTransaction transaction = reader.BeginTransaction(deferred: true);
            return work(reader);
        },
        stop);

    /// <summary>Runs work on one state of the database.</summary>
    public Task ReadAsync(Action<SqliteConnection> work, CancellationToken stop) => ReadAsync(Returning(work), stop);

    /// <summary>Moves the log into the file and empties it.</summary>
    /// <param name="patience">How long to retry while another process is reading.</param>
    /// <param name="stop">Stops it.</param>
    /// <returns>False if another process was reading all the time, so that the log stays.</returns>
    public async Task<bool> TruncateLogAsync(TimeSpan patience, CancellationToken stop)
    {
        for (Stopwatch waited = Stopwatch.StartNew(); ; await Task.Delay(100, stop))
        {
            bool late = waited.Elapsed >= patience;

            // This process's reader keeps the log as another's does.
            await readGate.WaitAsync(stop);
            try
            {
                if (await RunAsync(writeGate, () => writer.Scalar("PRAGMA wal_checkpoint(TRUNCATE)") is 0L, stop))
                {
                    return true;
                }
            }
            finally
            {
                readGate.Release();
            }

            if (late)
            {
                return false;
            }
        }
    }

    /// <summary>Limits the database to this many pages, as a full disk does; for tests.</summary>
    public void LimitPages(int pages) => writer.Run($"PRAGMA max_page_count={pages}");

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        writer.Dispose();
        reader.Dispose();
        writeGate.Dispose();
        readGate.Dispose();
    }

    private Task<T> RunAsync<T>(SemaphoreSlim gate, Func<T> work, CancellationToken stop) => Task.Run(
        async () =>
        {
            await gate.WaitAsync(stop);
            try
            {
                return Guard(Path, work);
            }
            finally
            {
                gate.Release();
            }
        },
        stop);

    private static Func<SqliteConnection, int> Returning(Action<SqliteConnection> work) => connection =>
    {
        work(connection);
        return 0;
    };

    private static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 5 }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs work and turns SQLite's errors into messages for the user.</summary>
    public static T Guard<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            throw new UniFaceException(
                $"{path}: " + e.SqliteErrorCode switch
                {
                    Busy or Locked => "another process is writing to the gallery; nothing was changed. Try again when it is done.",
                    Full => "the disk is full; nothing was written, and what was enrolled before is kept. Free space and try again.",
                    InputOutput => $"the disk cannot be read or written ({e.Message}); what was enrolled before is kept. Check space and disk, and try again.",
                    Corrupt => "the gallery's database is damaged; restore it from a copy. 'uniface gallery verify-integrity' lists the problems.",
                    NoDatabase => "not a gallery: expected a file that 'uniface gallery create' made.",
                    ReadOnly => "the gallery cannot be written; check the permissions of the file and its folder.",
                    CannotOpen => "the gallery cannot be opened; check the permissions of the file and its folder.",
                    _ => $"the gallery's database failed: {e.Message}",
                },
                e);
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions.OfType<UniFaceException>().FirstOrDefault() is UniFaceException first)
        {
            // Work on several threads reports the first error only.
            throw new UniFaceException(first.Message, e);
        }
    }
}
