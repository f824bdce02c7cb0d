using System.Diagnostics;
using System.Globalization;

namespace UniFace.TestSupport;

/// <summary>Starts programs under mpiexec.</summary>
internal static class Mpiexec
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    /// <summary>Path of mpiexec; null if it is not installed.</summary>
    public static string? Program { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, "mpiexec")).FirstOrDefault(File.Exists);

    /// <summary>Skips the test if mpiexec is not installed.</summary>
    public static void Require() =>
        Assert.SkipUnless(Program is not null, "needs mpiexec, which setup/mpi.sh installs when root runs it on a Debian or Ubuntu");

    /// <summary>Starts a program on several ranks.</summary>
    public static Process Start(string folder, int ranks, IReadOnlyDictionary<string, string>? environment, params string[] command)
    {
        ProcessStartInfo start = new(Program!) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-n", ranks.ToString(CultureInfo.InvariantCulture), .. command])
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Waits for the end of a job; returns its exit code and what it printed.</summary>
    public static (int Code, string Out, string Error) Finish(Process job)
    {
        using Process process = job;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Timeout))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            Assert.Fail($"the job did not end in time\n{Partial(errors)}{Partial(output)}");
        }

        return (process.ExitCode, output.Result, errors.Result);

        static string Partial(Task<string> text) => text.Wait(TimeSpan.FromSeconds(10)) ? text.Result : "(its output is still open)";
    }
}
