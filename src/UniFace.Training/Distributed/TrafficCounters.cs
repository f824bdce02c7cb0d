namespace UniFace.Training.Distributed;

/// <summary>Number of collective calls and the bytes that this rank passed to them, by purpose.</summary>
internal sealed class TrafficCounters
{
    private readonly (long Calls, long Bytes)[] totals = new (long, long)[Enum.GetValues<Traffic>().Length];

    /// <summary>Calls and bytes so far.</summary>
    public (long Calls, long Bytes) this[Traffic traffic] => totals[(int)traffic];

    /// <summary>True if nothing was sent.</summary>
    public bool IsEmpty => Array.TrueForAll(totals, total => total.Calls == 0);

    /// <summary>Counts a call.</summary>
    public void Add(Traffic traffic, long bytes)
    {
        ref (long Calls, long Bytes) total = ref totals[(int)traffic];
        total = (total.Calls + 1, total.Bytes + bytes);
    }
}
