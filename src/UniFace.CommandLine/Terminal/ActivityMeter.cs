namespace UniFace.CommandLine.Terminal;

/// <summary>Progress of the activities of a library, one after the other, on standard error. Thread-safe.</summary>
/// <param name="unit">What is counted, in the plural.</param>
internal sealed class ActivityMeter(string unit = "images") : IDisposable
{
    private readonly Lock gate = new();
    private string? activity;
    private ProgressMeter? meter;

    /// <summary>Adds to the count of an activity; ends the activity before it.</summary>
    public void Add(string name, int count, int total)
    {
        lock (gate)
        {
            if (name != activity)
            {
                meter?.Dispose();
                (activity, meter) = (name, new ProgressMeter(name, total, unit));
            }

            meter!.Add(count);
        }
    }

    public void Dispose() => meter?.Dispose();
}
