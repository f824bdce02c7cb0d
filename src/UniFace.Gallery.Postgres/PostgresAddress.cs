using System.Data.Common;

namespace UniFace.Gallery.Postgres;

/// <summary>
/// The location of a gallery on PostgreSQL: the server, the database and the gallery's name in it. Written as a URL,
/// <c>postgres://user@host:5432/database?gallery=people</c>, or as a connection string, <c>Host=host;Database=database;Gallery=people</c>;
/// other settings are those of Npgsql. Keep a password in the file or variable that Npgsql reads (PGPASSFILE, PGPASSWORD).
/// </summary>
internal sealed class PostgresAddress
{
    /// <summary>pgvector's largest hnsw.ef_search.</summary>
    public const int MaxEfSearch = 1000;

    private const int DefaultEfSearch = 100;

    private static readonly string[] Schemes = ["postgres://", "postgresql://"];

    private PostgresAddress(NpgsqlConnectionStringBuilder connection, string gallery, int efSearch)
    {
        EfSearch = efSearch;
        ConnectionString = connection.ConnectionString;
        Gallery = gallery;
        Server = connection.Host!.StartsWith('/') ? connection.Host : $"{connection.Host}:{connection.Port}";
        Database = connection.Database!;
    }

    /// <summary>Name of the gallery.</summary>
    public string Gallery { get; }

    /// <summary>
    /// Least number of templates that a search of an HNSW graph keeps in its beam, the setting <c>ef_search</c>: more finds more and takes longer.
    /// </summary>
    public int EfSearch { get; }

    /// <summary>Host and port, or the folder of the socket.</summary>
    public string Server { get; }

    /// <summary>Name of the database.</summary>
    public string Database { get; }

    /// <summary>Npgsql's connection string; it may hold a password.</summary>
    internal string ConnectionString { get; }

    /// <summary>True if a text is the address of a gallery on PostgreSQL rather than a file.</summary>
    public static bool IsAddress(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsUrl(text) || text.Split(';').Any(part => part.Split('=') is [string key, _, ..] && key.Trim().ToUpperInvariant() is "HOST" or "SERVER");
    }

    /// <summary>Parses an address.</summary>
    /// <exception cref="UniFaceException">The text is not an address, or has no database or gallery.</exception>
    public static PostgresAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        NpgsqlConnectionStringBuilder connection;
        string? gallery, beam;
        try
        {
            DbConnectionStringBuilder settings = IsUrl(text) ? ParseUrl(text) : new() { ConnectionString = text };
            if (settings.Keys.Cast<string>().Any(key => key.Contains(';', StringComparison.Ordinal)))
            {
                throw new FormatException("a part without '='");
            }

            gallery = settings.TryGetValue("gallery", out object? name) ? (string)name : null;
            settings.Remove("gallery");
            beam = settings.TryGetValue("ef_search", out object? width) ? (string)width : null;
            settings.Remove("ef_search");
            connection = new(settings.ConnectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException or OverflowException)
        {
            // Never show the text itself: it may hold a password.
            throw Invalid($"cannot be read ({e.Message.ReplaceLineEndings(" ")})", e);
        }

        if (string.IsNullOrWhiteSpace(gallery) || gallery.Length > 200 || gallery.Contains('\0', StringComparison.Ordinal))
        {
            throw Invalid("has no gallery name (1 to 200 characters)");
        }

        int efSearch = DefaultEfSearch;
        if (beam is not null && !(int.TryParse(beam, NumberStyles.None, CultureInfo.InvariantCulture, out efSearch) && efSearch is >= 1 and <= MaxEfSearch))
        {
            throw Invalid($"has an ef_search that is not a number from 1 to {MaxEfSearch}");
        }

        if (string.IsNullOrEmpty(connection.Host) || string.IsNullOrEmpty(connection.Database))
        {
            throw Invalid($"has no {(string.IsNullOrEmpty(connection.Host) ? "host" : "database")}");
        }

        // No timeout by default: scanning a large gallery can take minutes, and can be canceled.
        if (!connection.ShouldSerialize("Command Timeout"))
        {
            connection.CommandTimeout = 0;
        }

        return new PostgresAddress(connection, gallery, efSearch);
    }

    /// <summary>The same gallery, searched with another <see cref="EfSearch"/>; null for the same.</summary>
    internal PostgresAddress WithEfSearch(int? efSearch) =>
        new(new NpgsqlConnectionStringBuilder(ConnectionString), Gallery, efSearch ?? EfSearch);

    /// <summary>The address without user and password.</summary>
    public override string ToString() => Server.StartsWith('/')
        ? $"postgres:///{Database}?host={Server}&gallery={Uri.EscapeDataString(Gallery)}"
        : $"postgres://{Server}/{Database}?gallery={Uri.EscapeDataString(Gallery)}";

    private static UniFaceException Invalid(string problem, Exception? cause = null) => new(
        $"the address of the PostgreSQL gallery {problem}: expected postgres://user@host:5432/database?gallery=people " +
        "or 'Host=host;Database=database;Gallery=people'",
        cause!);

    private static bool IsUrl(string text) => Schemes.Any(s => text.StartsWith(s, StringComparison.OrdinalIgnoreCase));

    // postgres://[user[:password]@][host][:port]/[database][?key=value&...], as libpq reads it.
    private static DbConnectionStringBuilder ParseUrl(string text)
    {
        DbConnectionStringBuilder settings = [];
        string rest = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        string[] parts = rest.Split('?', 2), path = parts[0].Split('/', 2);
        string authority = path[0];
        int at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            string[] user = authority[..at].Split(':', 2);
            settings["Username"] = Uri.UnescapeDataString(user[0]);
            if (user.Length == 2)
            {
                settings["Password"] = Uri.UnescapeDataString(user[1]);
            }
        }

        string host = authority[(at + 1)..];
        int colon = host.LastIndexOf(':');
        if (colon > host.LastIndexOf(']'))
        {
            settings["Port"] = host[(colon + 1)..];
            host = host[..colon];
        }

        settings["Host"] = host.Length == 0 ? "localhost" : Uri.UnescapeDataString(host).Trim('[', ']');
        if (path is [_, { Length: > 0 } database])
        {
            settings["Database"] = Uri.UnescapeDataString(database);
        }

        foreach (string setting in parts.Length == 1 ? [] : parts[1].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = setting.Split('=', 2);
            string key = pair[0].ToLowerInvariant() switch
            {
                "user" => "Username",
                "dbname" => "Database",
                "sslmode" => "SSL Mode",
                "sslrootcert" => "Root Certificate",
                "connect_timeout" => "Timeout",
                "application_name" => "Application Name",
                _ => pair[0],
            };
            string value = pair.Length == 2 ? Uri.UnescapeDataString(pair[1]) : throw new FormatException("a setting without '='");
            settings[key] = key == "SSL Mode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return settings;
    }
}
