using Spectre.Console;

namespace UniFace.CommandLine.Terminal;

/// <summary>A status: what is done, how much of it, and details.</summary>
/// <param name="What">The operation.</param>
/// <param name="Fraction">The share that is done, 0 to 1.</param>
/// <param name="Count">The share as a count, e.g. 5/20 images.</param>
/// <param name="Text">Rate, time left and notes.</param>
internal readonly record struct Status(string What, double Fraction, string Count, string Text)
{
    /// <summary>The line of a log.</summary>
    public override string ToString() => $"{What}: {Count}, {Text}";
}

/// <summary>
/// A status on standard error. On a terminal it is a progress bar, redrawn at most ten times per second; in a log it is a new line every five
/// seconds.
/// </summary>
internal sealed class StatusLine
{
    private static readonly bool Live = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private TimeSpan next = Live ? TimeSpan.Zero : Pause;
    private bool drawn;

    private static TimeSpan Pause => Live ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(5);

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => clock.Elapsed;

    /// <summary>True once a status has been shown.</summary>
    public bool Shown { get; private set; }

    /// <summary>Shows a status, if it is time for one.</summary>
    public void Update(Func<Status> status)
    {
        if (clock.Elapsed >= next)
        {
            next = clock.Elapsed + Pause;
            Show(status());
        }
    }

    /// <summary>Shows a status now.</summary>
    public void Show(Status status)
    {
        Shown = true;
        if (Live)
        {
            // A redirected output does not say whether the terminal shows Unicode; its encoding does.
            bool unicode = AnsiConsole.Profile.Capabilities.Unicode || Console.Error.Encoding.CodePage == Encoding.UTF8.CodePage;
            string line = ProgressBar.Format(
                Output.Name(status.What), status.Fraction, Output.Name($"{status.Count}, {status.Text}"), Math.Max(Console.WindowWidth - 1, 40), unicode);
            Output.RawError.Write("\r\x1b[K" + line);
            drawn = true;
        }
        else
        {
            Console.Error.WriteLine(Output.Name($"{status}"));
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
