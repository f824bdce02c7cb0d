namespace UniFace.CommandLine.Terminal;

/// <summary>Progress on standard error: count, rate and time left; a bar on a terminal. Thread-safe.</summary>
/// <param name="what">The operation.</param>
/// <param name="total">The count at the end.</param>
/// <param name="unit">What is counted, in the plural.</param>
internal sealed class ProgressMeter(string what, long total, string unit = "images") : IDisposable
{
    private readonly StatusLine line = new();
    private readonly Lock gate = new();
    private long done;

    /// <summary>Adds to the count.</summary>
    public void Add(long count = 1, string? note = null)
    {
        lock (gate)
        {
            Set(done + count, note);
        }
    }

    /// <summary>Sets the count.</summary>
    public void Set(long count, string? note = null)
    {
        lock (gate)
        {
            done = count;
            line.Update(() => Describe(note));
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (line.Shown)
            {
                line.Show(Describe(null));
                line.Finish();
            }
        }
    }

    private Status Describe(string? note)
    {
        double rate = done / Math.Max(line.Elapsed.TotalSeconds, 1e-3);
        string left = done < total && rate > 0 ? $", {TimeSpan.FromSeconds(Math.Min((total - done) / rate, 8e9)):hh\\:mm\\:ss} left" : "";
        string pace = $"{rate:F1} {unit}/s{left}{(note is null ? "" : ", " + note)}";
        return new Status(what, total > 0 ? (double)done / total : 1, $"{done}/{total} {unit}", pace);
    }
}
