namespace UniFace.Gallery.Postgres;

/// <summary>
/// Runs SQL on a connection, usually within a transaction. Sessions are used on the thread pool, where no synchronization context is captured.
/// </summary>
internal sealed class PostgresSession(NpgsqlConnection connection, CancellationToken stop)
{
    /// <summary>The connection.</summary>
    public NpgsqlConnection Connection => connection;

    /// <summary>Stops what the session runs.</summary>
    public CancellationToken Stop => stop;

    /// <summary>Runs a statement with parameters $1, $2 and so on.</summary>
    /// <returns>How many rows it affected.</returns>
    public async Task<int> RunAsync(string sql, params object?[] parameters)
    {
        await using NpgsqlCommand command = Prepare(sql, parameters);
        return await command.ExecuteNonQueryAsync(stop);
    }

    /// <summary>The first value of a query's first row; null if there is no row or the value is NULL.</summary>
    public async Task<object?> ScalarAsync(string sql, params object?[] parameters)
    {
        await using NpgsqlCommand command = Prepare(sql, parameters);
        return await command.ExecuteScalarAsync(stop) is object value and not DBNull ? value : null;
    }

    /// <summary>The rows of a query.</summary>
    public async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> row, params object?[] parameters)
    {
        await using NpgsqlCommand command = Prepare(sql, parameters);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(stop);
        List<T> rows = [];
        while (await reader.ReadAsync(stop))
        {
            rows.Add(row(reader));
        }

        return rows;
    }

    private NpgsqlCommand Prepare(string sql, object?[] parameters)
    {
#pragma warning disable CA2100 // All statements are constants of this project, except for the number of a gallery.
        NpgsqlCommand command = new(sql, connection);
#pragma warning restore CA2100
        foreach (object? value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        }

        return command;
    }
}
