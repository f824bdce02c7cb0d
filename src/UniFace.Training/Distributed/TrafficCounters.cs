namespace UniFace.Training.Distributed;

/// <summary>Number of collective calls and the bytes that this rank passed to them, by purpose.</summary>
internal sealed class TrafficCounters
{
    private readonly (long Calls, long Bytes)[] totals = new (long, long)[Enum.GetValues<Traffic>().Length];

    /// <summary>Calls and bytes so far.</summary>
    public (long Calls, long Bytes) this[Traffic traffic] => totals[(int)traffic];

    /// <summary>True if nothing was sent.</summary>
    public bool IsEmpty => Array.TrueForAll(totals, total => total.Calls == 0);

    /// <summary>The counts as they are now.</summary>
    public IReadOnlyList<(long Calls, long Bytes)> Snapshot() => [.. totals];

    /// <summary>Calls and bytes per step and rank since a snapshot, for people to read.</summary>
    /// <param name="since">The snapshot.</param>
    /// <param name="steps">Steps since then.</param>
    public string Describe(IReadOnlyList<(long Calls, long Bytes)> since, long steps)
    {
        List<string> parts = [];
        foreach (Traffic traffic in Enum.GetValues<Traffic>())
        {
            double calls = totals[(int)traffic].Calls - since[(int)traffic].Calls, bytes = totals[(int)traffic].Bytes - since[(int)traffic].Bytes;
            if (calls > 0)
            {
                parts.Add(FormattableString.Invariant($"{Label(traffic)} {calls / steps:0.##} calls, {bytes / steps:0} bytes"));
            }
        }

        return string.Join("; ", parts);
    }

    private static string Label(Traffic traffic) => traffic switch
    {
        Traffic.Head => "head",
        Traffic.Backbone => "backbone",
        Traffic.BatchNorm => "batch norms",
        _ => "log and checkpoints",
    };

    /// <summary>Counts a call.</summary>
    public void Add(Traffic traffic, long bytes)
    {
        ref (long Calls, long Bytes) total = ref totals[(int)traffic];
        total = (total.Calls + 1, total.Bytes + bytes);
    }
}
