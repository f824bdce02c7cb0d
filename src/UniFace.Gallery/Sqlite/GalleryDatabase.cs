using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// The SQLite file of a gallery: one connection that writes and one that reads, each used by one thread at a time; SQLite's errors in the
/// user's words. Write-ahead log, a commit is on the disk when it returns (synchronous=FULL), deleted bytes are overwritten (secure_delete).
/// </summary>
internal sealed class GalleryDatabase : IDisposable
{
    /// <summary>The schema that this version writes.</summary>
    public const long Format = 1;

    private const int PageSize = 16384, Busy = 5, Locked = 6, ReadOnly = 8, InputOutput = 10, Corrupt = 11, Full = 13, CannotOpen = 14, NoDatabase = 26;

    // A template's id is the number of the change that brought it, from one counter that removals count on too: what is new since
    // change c are the templates above c and the lines of gone above c.
    private const string Schema =
        """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE person(id INTEGER PRIMARY KEY AUTOINCREMENT, name_key BLOB NOT NULL UNIQUE, name BLOB);
        CREATE TABLE template(id INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES person(id), checksum INTEGER NOT NULL, source BLOB, embedding BLOB NOT NULL, enrolled INTEGER, photo BLOB);
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

    /// <summary>Called after each step of storing, removing and erasing, at which a kill may come; for tests.</summary>
    public Action<string> Step { get; set; } = static _ => { };

    /// <summary>True where the file or its folder cannot be written, so that nothing but reading is possible.</summary>
    public bool IsReadOnly { get; private init; }

    /// <summary>Makes a database file with its tables and what <paramref name="fill"/> puts in; whole or not at all.</summary>
    public static void Create(string path, Action<SqliteConnection> fill) => GalleryFile.Make(path, overwrite: false, beside =>
    {
        using SqliteConnection connection = Connect(beside, SqliteOpenMode.ReadWriteCreate);
        Run(connection, $"PRAGMA page_size={PageSize}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
        using SqliteTransaction transaction = connection.BeginTransaction();
        Run(connection, Schema);
        fill(connection);
        transaction.Commit();
        Run(connection, "PRAGMA wal_checkpoint(TRUNCATE);");
    });

    /// <summary>Opens a database file; only to read where it cannot be written.</summary>
    public static GalleryDatabase Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such gallery; 'uniface gallery create' makes one.");
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
            // Nobody can change it, so SQLite needs neither its log nor locks, for which it would make files beside.
            return GalleryFile.HasLog(path)
                ? Open(path, path, SqliteOpenMode.ReadOnly)
                : Open(path, new Uri(System.IO.Path.GetFullPath(path)).AbsoluteUri + "?immutable=1", SqliteOpenMode.ReadOnly);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is ReadOnly or CannotOpen && GalleryFile.HasLog(path))
        {
            throw new UniFaceException($"{path}: cannot be written, and changes in {path}-wal are not in it yet; open it once where it can be written, e.g. by 'uniface gallery list'.", e);
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
                Run(writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON;");
            }

            reader = Connect(source, mode);
            bool readOnly = SQLitePCL.raw.sqlite3_db_readonly(writer.Handle, "main") != 0;
            if (readOnly && Scalar(reader, "SELECT count(*) FROM pragma_table_info('template') WHERE name IN ('enrolled', 'photo')") is < 2L)
            {
                // One of before these were kept cannot be given them now; what reads them finds nothing.
                string missing = Scalar(reader, "SELECT 1 FROM pragma_table_info('template') WHERE name = 'enrolled'") is null ? ", NULL AS enrolled" : "";
                Run(reader, $"PRAGMA temp_store=MEMORY; CREATE TEMP VIEW template AS SELECT *{missing}, NULL AS photo FROM main.template;");
            }

            Run(reader, "PRAGMA query_only=ON;");
            return new GalleryDatabase(path, writer, reader) { IsReadOnly = readOnly };
        }
        catch
        {
            writer?.Dispose();
            reader?.Dispose();
            throw;
        }
    }

    /// <summary>Copies the database as it is now into another file, whose content is replaced at once, while this one is read and written on.</summary>
    public Task CopyToAsync(string path, CancellationToken stop) => ReadAsync(
        connection =>
        {
            using SqliteConnection target = Connect(path, SqliteOpenMode.ReadWrite);
            connection.BackupDatabase(target);
            return 0;
        },
        stop);

    /// <summary>Rewrites all pages, so that nothing is left in their unused parts.</summary>
    public async Task VacuumAsync(CancellationToken stop)
    {
        await writeGate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            await Task.Run(() => Guard(Path, () => { Run(writer, "VACUUM"); return 0; }), stop).ConfigureAwait(false);
        }
        finally
        {
            writeGate.Release();
        }
    }

    /// <summary>Runs work in a transaction that writes: all of it is done, or nothing.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken stop)
    {
        await writeGate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return await Task.Run(
                () => Guard(Path, () =>
                {
                    using SqliteTransaction transaction = writer.BeginTransaction(deferred: false);
                    T result = work(writer);
                    stop.ThrowIfCancellationRequested();
                    transaction.Commit();
                    return result;
                }),
                stop).ConfigureAwait(false);
        }
        finally
        {
            writeGate.Release();
        }
    }

    /// <summary>Runs work on one state of the database.</summary>
    public async Task<T> ReadAsync<T>(Func<SqliteConnection, T> work, CancellationToken stop)
    {
        await readGate.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return await Task.Run(
                () => Guard(Path, () =>
                {
                    using SqliteTransaction transaction = reader.BeginTransaction(deferred: true);
                    return work(reader);
                }),
                stop).ConfigureAwait(false);
        }
        finally
        {
            readGate.Release();
        }
    }

    /// <summary>Moves the log into the file and empties it.</summary>
    /// <param name="patience">How long to try again while another process is reading; this one's readers wait meanwhile only while it is tried.</param>
    /// <param name="stop">Stops it.</param>
    /// <returns>False where another process is reading all the time, so that the log stays.</returns>
    public async Task<bool> TruncateLogAsync(TimeSpan patience, CancellationToken stop)
    {
        for (Stopwatch waited = Stopwatch.StartNew(); ; await Task.Delay(100, stop).ConfigureAwait(false))
        {
            bool late = waited.Elapsed >= patience;
            await writeGate.WaitAsync(stop).ConfigureAwait(false);
            try
            {
                // Our own reader keeps the log just as another's does.
                await readGate.WaitAsync(stop).ConfigureAwait(false);
                try
                {
                    if (await Task.Run(() => Guard(Path, () => Scalar(writer, "PRAGMA wal_checkpoint(TRUNCATE)") is 0L), stop).ConfigureAwait(false))
                    {
                        return true;
                    }
                }
                finally
                {
                    readGate.Release();
                }
            }
            finally
            {
                writeGate.Release();
            }

            if (late)
            {
                return false;
            }
        }
    }

    /// <summary>Runs statements.</summary>
    public static void Run(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = Prepare(connection, sql, parameters);
        command.ExecuteNonQuery();
    }

    /// <summary>The first value of a query's first row; null where there is none.</summary>
    public static object? Scalar(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = Prepare(connection, sql, parameters);
        object? value = command.ExecuteScalar();
        return value is DBNull ? null : value;
    }

    /// <summary>The first column of a query, whole numbers.</summary>
    public static List<long> Numbers(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = GalleryDatabase.Prepare(connection, sql, parameters);
        using SqliteDataReader reader = command.ExecuteReader();
        List<long> numbers = [];
        while (reader.Read())
        {
            numbers.Add(reader.GetInt64(0));
        }

        return numbers;
    }

    /// <summary>A statement with its parameters, to be run several times.</summary>
    public static SqliteCommand Prepare(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // All statements are constants of this project.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object? value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }

    /// <summary>What a gallery says of itself.</summary>
    public static object? Meta(SqliteConnection connection, string key) => Scalar(connection, "SELECT value FROM meta WHERE key = $key", ("$key", key));

    /// <summary>Sets what a gallery says of itself.</summary>
    public static void SetMeta(SqliteConnection connection, string key, object? value) =>
        Run(connection, "INSERT OR REPLACE INTO meta VALUES($key, $value)", ("$key", key), ("$value", value));

    /// <summary>Number of the last change.</summary>
    public static long Change(SqliteConnection connection) => Meta(connection, "change") is long change ? change : throw new UniFaceException("the gallery has no change counter: it is damaged; restore it from a copy.");

    /// <summary>Lets the database grow to so many pages only, as a full disk does; for tests.</summary>
    public void LimitPages(int pages) => Run(writer, $"PRAGMA max_page_count={pages}");

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        writer.Dispose();
        reader.Dispose();
        writeGate.Dispose();
        readGate.Dispose();
    }

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

    /// <summary>Runs work with SQLite's errors in the user's words.</summary>
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
                    Busy or Locked => "another process is writing to the gallery; nothing was changed, try again when it is done.",
                    Full => "the disk is full; what was to be written now is not in the gallery, what was enrolled before is. Free space and try again.",
                    InputOutput => $"the disk cannot be read or written ({e.Message}); what was enrolled before is kept. Check space and disk, and try again.",
                    Corrupt => "the gallery's database is damaged; restore it from a copy. 'uniface gallery verify-integrity' says what is wrong.",
                    NoDatabase => "not a gallery: expected a file that 'uniface gallery create' made.",
                    ReadOnly => "the gallery cannot be written; check the permissions of the file and its folder.",
                    CannotOpen => "the gallery cannot be opened; check the permissions of the file and its folder.",
                    _ => $"the gallery's database does not answer: {e.Message}",
                },
                e);
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions.OfType<UniFaceException>().FirstOrDefault() is UniFaceException first)
        {
            // From work on several threads: one line is enough.
            throw new UniFaceException(first.Message, e);
        }
    }
}
