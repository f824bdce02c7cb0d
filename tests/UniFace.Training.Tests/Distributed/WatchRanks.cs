using System.Diagnostics;
using System.Runtime.InteropServices;
using UniFace.Training.Distributed;

namespace UniFace.Training.Tests.Distributed;

/// <summary>Ranks that hold up the others, which end the job; started by <see cref="WatchTests"/>.</summary>
[Collection(SerialCollection.Name)]
public class WatchRanks
{
    public const string Folder = "UNIFACE_TEST_RUN";
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    [Fact]
    public void A_rank_may_be_busy_and_must_not_be_slow() => RankTest.OnRank(ranks =>
    {
        using RankWatch watch = Start(ranks);
        watch.SetBusy(ranks.Rank == 0 ? "validating" : null);
        Thread.Sleep(ranks.Rank == 0 ? 1.5 * Timeout : TimeSpan.Zero);
        ranks.Barrier();
        Console.Error.WriteLine($"rank {ranks.Rank} goes on");
        watch.SetBusy(null);
        Thread.Sleep(ranks.Rank == 1 ? TimeSpan.FromMinutes(5) : TimeSpan.Zero);
        ranks.Barrier();
    });

    [Fact]
    public void A_rank_that_hashes_the_data_is_stopped() => RankTest.OnRank(ranks =>
    {
        using RankWatch watch = Start(ranks);
        if (ranks.Rank == 0)
        {
            watch.SetBusy("hashing the data");
            using Process stop = Process.Start("kill", ["-STOP", $"{Environment.ProcessId}"]);
            stop.WaitForExit();
            Thread.Sleep(TimeSpan.FromMinutes(5));
        }

        ranks.Barrier();
    });

    [Fact]
    public void Signs_are_read_while_they_are_written() => RankTest.OnRank(ranks =>
    {
        using RankWatch watch = Start(ranks);
        string sign = Sign(0);
        for (int i = 0; i < 2000; i++)
        {
            if (ranks.Rank == 0)
            {
                watch.SetBusy("working");
            }
            else
            {
                Assert.Equal(3, File.ReadAllLines(sign).Length);
            }
        }

        ranks.Barrier();
        watch.Complete();
    });

    /// <summary>Rank 2 is killed, and the sentinel of rank 1, which aborts, is first to see an end: that of rank 2 is stopped for a while.</summary>
    [Fact]
    public void A_rank_aborts_because_another_is_killed() => RankTest.OnRank(ranks =>
    {
        using RankWatch watch = Start(ranks);
        if (ranks.Rank == 1)
        {
            string other = File.ReadAllLines(Sign(2))[0];
            using Process kill = Process.Start("sh", ["-c", "s=$(pgrep -xP $0 sh); kill -STOP $s; kill -9 $0; (sleep 3; kill -CONT $s) &", other]);
            kill.WaitForExit();
            Abort();
        }

        Thread.Sleep(TimeSpan.FromMinutes(5));
    });

    [Fact]
    public void A_rank_aborts() => RankTest.OnRank(ranks =>
    {
        using RankWatch watch = Start(ranks);
        if (ranks.Rank == 1)
        {
            Abort();
        }

        Thread.Sleep(TimeSpan.FromMinutes(5));
    });

    /// <summary>Tells the test that a signal has come, and ends with its exit code when the test says so.</summary>
    [Fact]
    public void Ranks_end_after_a_signal()
    {
        Assert.SkipUnless(MpiJob.LaunchedSize > 1, "Runs under mpiexec, started by another test.");
        string folder = Environment.GetEnvironmentVariable(Folder)!;
        using ManualResetEventSlim interrupted = new();
        using PosixSignalRegistration interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            interrupted.Set();
        });
        Note("ready");
        Assert.True(interrupted.Wait(TimeSpan.FromMinutes(5)));
        Note("interrupted");
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(folder, "end")), TimeSpan.FromMinutes(5)));
        ExitCodeKeeper.Start();
        Environment.Exit(130);

        void Note(string what)
        {
            string file = Path.Combine(folder, $"{what}-{MpiJob.LaunchedRank}");
            File.WriteAllText(file + ".new", $"{Environment.ProcessId}");
            File.Move(file + ".new", file);
        }
    }

    private static string Sign(int rank) => Path.Combine(Environment.GetEnvironmentVariable(Folder)!, RankWatch.FolderName, $"rank-{rank}");

    [DllImport("libc", EntryPoint = "abort")]
    private static extern void Abort();

    /// <summary>After the first steps, for which the limits are wider.</summary>
    private static RankWatch Start(ICommunicator ranks)
    {
        RankWatch watch = RankWatch.Start(ranks, Environment.GetEnvironmentVariable(Folder)!)!;
        for (int step = 0; step < 3; step++)
        {
            watch.StepDone();
        }

        return watch;
    }
}
