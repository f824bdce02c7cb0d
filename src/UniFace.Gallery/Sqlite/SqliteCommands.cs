namespace UniFace.Gallery.Sqlite;

/// <summary>SQL statements and the key-value table <c>meta</c> of a gallery.</summary>
internal static class SqliteCommands
{
    /// <summary>Runs statements that return no rows.</summary>
    public static void Run(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = connection.Prepare(sql, parameters);
        command.ExecuteNonQuery();
    }

    /// <summary>The first value of a query's first row; null if there is no row or the value is NULL.</summary>
    public static object? Scalar(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = connection.Prepare(sql, parameters);
        object? value = command.ExecuteScalar();
        return value is DBNull ? null : value;
    }

    /// <summary>The rows of a query, read while the caller enumerates them.</summary>
    public static IEnumerable<T> Query<T>(
        this SqliteConnection connection,
        string sql,
        Func<SqliteDataReader, T> row,
        params (string Name, object? Value)[] parameters)
    {
        using SqliteCommand command = connection.Prepare(sql, parameters);
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return row(reader);
        }
    }

    /// <summary>The first column of a query as whole numbers.</summary>
    public static List<long> Numbers(this SqliteConnection connection, string sql, params (string Name, object? Value)[] parameters) =>
        [.. connection.Query(sql, r => r.GetInt64(0), parameters)];

    /// <summary>A statement that can run several times.</summary>
    public static SqliteCommand Prepare(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
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

    /// <summary>A value of the gallery's metadata.</summary>
    public static object? Meta(this SqliteConnection connection, string key) => connection.Scalar("SELECT value FROM meta WHERE key = $key", ("$key", key));

    /// <summary>Sets a value of the gallery's metadata.</summary>
    public static void SetMeta(this SqliteConnection connection, string key, object? value) =>
        connection.Run("INSERT OR REPLACE INTO meta VALUES($key, $value)", ("$key", key), ("$value", value));

    /// <summary>Number of the last change.</summary>
    public static long Change(this SqliteConnection connection) => connection.Meta("change") is long change
        ? change
        : throw new UniFaceException("the gallery has no change counter: it is damaged; restore it from a copy.");
}
