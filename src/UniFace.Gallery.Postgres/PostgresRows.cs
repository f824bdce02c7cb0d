namespace UniFace.Gallery.Postgres;

/// <summary>Columns of a row that may be NULL.</summary>
internal static class PostgresRows
{
    /// <summary>A text; null for NULL.</summary>
    public static string? GetText(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>Bytes; null for NULL.</summary>
    public static byte[]? GetBytes(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);

    /// <summary>The bytes of a SHA-256 as lower-case hexadecimal text; null for NULL.</summary>
    public static string? GetSha256(this NpgsqlDataReader row, int column) => row.GetBytes(column) is byte[] hash ? Convert.ToHexStringLower(hash) : null;
}
