using System.Diagnostics;
using System.Globalization;
using UniFace.Training.Distributed;

namespace UniFace.Training.Tests.Distributed;

/// <summary>Starts programs under mpiexec.</summary>
internal static class Mpiexec
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);
    private static bool closes;

    /// <summary>Path of mpiexec; null if it is not installed.</summary>
    public static string? Path { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .Select(folder => System.IO.Path.Combine(folder, "mpiexec")).FirstOrDefault(File.Exists);

    /// <summary>Skips the test if mpiexec is not installed.</summary>
    public static void Require() => Assert.SkipUnless(Path is not null, "mpiexec is not installed; setup/mpi.sh says how.");

    /// <summary>Runs test classes of this program on several ranks, one after the other, and fails if a test fails on one.</summary>
    public static void RunClasses(int ranks, params Type[] types)
    {
        Require();
        string[] classes = [.. types.SelectMany(type => new[] { "-class", type.FullName! })];
        (int code, string output) = Run(ranks, Environment.ProcessPath!, ["-noColor", "-noLogo", "-noAutoReporters", .. classes]);
        Assert.True(code == 0, $"{ranks} ranks ended with {code}:\n{output}");
        Assert.Contains("Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
    }

    /// <summary>Runs a program on several ranks; returns the exit code and everything that it printed.</summary>
    public static (int Code, string Output) Run(int ranks, string program, params string[] arguments)
    {
        ProcessStartInfo start = new(Path!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["-n", ranks.ToString(CultureInfo.InvariantCulture), program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Timeout))
        {
            process.Kill(entireProcessTree: true);
        }

        return (process.ExitCode, output.Result + errors.Result);
    }

    /// <summary>The ranks, in a process that <see cref="RunClasses"/> has started; skips the test in any other.</summary>
    public static ICommunicator Ranks()
    {
        Assert.SkipUnless(MpiJob.LaunchedSize > 1, "Runs under mpiexec, started by another test.");
        if (!closes)
        {
            closes = true;
            AppDomain.CurrentDomain.ProcessExit += (_, _) => MpiJob.Close(Environment.ExitCode);
        }

        return MpiJob.Current;
    }

    /// <summary>Runs the body of a test on a rank. A failure ends all ranks, which would otherwise wait for this one.</summary>
    public static void OnRank(Action<ICommunicator> body)
    {
        ICommunicator ranks = Ranks();
        try
        {
            body(ranks);
            ranks.Barrier();
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"rank {ranks.Rank}: {e}");
            ranks.Abort(3);
            throw;
        }
    }
}
