using System.Data;
using System.Data.Common;
using System.Net.Sockets;
using static Npgsql.PostgresErrorCodes;

namespace UniFace.Gallery.Postgres;

/// <summary>The database of galleries on PostgreSQL: connections, transactions, the schema "uniface", and errors as messages for the user.</summary>
internal sealed class PostgresDatabase(PostgresAddress address, NpgsqlDataSource source) : SqlDatabase, IAsyncDisposable
{
    /// <summary>The schema version that this code writes.</summary>
    public const int Format = 1;

    private const int MaxAttempts = 8;

    /// <summary>Address of the server and the database.</summary>
    public PostgresAddress Address { get; } = address;

    private const string NewColumns =
        "SELECT count(*) FROM information_schema.columns " +
        "WHERE table_schema = 'uniface' AND table_name = 'template' AND column_name IN ('enrolled', 'photo')";

    /// <summary>
    /// Creates the tables that are missing. Runs no such statements if none is: they would lock the tables, and wait for a graph that is being built.
    /// </summary>
    public static async Task EnsureSchemaAsync(PostgresAddress address, CancellationToken stop)
    {
        PostgresDatabase database = new(address, NpgsqlDataSource.Create(address.ConnectionString));
        await using (database.ConfigureAwait(false))
        {
            await database.InTransactionAsync(
                IsolationLevel.ReadCommitted,
                async session =>
                {
                    if (await session.ScalarAsync("SELECT to_regclass('uniface.crop')::text") is null || await session.ScalarAsync(NewColumns) is not 2L)
                    {
                        await session.RunAsync(ReadSql<PostgresDatabase>("schema.sql") + ReadSql<PostgresDatabase>("upgrade.sql"));
                    }

                    object? installed = await session.ScalarAsync("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
                    Version version = Version.Parse((string)installed!);
                    return version >= new Version(0, 7)
                        ? 0
                        : throw new UniFaceException(
                            $"{address}: its pgvector is {version}, 0.7 or newer is needed; update it, then run ALTER EXTENSION vector UPDATE " +
                            "in the database");
                },
                stop).ConfigureAwait(false);
        }
    }

    /// <summary>The statements that create the tables of a gallery.</summary>
    public static string ReadGallerySql(long number) =>
        ReadSql<PostgresDatabase>("gallery.sql").Replace("{0}", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <summary>Adds the columns for enrollment times and photo hashes to tables of an older version.</summary>
    public async Task AddMissingColumnsAsync(CancellationToken stop)
    {
        if (await ReadAsync(session => session.ScalarAsync(NewColumns), stop).ConfigureAwait(false) is not 2L)
        {
            await WriteAsync(session => session.RunAsync(ReadSql<PostgresDatabase>("upgrade.sql")), stop).ConfigureAwait(false);
        }
    }

    /// <summary>A pool of connections; connects when it is first used.</summary>
    public static PostgresDatabase Open(PostgresAddress address)
    {
        NpgsqlDataSourceBuilder builder = new(address.ConnectionString);
        builder.UseVector();
        return new PostgresDatabase(address, builder.Build());
    }

    /// <inheritdoc/>
    public override Task<T> WriteAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop) => InTransactionAsync(
        IsolationLevel.ReadCommitted,
        async session =>
        {
            // For servers that acknowledge before the data is on the disk.
            const string Synchronous = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";
            await session.RunAsync(Synchronous);
            return await work(session);
        },
        stop);

    /// <inheritdoc/>
    public override Task<T> ReadAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop) =>
        InTransactionAsync(IsolationLevel.RepeatableRead, work, stop);

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

    private async Task<T> InTransactionAsync<T>(IsolationLevel level, Func<SqlSession, Task<T>> work, CancellationToken stop)
    {
        for (int left = MaxAttempts; ; left--)
        {
            try
            {
                return await GuardAsync(
                    async session =>
                    {
                        await using DbTransaction transaction = await session.Connection.BeginTransactionAsync(level, stop);
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
    private Task<T> GuardAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop) => Task.Run(
        async () =>
        {
            try
            {
                await using NpgsqlConnection connection = await source.OpenConnectionAsync(stop);
                return await work(new SqlSession(connection, stop));
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
        InvalidCatalogName => $"the server has no database '{Address.Database}'; create it with 'createdb {Address.Database}'",
        InvalidPassword or InvalidAuthorizationSpecification =>
            $"the server refuses the user ({e.MessageText}); check user and password",
        InsufficientPrivilege =>
            $"the user may not do this ({e.MessageText}); grant it CREATE on the database, and let an administrator install the extension vector",
        UndefinedFile or FeatureNotSupported when e.MessageText.Contains("vector", StringComparison.Ordinal) =>
            "the server has no extension 'vector'; install pgvector for its version (Debian: postgresql-17-pgvector)",
        DiskFull => "the server's disk is full; nothing was written, and what was enrolled before is kept; free space and try again",
        LockNotAvailable => "the gallery is locked by another client; try again later",
        TooManyConnections => "the server has too many connections; try again, or raise max_connections",
        AdminShutdown or CrashShutdown or CannotConnectNow =>
            $"the server is stopping or starting ({e.MessageText}); nothing was changed, try again",
        _ => $"the server reports: {e.MessageText.ReplaceLineEndings(" ")} ({e.SqlState})",
    };
}
