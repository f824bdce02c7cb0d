using System.Diagnostics;

namespace UniFace.TestSupport;

/// <summary>
/// A PostgreSQL server with pgvector for the tests: a cluster in a temporary folder that accepts connections through a socket in that folder
/// only. It is stopped and deleted even if the tests are killed. PostgreSQL refuses to run as root; then the user is postgres, or nobody.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private static readonly string[] Places = ["", "/usr/local/lib/uniface/postgresql-17"];

    // The shell starts the server and waits on its standard input, a pipe that is closed by DisposeAsync or by the end of the test process. QUIT
    // stops the server immediately, with its child processes. The shell ignores signals of the terminal, because it must outlive this process.
    private const string Guard = """
        trap '' INT TERM HUP
        folder=$1; shift
        "$@" >"$folder/log" 2>&1 </dev/null & server=$!
        read -r _
        kill -QUIT $server; wait $server
        rm -rf "$folder"
        """;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(10);

    private string? programs, libraries, missing;
    private Process? guard;

    /// <summary>The folder of the cluster and its socket.</summary>
    public string Folder { get; private set; } = "";

    /// <summary>The cluster's files.</summary>
    public string Data => Path.Combine(Folder, "data");

    /// <summary>Skips the running test if the server is not installed.</summary>
    public void Require() => Assert.SkipWhen(missing is not null, missing ?? "");

    /// <summary>URL of a gallery on the server, which need not exist.</summary>
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
                if (File.Exists($"{place}/usr/lib/postgresql/{version}/bin/postgres")
                    && File.Exists($"{place}/usr/share/postgresql/{version}/extension/vector.control"))
                {
                    programs = $"{place}/usr/lib/postgresql/{version}/bin";

                    // usr/lib/x86_64-linux-gnu, usr/lib/aarch64-linux-gnu ...
                    libraries = place.Length > 0 ? string.Join(':', Directory.GetDirectories($"{place}/usr/lib", "*-linux-gnu*")) : null;
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
            await RunAsync(["chown", await UserAsync(), Folder], null);
        }

        await RunAsync(await AsUserAsync("initdb", "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"), libraries);
        guard = Start(
            "sh",
            [
                "-c", Guard, "sh", Folder,
                .. await AsUserAsync(
                    "postgres",
                    "-D",
                    Data,
                    "-k",
                    Folder,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "fsync=off",
                    "-c",
                    "jit=off",
                    "-c",
                    "autovacuum=off",
                    "-c",
                    "shared_buffers=32MB",
                    "-c",
                    "max_connections=60")
            ]);

        // The eighth line of the pid file says when the server accepts connections.
        for (Stopwatch waited = Stopwatch.StartNew(); !await IsReadyAsync(); await Task.Delay(20))
        {
            if (guard.HasExited || waited.Elapsed > StartTimeout)
            {
                string log = Path.Combine(Folder, "log");
                Assert.Fail($"PostgreSQL does not start: {(File.Exists(log) ? await File.ReadAllTextAsync(log) : "its log is empty")}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (guard is not null)
        {
            guard.StandardInput.Close();
            await guard.WaitForExitAsync();
            guard.Dispose();
            Assert.False(Directory.Exists(Folder));
        }
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            return await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")) is { Length: >= 8 } lines && lines[7].Trim() == "ready";
        }
        catch (IOException)
        {
            return false; // The file does not exist yet.
        }
    }

    private static async Task<string> UserAsync() => (await File.ReadAllLinesAsync("/etc/passwd")).Any(
        l => l.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private async Task<string[]> AsUserAsync(string program, params string[] args) =>
        Environment.IsPrivilegedProcess ? ["setpriv", .. await IdsAsync(), "--", $"{programs}/{program}", .. args] : [$"{programs}/{program}", .. args];

    // Not runuser or su, which start an intermediate process that does not forward QUIT.
    private static async Task<string[]> IdsAsync()
    {
        string user = await UserAsync();
        return [$"--reuid={user}", $"--regid={(await RunAsync(["id", "-g", user], null)).Trim()}", "--clear-groups"];
    }

    private Process Start(string program, string[] args)
    {
        ProcessStartInfo start = new(program, args) { RedirectStandardInput = true, WorkingDirectory = "/" };
        if (libraries is not null)
        {
            start.Environment["LD_LIBRARY_PATH"] = libraries;
        }

        return Process.Start(start)!;
    }

    private static async Task<string> RunAsync(string[] command, string? libraries)
    {
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        if (libraries is not null)
        {
            start.Environment["LD_LIBRARY_PATH"] = libraries;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}: {error}");
        return await output;
    }
}
