namespace UniFace.Cli;

/// <summary>Shows the activities of a library, one after the other, as progress on standard error. Thread-safe.</summary>
internal sealed class ProgressLine : IDisposable
{
    private readonly Lock gate = new();
    private (string Activity, Progress Progress)? current;

    /// <summary>Adds progress to an activity; ends the one before.</summary>
    public void Report(string activity, int count, int total)
    {
        lock (gate)
        {
            if (current?.Activity != activity)
            {
                current?.Progress.Dispose();
                current = (activity, new Progress(activity, total));
            }

            current!.Value.Progress.Add(count);
        }
    }

    public void Dispose() => current?.Progress.Dispose();
}
