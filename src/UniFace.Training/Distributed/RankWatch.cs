namespace UniFace.Training.Distributed;

/// <summary>
/// Ends the job with one line that names the rank if a rank is lost, stopped or much too slow, for which the others would wait forever. Every rank
/// leaves signs of life in files of the run folder, which all ranks share for the checkpoints. A killed process cannot report itself, and mpiexec
/// kills the others at once, so a small process beside each rank notices its end.
/// </summary>
internal sealed class RankWatch : IDisposable
{
    /// <summary>Environment variable: seconds for which a rank may wait for another within a step. Longer if the steps themselves are.</summary>
    public const string TimeoutVariable = "UNIFACE_MPI_TIMEOUT";

    /// <summary>Name of the folder with the signs of life.</summary>
    public const string FolderName = "ranks";

    private const double DefaultTimeout = 40;
    private const double FirstSteps = 10; // Factor on the time for the first steps, which compile and allocate.
    private const int SlowSteps = 4; // Factor on the slowest step so far.

    private static readonly TimeSpan ReportTime = TimeSpan.FromSeconds(5); // Time for a rank that has failed to say why.

    private readonly ICommunicator communicator;
    private readonly string folder;
    private readonly string marker;
    private readonly TimeSpan timeout;
    private readonly RankSentinel? sentinel;
    private readonly Thread thread;
    private readonly ManualResetEventSlim stop = new();
    private readonly Lock signing = new();
    private long stepBegan = Stopwatch.GetTimestamp();
    private long slowest;
    private int steps;
    private volatile string? busy;
    private bool complete;

    private RankWatch(ICommunicator communicator, string runFolder)
    {
        this.communicator = communicator;
        folder = Path.Combine(Path.GetFullPath(runFolder), FolderName);
        marker = Path.Combine(folder, "lost");
        string? given = Environment.GetEnvironmentVariable(TimeoutVariable);
        bool valid = double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 1e6;
        timeout = TimeSpan.FromSeconds(valid ? seconds : DefaultTimeout);
        if (communicator.Rank == 0)
        {
            Directory.CreateDirectory(folder);
            foreach (string file in Directory.EnumerateFiles(folder))
            {
                File.Delete(file);
            }
        }

        communicator.Barrier();
        Sign();
        sentinel = RankSentinel.Start(marker, folder, communicator.Rank);
        communicator.Barrier();
        thread = new Thread(Watch) { IsBackground = true, Name = nameof(RankWatch) };
        thread.Start();
    }

    /// <summary>Begins to watch; null for a single process.</summary>
    public static RankWatch? Start(ICommunicator communicator, string runFolder) => communicator.Size > 1 ? new RankWatch(communicator, runFolder) : null;

    /// <summary>Notes that a step is complete.</summary>
    public void StepDone()
    {
        long now = Stopwatch.GetTimestamp();
        slowest = Math.Max(slowest, steps > 0 ? now - stepBegan : 0);
        stepBegan = now;
        steps++;
    }

    /// <summary>Says what this rank does that may take any time, while the others wait; null: steps.</summary>
    public void SetBusy(string? what)
    {
        busy = what;
        stepBegan = Stopwatch.GetTimestamp();
        Sign();
    }

    /// <summary>Notes that this rank has done its part and all ranks end.</summary>
    public void Complete() => complete = true;

    /// <summary>Ends the watch: when all ranks end, or because this rank has failed and is about to say why and to end the others.</summary>
    public void Dispose()
    {
        stop.Set();
        thread.Join();
        if (!complete)
        {
            TryMark(); // The end of the others is no news.
        }

        sentinel?.Dispose();
        File.Delete(SignOf(communicator.Rank));
        stop.Dispose();
    }

    private string SignOf(int rank) => Path.Combine(folder, $"rank-{rank}");

    private TimeSpan Limit
    {
        get
        {
            TimeSpan usual = steps < 2 ? timeout * FirstSteps : timeout;
            TimeSpan slow = Stopwatch.GetElapsedTime(0, SlowSteps * slowest);
            return slow > usual ? slow : usual;
        }
    }

    /// <summary>The lines of a rank's sign of life; none if it has left none, or is deleting it at this moment.</summary>
    private string[] ReadSign(int rank)
    {
        try
        {
            return File.Exists(SignOf(rank)) ? File.ReadAllLines(SignOf(rank)) : [];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>Leaves a sign of life: process, machine, and what the rank does.</summary>
    private void Sign()
    {
        string doing = busy ?? (communicator.Waiting > TimeSpan.Zero ? "waiting" : $"computing step {steps + 1} of this job");
        string sign = SignOf(communicator.Rank), next = sign + ".new";
        try
        {
            lock (signing)
            {
                File.WriteAllText(next, $"{Environment.ProcessId}\n{Environment.MachineName}\n{doing}\n");
                File.Move(next, sign, overwrite: true); // A reader never sees a part of it.
            }
        }
        catch (IOException)
        {
            // A full disk is reported by the checkpoint.
        }
    }

    private void Watch()
    {
        TimeSpan interval = TimeSpan.FromSeconds(Math.Clamp(timeout.TotalSeconds / 10, 0.2, 5));
        while (!stop.Wait(interval))
        {
            Sign();
            if (File.Exists(marker) && !stop.Wait(ReportTime))
            {
                communicator.Abort(2); // Another rank has reported why.
            }

            if (communicator.Waiting > Limit && FindCulprit() is string culprit)
            {
                Report(culprit);
            }
        }
    }

    /// <summary>The rank that the others wait for; null if it is known to take its time.</summary>
    private string? FindCulprit()
    {
        DateTime now = File.GetLastWriteTimeUtc(SignOf(communicator.Rank));
        string waited = FormattableString.Invariant($"{communicator.Waiting.TotalSeconds:F0} s");
        string? slow = null;
        for (int rank = 0; rank < communicator.Size; rank++)
        {
            string[] sign = ReadSign(rank);
            if (rank == communicator.Rank || sign.Length < 3)
            {
                continue;
            }

            string name = $"rank {rank} (process {sign[0]} on {sign[1]})";
            TimeSpan silent = now - File.GetLastWriteTimeUtc(SignOf(rank));
            if (silent > timeout / 2)
            {
                return FormattableString.Invariant($"{name} has given no sign of life for {silent.TotalSeconds:F0} s: it is stopped, or its machine is lost");
            }

            if (sign[2].StartsWith("computing", StringComparison.Ordinal))
            {
                slow ??= $"{name} is too slow: the others have waited {waited} for it, and it is {sign[2]}";
            }
            else if (sign[2] != "waiting")
            {
                return null;
            }
        }

        return slow ?? $"all ranks have waited {waited} for each other: their network is broken";
    }

    private void Report(string culprit)
    {
        if (!TryMark())
        {
            return; // Another rank reports it.
        }

        using (StreamWriter errors = new(Console.OpenStandardError()) { AutoFlush = true })
        {
            errors.WriteLine($"error: {culprit}. The last checkpoint is good; {TimeoutVariable} sets the time in seconds.");
        }

        Thread.Sleep(TimeSpan.FromSeconds(1)); // For mpiexec to print it.
        communicator.Abort(2);
    }

    /// <summary>Notes that the end of the job is reported; false if another rank has.</summary>
    private bool TryMark()
    {
        try
        {
            using FileStream created = new(marker, FileMode.CreateNew);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
