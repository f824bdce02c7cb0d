using System.Data;
using System.Net.Sockets;
using Npgsql;

namespace UniFace.Gallery.Postgres;

/// <summary>
/// The database of galleries on PostgreSQL: its connections, its tables (schema "uniface"), PostgreSQL's errors in the user's words.
/// </summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    /// <summary>The schema that this version writes.</summary>
    public const int Format = 1;

    private const int Tries = 8;

    // One partition of each table a gallery: a scan or an index is of one gallery only, and its embeddings are of one size. Ids come
    // from sequences, so that none is ever used again. What is unerased was deleted by that transaction and may still lie in the files.
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

    /// <summary>Gives the templates the time of their enrolment, those that have none the time of now, and the hash of their photo.</summary>
    public const string AddColumns = "ALTER TABLE uniface.template ADD COLUMN IF NOT EXISTS enrolled timestamptz NOT NULL DEFAULT now(), ADD COLUMN IF NOT EXISTS photo bytea";

    private readonly NpgsqlDataSource source;

    private PostgresDatabase(PostgresAddress address, NpgsqlDataSource source)
    {
        Address = address;
        this.source = source;
    }

    /// <summary>Where it is.</summary>
    public PostgresAddress Address { get; }

    /// <summary>Makes what is missing of the tables.</summary>
    public static async Task EnsureSchemaAsync(PostgresAddress address, CancellationToken stop)
    {
        NpgsqlDataSource plain = NpgsqlDataSource.Create(address.ConnectionString);
        await using (plain.ConfigureAwait(false))
        {
            await new PostgresDatabase(address, plain).InTransactionAsync(
                IsolationLevel.ReadCommitted,
                async connection =>
                {
                    await RunAsync(connection, Schema, stop).ConfigureAwait(false);
                    Version version = Version.Parse((string)(await ScalarAsync(connection, "SELECT extversion FROM pg_extension WHERE extname = 'vector'", stop).ConfigureAwait(false))!);
                    return version >= new Version(0, 7)
                        ? 0
                        : throw new UniFaceException($"{address}: its pgvector is {version}, 0.7 or newer is needed; update it, then run ALTER EXTENSION vector UPDATE in the database.");
                },
                stop).ConfigureAwait(false);
        }
    }

    /// <summary>A pool of connections to it; connects when first used.</summary>
    public static PostgresDatabase Open(PostgresAddress address)
    {
        NpgsqlDataSourceBuilder builder = new(address.ConnectionString);
        builder.UseVector();
        return new PostgresDatabase(address, builder.Build());
    }

    /// <summary>Runs work in a transaction that writes: all of it is done and on the server's disk, or nothing. The work may run again.</summary>
    public Task<T> WriteAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken stop) => InTransactionAsync(
        IsolationLevel.ReadCommitted,
        async connection =>
        {
            // A server that acknowledges before its disk has it is asked not to, this once.
            await RunAsync(connection, "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'", stop).ConfigureAwait(false);
            return await work(connection).ConfigureAwait(false);
        },
        stop);

    /// <summary>Runs work on one state of the database.</summary>
    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken stop) => InTransactionAsync(IsolationLevel.RepeatableRead, work, stop);

    /// <summary>Runs statements one by one outside a transaction, as VACUUM wants it.</summary>
    public Task OutsideAsync(IEnumerable<string> statements, CancellationToken stop) => GuardAsync(
        async () =>
        {
            NpgsqlConnection connection = await source.OpenConnectionAsync(stop).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                foreach (string statement in statements)
                {
                    await RunAsync(connection, statement, stop).ConfigureAwait(false);
                }
            }

            return 0;
        },
        stop);

    /// <summary>A statement with its parameters, $1 and so on.</summary>
    public static NpgsqlCommand Prepare(NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> parameters)
    {
#pragma warning disable CA2100 // All statements are constants of this project, but for the number of a gallery.
        NpgsqlCommand command = new(sql, connection);
#pragma warning restore CA2100
        foreach (object? value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        }

        return command;
    }

    /// <summary>Runs a statement.</summary>
    /// <returns>How many rows it touched.</returns>
    public static async Task<int> RunAsync(NpgsqlConnection connection, string sql, CancellationToken stop, params object?[] parameters)
    {
        NpgsqlCommand command = Prepare(connection, sql, parameters);
        await using (command.ConfigureAwait(false))
        {
            return await command.ExecuteNonQueryAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>The first value of a query's first row; null where there is none.</summary>
    public static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken stop, params object?[] parameters)
    {
        NpgsqlCommand command = Prepare(connection, sql, parameters);
        await using (command.ConfigureAwait(false))
        {
            object? value = await command.ExecuteScalarAsync(stop).ConfigureAwait(false);
            return value is DBNull ? null : value;
        }
    }

    /// <summary>The rows of a query.</summary>
    public static async Task<List<T>> RowsAsync<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> row, CancellationToken stop, params object?[] parameters)
    {
        NpgsqlCommand command = Prepare(connection, sql, parameters);
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(stop).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                List<T> rows = [];
                while (await reader.ReadAsync(stop).ConfigureAwait(false))
                {
                    rows.Add(row(reader));
                }

                return rows;
            }
        }
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync() => source.DisposeAsync();

    private async Task<T> InTransactionAsync<T>(IsolationLevel level, Func<NpgsqlConnection, Task<T>> work, CancellationToken stop)
    {
        for (int left = Tries; ; left--)
        {
            try
            {
                return await GuardAsync(
                    async () =>
                    {
                        NpgsqlConnection connection = await source.OpenConnectionAsync(stop).ConfigureAwait(false);
                        await using (connection.ConfigureAwait(false))
                        {
                            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(level, stop).ConfigureAwait(false);
                            await using (transaction.ConfigureAwait(false))
                            {
                                T result = await work(connection).ConfigureAwait(false);
                                stop.ThrowIfCancellationRequested();
                                await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                                return result;
                            }
                        }
                    },
                    stop).ConfigureAwait(false);
            }
            catch (UniFaceException e) when (left > 1 && e.InnerException is PostgresException { IsTransient: true, SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure })
            {
                // Two replicas met; nothing of this one was kept.
                await Task.Delay(Random.Shared.Next(5, 50), stop).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> work, CancellationToken stop)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (PostgresException e) when (!stop.IsCancellationRequested)
        {
            throw new UniFaceException($"{Address}: {Words(e)}", e);
        }
        catch (NpgsqlException e) when (!stop.IsCancellationRequested)
        {
            throw new UniFaceException(
                e.InnerException is SocketException or TimeoutException or IOException
                    ? $"{Address}: no PostgreSQL server answers at {Address.Server} ({e.InnerException.Message.ReplaceLineEndings(" ")}); is it running, and is the address right?"
                    : $"{Address}: {e.Message.ReplaceLineEndings(" ")}",
                e);
        }
        catch (NpgsqlException e)
        {
            throw new OperationCanceledException("stopped", e, stop);
        }
    }

    private string Words(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.InvalidCatalogName => $"the server has no database '{Address.Database}'; 'createdb {Address.Database}' makes one.",
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => $"the server refuses the user ({e.MessageText}); check user and password.",
        PostgresErrorCodes.InsufficientPrivilege => $"the user may not do this ({e.MessageText}); grant it CREATE on the database, and to install the extension vector have it trusted or done by an administrator.",
        PostgresErrorCodes.UndefinedFile or PostgresErrorCodes.FeatureNotSupported when e.MessageText.Contains("vector", StringComparison.Ordinal) => "the server has no extension 'vector'; install pgvector for its version (Debian: postgresql-17-pgvector).",
        PostgresErrorCodes.DiskFull => "the server's disk is full; what was to be written now is not in the gallery, what was enrolled before is. Free space and try again.",
        PostgresErrorCodes.LockNotAvailable => "others are using the gallery, so that it cannot be locked now; try again when they are done.",
        PostgresErrorCodes.TooManyConnections => "the server has no connection left; try again, or raise max_connections.",
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow => $"the server is stopping or starting ({e.MessageText}); nothing of what was under way was kept, try again.",
        _ => $"the server says: {e.MessageText.ReplaceLineEndings(" ")} ({e.SqlState}).",
    };
}
