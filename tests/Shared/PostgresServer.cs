using System.Diagnostics;

namespace UniFace.TestSupport;

/// <summary>
/// A PostgreSQL server with pgvector of the tests' own: a cluster in a temporary folder, reached by a socket in it only, stopped and
/// deleted at the end. Run by root it belongs to the user postgres, or nobody, because PostgreSQL refuses root.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private static readonly string[] Places = ["", "/usr/local/lib/uniface/postgresql-17"];

    private string? programs, libraries, missing;

    /// <summary>The cluster's folder, with its socket.</summary>
    public string Folder { get; private set; } = "";

    /// <summary>The cluster's files.</summary>
    public string Data => Path.Combine(Folder, "data");

    /// <summary>Skips the running test where there is no server.</summary>
    public void Require() => Assert.SkipWhen(missing is not null, missing ?? "");

    /// <summary>URL of a gallery on the server, which need not be there.</summary>
    public string Url(string gallery, string database = "postgres", string user = "postgres")
    {
        Require();
        return $"postgres://{user}@/{database}?host={Folder}&gallery={gallery}";
    }

    public async ValueTask InitializeAsync()
    {
        foreach (string place in Places)
        {
            for (int version = 20; version >= 15 && programs is null; version--)
            {
                if (File.Exists($"{place}/usr/lib/postgresql/{version}/bin/postgres") && File.Exists($"{place}/usr/share/postgresql/{version}/extension/vector.control"))
                {
                    programs = $"{place}/usr/lib/postgresql/{version}/bin";
                    libraries = place.Length > 0 ? $"{place}/usr/lib/x86_64-linux-gnu" : null;
                }
            }
        }

        if (programs is null)
        {
            missing = "needs PostgreSQL with pgvector, which setup/postgres.sh installs when root runs it on a Debian or Ubuntu";
            return;
        }

        Folder = Directory.CreateTempSubdirectory("ufpg-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chown", await UserAsync(), Folder);
        }

        await ServerAsync("initdb", "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await ServerAsync("pg_ctl", "-D", Data, "-l", Path.Combine(Folder, "log"), "-w", "-o", $"-k {Folder} -c listen_addresses='' -c fsync=off -c jit=off -c shared_buffers=32MB -c max_connections=60", "start");
    }

    public async ValueTask DisposeAsync()
    {
        if (Folder.Length > 0)
        {
            await ServerAsync("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
            Directory.Delete(Folder, recursive: true);
        }
    }

    private static async Task<string> UserAsync() => (await File.ReadAllLinesAsync("/etc/passwd")).Any(l => l.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private async Task<string> ServerAsync(string program, params string[] args) =>
        Environment.IsPrivilegedProcess
            ? await RunAsync("runuser", ["-u", await UserAsync(), "--", $"{programs}/{program}", .. args])
            : await RunAsync($"{programs}/{program}", args);

    private async Task<string> RunAsync(string program, params string[] args)
    {
        ProcessStartInfo start = new(program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (string arg in args)
        {
            start.ArgumentList.Add(arg);
        }

        if (libraries is not null)
        {
            start.Environment["LD_LIBRARY_PATH"] = libraries;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', args)}: {error}");
        return await output;
    }
}
