namespace UniFace.Training.Distributed;

/// <summary>What a message is for; the communicator counts by it.</summary>
internal enum Traffic
{
    /// <summary>Embeddings, targets and gradients of the head.</summary>
    Head,

    /// <summary>Gradients of the backbone.</summary>
    Backbone,

    /// <summary>Statistics of synchronized batch norms.</summary>
    BatchNorm,

    /// <summary>Everything else: norms of gradients, statistics of the log, checkpoints.</summary>
    Other,
}

/// <summary>How the values of the ranks are combined.</summary>
internal enum Reduction
{
    /// <summary>Their sum.</summary>
    Sum,

    /// <summary>The largest.</summary>
    Max,

    /// <summary>ln(sum of e^x); float64 only.</summary>
    LogSumExp,
}

/// <summary>
/// The processes that train one run. Every method but <see cref="Send"/>, <see cref="Receive"/> and <see cref="Abort"/> is collective: all ranks
/// call the same methods in the same order. The result of a reduction has the same bits on every rank. Not for concurrent use.
/// </summary>
internal interface ICommunicator
{
    /// <summary>The number of this process, from 0.</summary>
    int Rank { get; }

    /// <summary>N, the number of processes.</summary>
    int Size { get; }

    /// <summary>What was sent.</summary>
    TrafficCounters Counters { get; }

    /// <summary>How long this rank has been waiting for another; 0 if it is not. For any thread.</summary>
    TimeSpan Waiting { get; }

    /// <summary>Combines the values of all ranks in place.</summary>
    void AllReduce(Span<float> values, Reduction reduction, Traffic traffic);

    /// <inheritdoc cref="AllReduce(Span{float}, Reduction, Traffic)"/>
    void AllReduce(Span<double> values, Reduction reduction, Traffic traffic);

    /// <summary>Begins a sum in place of values in native memory, which must not be touched until it is complete.</summary>
    /// <param name="address">Address of the first value.</param>
    /// <param name="count">Number of values.</param>
    /// <param name="traffic">What it is for.</param>
    IPendingSum BeginSum(nint address, int count, Traffic traffic);

    /// <summary>Gathers the values of all ranks in their order.</summary>
    /// <param name="mine">The values of this rank.</param>
    /// <param name="all">Receives those of all ranks.</param>
    /// <param name="counts">Number of values of each rank.</param>
    /// <param name="traffic">What it is for.</param>
    void AllGather(ReadOnlySpan<float> mine, Span<float> all, ReadOnlySpan<int> counts, Traffic traffic);

    /// <summary>
    /// Adds the matrices of all ranks, in the last column takes the largest values, and gives each rank its block of rows.
    /// </summary>
    /// <param name="rows">[R, width].</param>
    /// <param name="width">Columns.</param>
    /// <param name="counts">Rows of each rank, together R.</param>
    /// <param name="mine">Receives the rows of this rank.</param>
    /// <param name="traffic">What it is for.</param>
    void ReduceScatterRows(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> counts, Span<float> mine, Traffic traffic);

    /// <summary>Copies bytes of rank 0 to all ranks.</summary>
    void Broadcast(Span<byte> bytes);

    /// <summary>Sends bytes to another rank.</summary>
    void Send(ReadOnlySpan<byte> bytes, int rank);

    /// <summary>Receives bytes from another rank.</summary>
    void Receive(Span<byte> bytes, int rank);

    /// <summary>Returns when all ranks have called it.</summary>
    void Barrier();

    /// <summary>Ends the processes of all ranks.</summary>
    /// <param name="exitCode">The exit code of the job.</param>
    void Abort(int exitCode);
}

/// <summary>A sum that is under way.</summary>
internal interface IPendingSum
{
    /// <summary>Advances the sum; true if it is complete.</summary>
    bool Test();

    /// <summary>Waits until it is complete.</summary>
    void Wait();
}
