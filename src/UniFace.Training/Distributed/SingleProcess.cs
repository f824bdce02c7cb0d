namespace UniFace.Training.Distributed;

/// <summary>One process: nothing is sent.</summary>
internal sealed class SingleProcess : ICommunicator
{
    public static SingleProcess Instance { get; } = new();

    public int Rank => 0;

    public int Size => 1;

    public TrafficCounters Counters { get; } = new();

    public TimeSpan Waiting => TimeSpan.Zero;

    public void AllReduce(Span<float> values, Reduction reduction, Traffic traffic)
    {
    }

    public void AllReduce(Span<double> values, Reduction reduction, Traffic traffic)
    {
    }

    public IPendingSum BeginSum(nint address, int count, Traffic traffic) => Complete.Instance;

    public void AllGather(ReadOnlySpan<float> mine, Span<float> all, ReadOnlySpan<int> counts, Traffic traffic) => mine.CopyTo(all);

    public void ReduceScatterRows(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> counts, Span<float> mine, Traffic traffic) => rows.CopyTo(mine);

    public void Broadcast(Span<byte> bytes)
    {
    }

    public void Send(ReadOnlySpan<byte> bytes, int rank) => throw new InvalidOperationException("A single process has nobody to send to.");

    public void Receive(Span<byte> bytes, int rank) => throw new InvalidOperationException("A single process has nobody to receive from.");

    public void Barrier()
    {
    }

    public void Abort(int exitCode) => Environment.Exit(exitCode);

    private sealed class Complete : IPendingSum
    {
        public static Complete Instance { get; } = new();

        public bool Test() => true;

        public void Wait()
        {
        }
    }
}
