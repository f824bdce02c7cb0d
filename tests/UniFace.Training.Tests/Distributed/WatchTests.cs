using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using UniFace.TestSupport;
using UniFace.Training.Distributed;

namespace UniFace.Training.Tests.Distributed;

/// <summary>A rank that holds up the others is named once, and the job ends.</summary>
[Collection(SerialCollection.Name)]
public sealed class WatchTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-watch-").FullName;

    /// <summary>The processes of a job that was ended may leave a last file.</summary>
    public void Dispose()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 50)
            {
                Thread.Sleep(100);
            }
        }
    }

    [Fact]
    public void A_busy_rank_is_waited_for_and_a_slow_one_is_named()
    {
        string error = Fails(nameof(WatchRanks.A_rank_may_be_busy_and_must_not_be_slow), "rank 1 .* is too slow: the others have waited");
        Assert.Equal(2, Regex.Count(error, "goes on"));
    }

    [Fact]
    public void Rank_0_that_is_stopped_while_it_hashes_the_data_is_named() =>
        Fails(nameof(WatchRanks.A_rank_that_hashes_the_data_is_stopped), "rank 0 .* has given no sign of life for");

    [Fact]
    public void A_sign_of_life_is_whole_whenever_it_is_read()
    {
        (int code, string output, string error) = Run(nameof(WatchRanks.Signs_are_read_while_they_are_written));
        Assert.True(code == 0, output + error);
    }

    /// <summary>UCX aborts a process that copies from the memory of one that is killed. The soak found that the job then named the wrong rank.</summary>
    [Fact]
    public void A_rank_that_was_killed_is_named_and_not_the_one_that_its_end_aborts() =>
        Fails(nameof(WatchRanks.A_rank_aborts_because_another_is_killed), "rank 2 .* was killed", ranks: 3);

    [Fact]
    public void A_rank_that_a_library_aborts_is_named() => Fails(nameof(WatchRanks.A_rank_aborts), "rank 1 .* was aborted by a library");

    /// <summary>
    /// Mpiexec reports the exit code of ranks that end at the same time after a signal; here while the process that reads their exit codes is stopped.
    /// </summary>
    [Fact]
    public void The_exit_code_of_ranks_that_end_at_once_is_kept()
    {
        using Process job = RankTest.Start(2, Environment(), Method(nameof(WatchRanks.Ranks_end_after_a_signal)));
        _ = Noted("ready");
        Kill("-INT", $"{job.Id}");
        string[] ranks = Noted("interrupted");
        string reader = File.ReadAllText($"/proc/{ranks[0]}/stat").Split(' ')[3];
        Kill("-STOP", reader);
        try
        {
            File.WriteAllText(Path.Combine(folder, "end"), "");
            Wait(() => ranks.All(rank => File.ReadAllText($"/proc/{rank}/stat").Split(' ')[2] == "Z"));
            Thread.Sleep(500);
        }
        finally
        {
            Kill("-CONT", reader);
        }

        (int code, string output, string error) = Mpiexec.Finish(job);
        Assert.True(code == 130, $"{code}: {error}{output}");
    }

    private string[] Noted(string what)
    {
        string[] files = [.. Enumerable.Range(0, 2).Select(rank => Path.Combine(folder, $"{what}-{rank}"))];
        Wait(() => files.All(File.Exists));
        return [.. files.Select(File.ReadAllText)];
    }

    private static void Wait(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes(5)));

    private static void Kill(string signal, string process)
    {
        using Process kill = Process.Start("kill", [signal, process]);
        kill.WaitForExit();
    }

    private string Fails(string method, string message, int ranks = 2)
    {
        (int code, string output, string error) = Run(method, ranks);
        Assert.True(code != 0, output);
        string line = Assert.Single(error.Split('\n'), line => line.StartsWith("error:", StringComparison.Ordinal));
        Assert.Matches("^error: " + message, line);
        return error;
    }

    private (int Code, string Output, string Error) Run(string method, int ranks = 2) => RankTest.Run(ranks, Environment(), Method(method));

    private Dictionary<string, string> Environment() => new()
    {
        [WatchRanks.Folder] = folder,
        [RankWatch.TimeoutVariable] = WatchRanks.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture),
    };

    private static string[] Method(string name) => ["-method", $"{typeof(WatchRanks).FullName}.{name}"];
}
