namespace UniFace.CommandLine.Terminal;

/// <summary>
/// A status on standard error. On a terminal it is one line, redrawn at most ten times per second; in a log it is a new line every five seconds.
/// </summary>
internal sealed class StatusLine
{
    private static readonly bool Live = !Console.IsErrorRedirected;
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private TimeSpan next = Live ? TimeSpan.Zero : Pause;
    private bool drawn;

    private static TimeSpan Pause => Live ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(5);

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => clock.Elapsed;

    /// <summary>True once a status has been shown.</summary>
    public bool Shown { get; private set; }

    /// <summary>Shows a status, if it is time for one.</summary>
    public void Update(Func<string> status)
    {
        if (clock.Elapsed >= next)
        {
            next = clock.Elapsed + Pause;
            Show(status());
        }
    }

    /// <summary>Shows a status now.</summary>
    public void Show(string status)
    {
        Shown = true;
        string line = Output.Name(status);
        if (Live)
        {
            Output.RawError.Write("\r\x1b[K" + line[..Math.Min(line.Length, Math.Max(Console.WindowWidth - 1, 40))]);
            drawn = true;
        }
        else
        {
            Console.Error.WriteLine(line);
        }
    }

    /// <summary>Removes the status from a terminal, before other text.</summary>
    public void Clear()
    {
        if (drawn)
        {
            Output.RawError.Write("\r\x1b[K");
            drawn = false;
        }
    }

    /// <summary>Leaves the last status on the terminal.</summary>
    public void Finish()
    {
        if (drawn)
        {
            Console.Error.WriteLine();
            drawn = false;
        }
    }
}
