using System.Data.Common;

namespace UniFace.Gallery.Stores;

/// <summary>
/// Runs SQL on a connection, usually within a transaction. Sessions are used on the thread pool, where no synchronization context is captured.
/// SQLite completes every call synchronously.
/// </summary>
internal sealed class SqlSession(DbConnection connection, CancellationToken stop)
{
    /// <summary>The connection.</summary>
    public DbConnection Connection => connection;

    /// <summary>Stops what the session runs.</summary>
    public CancellationToken Stop => stop;

    /// <summary>Runs a statement with parameters $1, $2 and so on.</summary>
    public async Task RunAsync(string sql, params object?[] parameters)
    {
        await using DbCommand command = Prepare(sql, parameters);
        await command.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Runs a statement once for each row of parameters.</summary>
    public async Task RunEachAsync(string sql, IAsyncEnumerable<object?[]> rows)
    {
        await using DbCommand command = Prepare(sql, []);
        await foreach (object?[] parameters in rows)
        {
            SetParameters(command, parameters);
            await command.ExecuteNonQueryAsync(stop);
        }
    }

    /// <summary>The first value of a query's first row; null if there is no row or the value is NULL.</summary>
    public async Task<object?> ScalarAsync(string sql, params object?[] parameters)
    {
        await using DbCommand command = Prepare(sql, parameters);
        return await command.ExecuteScalarAsync(stop) is object value and not DBNull ? value : null;
    }

    /// <summary>The rows of a query.</summary>
    public Task<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> row, params object?[] parameters) =>
        StreamAsync(sql, row, parameters).ToListAsync(stop).AsTask();

    /// <summary>The rows of a query, read while the caller enumerates them.</summary>
    /// <exception cref="UniFaceException">A row holds a value that it cannot have.</exception>
    public async IAsyncEnumerable<T> StreamAsync<T>(string sql, Func<DbDataReader, T> row, params object?[] parameters)
    {
        await using DbCommand command = Prepare(sql, parameters);
        await using DbDataReader reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
        {
            yield return Read(row, reader);
        }
    }

    /// <summary>Reads a row. A damaged database may hold NULL or a value of another type where the tables allow none.</summary>
    private T Read<T>(Func<DbDataReader, T> row, DbDataReader reader)
    {
        try
        {
            return row(reader);
        }
        catch (Exception e) when (e is InvalidOperationException or InvalidCastException or FormatException or OverflowException)
        {
            throw new UniFaceException(
                $"{connection.DataSource}: a row of the gallery holds a value that it cannot have ({e.Message.TrimEnd('.')}): the gallery is damaged; " +
                "restore it from a copy",
                e);
        }
    }

    private DbCommand Prepare(string sql, object?[] parameters)
    {
        DbCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // All statements are constants of the galleries, except for names of their own tables.
        command.CommandText = sql;
#pragma warning restore CA2100
        SetParameters(command, parameters);
        return command;
    }

    private static void SetParameters(DbCommand command, object?[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i == command.Parameters.Count)
            {
                DbParameter parameter = command.CreateParameter();

                // SQLite finds parameters by name, PostgreSQL by position if they have no name.
                parameter.ParameterName = command is SqliteCommand ? FormattableString.Invariant($"${i + 1}") : "";
                command.Parameters.Add(parameter);
            }

            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }
}
