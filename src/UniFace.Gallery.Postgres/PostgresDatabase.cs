using System.Data;
using System.Net.Sockets;
using static Npgsql.PostgresErrorCodes;

namespace UniFace.Gallery.Postgres;

/// <summary>The database of galleries on PostgreSQL: connections, transactions, the schema "uniface", and errors as messages for the user.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    /// <summary>The schema version that this code writes.</summary>
    public const int Format = 1;

    private const int Tries = 8;

    // Adds the enrollment time (now for existing templates) and the photo's hash.
    private const string AddColumns =
        "ALTER TABLE uniface.template ADD COLUMN IF NOT EXISTS enrolled timestamptz NOT NULL DEFAULT now(), ADD COLUMN IF NOT EXISTS photo bytea";

    // Each gallery has a partition of each table, so that a scan or an index covers one gallery and its embeddings have one size. Ids come
    // from sequences and are never reused. gallery.unerased is the transaction whose deleted rows may still lie in the files.
    private const string Schema =
        $"""
        SELECT pg_advisory_xact_lock(8390876177012305);
        CREATE EXTENSION IF NOT EXISTS vector;
        CREATE SCHEMA IF NOT EXISTS uniface;
        CREATE TABLE IF NOT EXISTS uniface.gallery(
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, format int NOT NULL, uid text NOT NULL, name text NOT NULL UNIQUE,
            contract text NOT NULL, embedding_size int NOT NULL, scoring text NOT NULL, keeps_crops boolean NOT NULL, hnsw boolean NOT NULL,
            package text, reembed text, unerased xid8);
        CREATE SEQUENCE IF NOT EXISTS uniface.person_id;
        CREATE SEQUENCE IF NOT EXISTS uniface.template_id;
        CREATE TABLE IF NOT EXISTS uniface.person(
            gallery bigint NOT NULL REFERENCES uniface.gallery(id), id bigint NOT NULL, name text NOT NULL,
            PRIMARY KEY (gallery, id), UNIQUE (gallery, name)) PARTITION BY LIST (gallery);
        CREATE TABLE IF NOT EXISTS uniface.template(
            gallery bigint NOT NULL, id bigint NOT NULL, person bigint NOT NULL, source text, embedding vector NOT NULL,
            PRIMARY KEY (gallery, id), FOREIGN KEY (gallery, person) REFERENCES uniface.person(gallery, id)) PARTITION BY LIST (gallery);
        {AddColumns};
        CREATE INDEX IF NOT EXISTS template_person ON uniface.template(gallery, person);
        CREATE TABLE IF NOT EXISTS uniface.crop(
            gallery bigint NOT NULL, template bigint NOT NULL, image bytea NOT NULL,
            PRIMARY KEY (gallery, template), FOREIGN KEY (gallery, template) REFERENCES uniface.template(gallery, id)) PARTITION BY LIST (gallery);
        ALTER TABLE uniface.person ALTER COLUMN name SET STATISTICS 0;
        ALTER TABLE uniface.template ALTER COLUMN source SET STATISTICS 0, ALTER COLUMN embedding SET STATISTICS 0, ALTER COLUMN photo SET STATISTICS 0;
        ALTER TABLE uniface.crop ALTER COLUMN image SET STATISTICS 0;
        """;

    private readonly NpgsqlDataSource source;

    private PostgresDatabase(PostgresAddress address, NpgsqlDataSource source)
    {
        Address = address;
        this.source = source;
    }

    /// <summary>Address of the server and the database.</summary>
    public PostgresAddress Address { get; }

    /// <summary>Creates the tables that are missing.</summary>
    public static async Task EnsureSchemaAsync(PostgresAddress address, CancellationToken stop)
    {
        PostgresDatabase database = new(address, NpgsqlDataSource.Create(address.ConnectionString));
        await using (database.ConfigureAwait(false))
        {
            await database.InTransactionAsync(
                IsolationLevel.ReadCommitted,
                async session =>
                {
                    await session.RunAsync(Schema);
                    object? installed = await session.ScalarAsync("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
                    Version version = Version.Parse((string)installed!);
                    return version >= new Version(0, 7)
                        ? 0
                        : throw new UniFaceException(
                            $"{address}: its pgvector is {version}, 0.7 or newer is needed; update it, then run ALTER EXTENSION vector UPDATE " +
                            "in the database.");
                },
                stop).ConfigureAwait(false);
        }
    }

    /// <summary>Adds the columns for enrollment times and photo hashes to tables of an older version.</summary>
    public async Task AddMissingColumnsAsync(CancellationToken stop)
    {
        const string Existing =
            "SELECT count(*) FROM information_schema.columns " +
            "WHERE table_schema = 'uniface' AND table_name = 'template' AND column_name IN ('enrolled', 'photo')";
        if (await ReadAsync(session => session.ScalarAsync(Existing), stop).ConfigureAwait(false) is not 2L)
        {
            await WriteAsync(session => session.RunAsync(AddColumns), stop).ConfigureAwait(false);
        }
    }

    /// <summary>A pool of connections; connects when it is first used.</summary>
    public static PostgresDatabase Open(PostgresAddress address)
    {
        NpgsqlDataSourceBuilder builder = new(address.ConnectionString);
        builder.UseVector();
        return new PostgresDatabase(address, builder.Build());
    }

    /// <summary>Runs work in a transaction that writes: all of it is done and on the server's disk, or nothing. The work may run again.</summary>
    public Task<T> WriteAsync<T>(Func<PostgresSession, Task<T>> work, CancellationToken stop) => InTransactionAsync(
        IsolationLevel.ReadCommitted,
        async session =>
        {
            // For servers that acknowledge before the data is on the disk.
            const string Synchronous = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";
            await session.RunAsync(Synchronous);
            return await work(session);
        },
        stop);

    /// <summary>Runs work in a transaction that writes: all of it is done and on the server's disk, or nothing. The work may run again.</summary>
    public Task WriteAsync(Func<PostgresSession, Task> work, CancellationToken stop) => WriteAsync(Returning(work), stop);

    /// <summary>Runs work on one state of the database.</summary>
    public Task<T> ReadAsync<T>(Func<PostgresSession, Task<T>> work, CancellationToken stop) =>
        InTransactionAsync(IsolationLevel.RepeatableRead, work, stop);

    /// <summary>Runs work on one state of the database.</summary>
    public Task ReadAsync(Func<PostgresSession, Task> work, CancellationToken stop) => ReadAsync(Returning(work), stop);

    /// <summary>Runs statements one by one outside a transaction, as VACUUM requires.</summary>
    public Task RunOutsideTransactionAsync(IEnumerable<string> statements, CancellationToken stop) => GuardAsync(
        async session =>
        {
            foreach (string statement in statements)
            {
                await session.RunAsync(statement);
            }

            return 0;
        },
        stop);

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => source.DisposeAsync();

    private static Func<PostgresSession, Task<int>> Returning(Func<PostgresSession, Task> work) => async session =>
    {
        await work(session);
        return 0;
    };

    private async Task<T> InTransactionAsync<T>(IsolationLevel level, Func<PostgresSession, Task<T>> work, CancellationToken stop)
    {
        for (int left = Tries; ; left--)
        {
            try
            {
                return await GuardAsync(
                    async session =>
                    {
                        await using NpgsqlTransaction transaction = await session.Connection.BeginTransactionAsync(level, stop);
                        T result = await work(session);
                        stop.ThrowIfCancellationRequested();
                        await transaction.CommitAsync(CancellationToken.None);
                        return result;
                    },
                    stop).ConfigureAwait(false);
            }
            catch (UniFaceException e) when (left > 1 && e.InnerException is PostgresException
            {
                IsTransient: true,
                SqlState: DeadlockDetected or SerializationFailure
            })
            {
                // Two replicas conflicted, and this one's transaction was rolled back.
                await Task.Delay(Random.Shared.Next(5, 50), stop).ConfigureAwait(false);
            }
        }
    }

    // On the thread pool, where no synchronization context is captured.
    private Task<T> GuardAsync<T>(Func<PostgresSession, Task<T>> work, CancellationToken stop) => Task.Run(
        async () =>
        {
            try
            {
                await using NpgsqlConnection connection = await source.OpenConnectionAsync(stop);
                return await work(new PostgresSession(connection, stop));
            }
            catch (NpgsqlException e) when (stop.IsCancellationRequested)
            {
                throw new OperationCanceledException("stopped", e, stop);
            }
            catch (NpgsqlException e)
            {
                throw new UniFaceException($"{Address}: {Describe(e)}", e);
            }
        },
        stop);

    private string Describe(NpgsqlException e) => e switch
    {
        PostgresException refused => Describe(refused),
        { InnerException: (SocketException or TimeoutException or IOException) and Exception cause } =>
            $"no PostgreSQL server answers at {Address.Server} ({cause.Message.ReplaceLineEndings(" ")}); is it running, and is the address right?",
        _ => e.Message.ReplaceLineEndings(" "),
    };

    private string Describe(PostgresException e) => e.SqlState switch
    {
        InvalidCatalogName => $"the server has no database '{Address.Database}'; create it with 'createdb {Address.Database}'.",
        InvalidPassword or InvalidAuthorizationSpecification =>
            $"the server refuses the user ({e.MessageText}); check user and password.",
        InsufficientPrivilege =>
            $"the user may not do this ({e.MessageText}); grant it CREATE on the database, and let an administrator install the extension vector.",
        UndefinedFile or FeatureNotSupported when e.MessageText.Contains("vector", StringComparison.Ordinal) =>
            "the server has no extension 'vector'; install pgvector for its version (Debian: postgresql-17-pgvector).",
        DiskFull => "the server's disk is full; nothing was written, and what was enrolled before is kept. Free space and try again.",
        LockNotAvailable => "others are using the gallery, so that it cannot be locked now; try again later.",
        TooManyConnections => "the server has no connection left; try again, or raise max_connections.",
        AdminShutdown or CrashShutdown or CannotConnectNow =>
            $"the server is stopping or starting ({e.MessageText}); nothing was changed, try again.",
        _ => $"the server reports: {e.MessageText.ReplaceLineEndings(" ")} ({e.SqlState}).",
    };
}
