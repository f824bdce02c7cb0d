namespace UniFace.Gallery.Stores;

/// <summary>A database of galleries. Its errors are messages for the user.</summary>
internal abstract class SqlDatabase
{
    /// <summary>Called after each step of storing, removing and erasing, so that tests can simulate a kill there.</summary>
    public Action<string> Step { get; set; } = static _ => { };

    /// <summary>Runs work in a write transaction: all of it is done and on the disk, or nothing. After a conflict the work runs again.</summary>
    public abstract Task<T> WriteAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop);

    /// <summary>Runs work in a write transaction: all of it is done and on the disk, or nothing. After a conflict the work runs again.</summary>
    public Task WriteAsync(Func<SqlSession, Task> work, CancellationToken stop) => WriteAsync(Returning(work), stop);

    /// <summary>Runs work on one state of the database.</summary>
    public abstract Task<T> ReadAsync<T>(Func<SqlSession, Task<T>> work, CancellationToken stop);

    /// <summary>Runs work on one state of the database.</summary>
    public Task ReadAsync(Func<SqlSession, Task> work, CancellationToken stop) => ReadAsync(Returning(work), stop);

    /// <summary>The SQL statements of a file that is embedded in a database's assembly.</summary>
    public static string ReadSql<TDatabase>(string file)
    {
        using StreamReader reader = new(typeof(TDatabase).Assembly.GetManifestResourceStream(file)!);
        return reader.ReadToEnd();
    }

    private static Func<SqlSession, Task<int>> Returning(Func<SqlSession, Task> work) => async session =>
    {
        await work(session);
        return 0;
    };
}
