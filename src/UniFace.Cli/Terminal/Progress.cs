using System.Diagnostics;
using System.Globalization;

namespace UniFace.Cli.Terminal;

/// <summary>
/// Progress on standard error: done of total, images a second, time left. Redraws one line on a terminal;
/// elsewhere prints a line every few seconds, so a log stays readable. Thread-safe.
/// </summary>
internal sealed class Progress : IDisposable
{
    private readonly string what;
    private readonly long total;
    private readonly string unit;
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly bool live = !Console.IsErrorRedirected;
    private readonly Lock gate = new();
    private long done;
    private TimeSpan shown = TimeSpan.MinValue;

    public Progress(string what, long total, string unit = "images")
    {
        this.what = what;
        this.total = total;
        this.unit = unit;
    }

    /// <summary>Counts some more as done.</summary>
    public void Add(long count = 1, string? note = null)
    {
        lock (gate)
        {
            done += count;
            TimeSpan now = clock.Elapsed;
            TimeSpan pause = live ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(5);
            if (shown == TimeSpan.MinValue ? !live && now < pause : now - shown < pause)
            {
                return;
            }

            shown = now;
            Show(Line(now, note));
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (shown != TimeSpan.MinValue)
            {
                Show(Line(clock.Elapsed, null));
                if (live)
                {
                    Console.Error.WriteLine();
                }
            }
        }
    }

    private string Line(TimeSpan elapsed, string? note)
    {
        double rate = done / Math.Max(elapsed.TotalSeconds, 1e-3);
        string left = done < total && rate > 0 ? $", {TimeSpan.FromSeconds(Math.Min((total - done) / rate, 8e9)):hh\\:mm\\:ss} left" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{what}: {done}/{total} {unit}, {rate:F1} {unit}/s{left}{(note is null ? "" : ", " + note)}");
    }

    private void Show(string line)
    {
        if (live)
        {
            Output.Terminal.Write("\r\x1b[K" + Output.Name(line));
        }
        else
        {
            Console.Error.WriteLine(line);
        }
    }
}
