using System.Diagnostics;
using UniFace.TestSupport;
using UniFace.Training.Distributed;

namespace UniFace.Training.Tests.Distributed;

/// <summary>Runs test classes of this program on several ranks.</summary>
internal static class RankTest
{
    private static bool closes;

    /// <summary>Runs test classes on several ranks, one after the other, and fails if a test fails on one.</summary>
    public static void RunClasses(int ranks, params Type[] types)
    {
        (int code, string output, string error) = Run(ranks, null, [.. types.SelectMany(type => new[] { "-class", type.FullName! })]);
        Assert.True(code == 0, $"{ranks} ranks ended with {code}:\n{error}{output}");
        Assert.Contains("Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
    }

    /// <summary>Runs tests on several ranks.</summary>
    public static (int Code, string Out, string Error) Run(int ranks, IReadOnlyDictionary<string, string>? environment, params string[] filters) =>
        Mpiexec.Finish(Start(ranks, environment, filters));

    /// <summary>Starts tests on several ranks.</summary>
    public static Process Start(int ranks, IReadOnlyDictionary<string, string>? environment, params string[] filters)
    {
        Mpiexec.Require();
        return Mpiexec.Start(
            Environment.CurrentDirectory, ranks, environment, [Environment.ProcessPath!, "-noColor", "-noLogo", "-noAutoReporters", .. filters]);
    }

    /// <summary>
    /// Runs the body of a test on a rank, in a process that <see cref="RunClasses"/> has started; skips the test in any other. A failure ends all ranks,
    /// which would otherwise wait for this one.
    /// </summary>
    public static void OnRank(Action<ICommunicator> body)
    {
        Assert.SkipUnless(MpiJob.LaunchedSize > 1, "Runs under mpiexec, started by another test.");
        if (!closes)
        {
            closes = true;
            AppDomain.CurrentDomain.ProcessExit += (_, _) => MpiJob.Close(Environment.ExitCode);
        }

        ICommunicator ranks = MpiJob.Current;
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
