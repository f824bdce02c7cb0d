namespace UniFace.Training.Distributed;

/// <summary>The processes of an MPI job. MPI can be initialized once per process, so there is one.</summary>
internal sealed unsafe class MpiCommunicator : ICommunicator
{
    private readonly delegate* unmanaged[Cdecl]<void*, void*, int, int, int, int, int> allReduce;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, int, int, int, int, int*, int> beginAllReduce;
    private readonly delegate* unmanaged[Cdecl]<void*, int, int, void*, int*, int*, int, int, int> allGather;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, int*, int, int, int, int> reduceScatter;
    private readonly delegate* unmanaged[Cdecl]<int*, int*, nint, int> test;
    private readonly delegate* unmanaged[Cdecl]<int*, nint, int> wait;
    private readonly Dictionary<int, int> rowTypes = []; // MPI types by width
    private readonly int logSumExp;
    private readonly int rowSum;
    private long waitsSince; // 0 while it does not wait for another rank

    /// <summary>Initializes MPI.</summary>
    /// <exception cref="UniFaceException">There is no MPI library, or it cannot be initialized.</exception>
    public MpiCommunicator()
    {
        int provided = 0, rank = 0, size = 0;
        MpiLibrary.Check(
            ((delegate* unmanaged[Cdecl]<nint, nint, int, int*, int>)MpiLibrary.Function("MPI_Init_thread"))(
                0, 0, MpiLibrary.ThreadSerialized, &provided),
            0,
            "MPI_Init_thread");
        MpiLibrary.Check(
            ((delegate* unmanaged[Cdecl]<int, int, int>)MpiLibrary.Function("MPI_Comm_set_errhandler"))(MpiLibrary.World, MpiLibrary.ErrorsReturn),
            0,
            "MPI_Comm_set_errhandler");
        MpiLibrary.Check(((delegate* unmanaged[Cdecl]<int, int*, int>)MpiLibrary.Function("MPI_Comm_rank"))(MpiLibrary.World, &rank), 0, "MPI_Comm_rank");
        MpiLibrary.Check(((delegate* unmanaged[Cdecl]<int, int*, int>)MpiLibrary.Function("MPI_Comm_size"))(MpiLibrary.World, &size), 0, "MPI_Comm_size");
        Rank = rank;
        Size = size;
        if (provided < MpiLibrary.ThreadSerialized)
        {
            throw new UniFaceException(
                "The MPI library does not support MPI_THREAD_SERIALIZED, which the backward pass needs; use a build with thread support.");
        }

        allReduce = (delegate* unmanaged[Cdecl]<void*, void*, int, int, int, int, int>)MpiLibrary.Function("MPI_Allreduce");
        beginAllReduce = (delegate* unmanaged[Cdecl]<void*, void*, int, int, int, int, int*, int>)MpiLibrary.Function("MPI_Iallreduce");
        allGather = (delegate* unmanaged[Cdecl]<void*, int, int, void*, int*, int*, int, int, int>)MpiLibrary.Function("MPI_Allgatherv");
        reduceScatter = (delegate* unmanaged[Cdecl]<void*, void*, int*, int, int, int, int>)MpiLibrary.Function("MPI_Reduce_scatter");
        test = (delegate* unmanaged[Cdecl]<int*, int*, nint, int>)MpiLibrary.Function("MPI_Test");
        wait = (delegate* unmanaged[Cdecl]<int*, nint, int>)MpiLibrary.Function("MPI_Wait");
        logSumExp = CreateOperation((nint)(delegate* unmanaged[Cdecl]<double*, double*, int*, int*, void>)&MpiReductions.LogSumExp);
        rowSum = CreateOperation((nint)(delegate* unmanaged[Cdecl]<float*, float*, int*, int*, void>)&MpiReductions.RowSum);
    }

    public int Rank { get; }

    public int Size { get; }

    public TrafficCounters Counters { get; } = new();

    public TimeSpan Waiting => Interlocked.Read(ref waitsSince) is long since and > 0 ? Stopwatch.GetElapsedTime(since) : TimeSpan.Zero;

    public void AllReduce(Span<float> values, Reduction reduction, Traffic traffic)
    {
        using WaitScope waiting = new(this);
        Counters.Add(traffic, (long)values.Length * sizeof(float));
        fixed (float* data = values)
        {
            int operation = reduction == Reduction.LogSumExp ? throw new ArgumentOutOfRangeException(nameof(reduction)) : Operation(reduction);
            MpiLibrary.Check(allReduce((void*)MpiLibrary.InPlace, data, values.Length, MpiLibrary.Float, operation, MpiLibrary.World), Rank, "MPI_Allreduce");
        }
    }

    public void AllReduce(Span<double> values, Reduction reduction, Traffic traffic)
    {
        using WaitScope waiting = new(this);
        Counters.Add(traffic, (long)values.Length * sizeof(double));
        fixed (double* data = values)
        {
            MpiLibrary.Check(
                allReduce((void*)MpiLibrary.InPlace, data, values.Length, MpiLibrary.Double, Operation(reduction), MpiLibrary.World), Rank, "MPI_Allreduce");
        }
    }

    public IPendingSum BeginSum(nint address, int count, Traffic traffic)
    {
        Counters.Add(traffic, (long)count * sizeof(float));
        int request = 0;
        MpiLibrary.Check(
            beginAllReduce((void*)MpiLibrary.InPlace, (void*)address, count, MpiLibrary.Float, MpiLibrary.Sum, MpiLibrary.World, &request),
            Rank,
            "MPI_Iallreduce");
        return new PendingSum(this, request);
    }

    public void AllGather(ReadOnlySpan<float> mine, Span<float> all, ReadOnlySpan<int> counts, Traffic traffic)
    {
        using WaitScope waiting = new(this);
        Counters.Add(traffic, (long)mine.Length * sizeof(float));
        int[] starts = new int[Size];
        for (int rank = 1; rank < Size; rank++)
        {
            starts[rank] = starts[rank - 1] + counts[rank - 1];
        }

        fixed (float* from = mine, to = all)
        {
            fixed (int* lengths = counts, offsets = starts)
            {
                MpiLibrary.Check(
                    allGather(from, mine.Length, MpiLibrary.Float, to, lengths, offsets, MpiLibrary.Float, MpiLibrary.World), Rank, "MPI_Allgatherv");
            }
        }
    }

    public void ReduceScatterRows(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> counts, Span<float> mine, Traffic traffic)
    {
        using WaitScope waiting = new(this);
        Counters.Add(traffic, (long)rows.Length * sizeof(float));
        fixed (float* from = rows, to = mine)
        {
            fixed (int* lengths = counts)
            {
                MpiLibrary.Check(reduceScatter(from, to, lengths, RowType(width), rowSum, MpiLibrary.World), Rank, "MPI_Reduce_scatter");
            }
        }
    }

    public void Broadcast(Span<byte> bytes)
    {
        using WaitScope waiting = new(this);
        Counters.Add(Traffic.Other, bytes.Length);
        fixed (byte* data = bytes)
        {
            MpiLibrary.Check(
                ((delegate* unmanaged[Cdecl]<void*, int, int, int, int, int>)MpiLibrary.Function("MPI_Bcast"))(
                    data, bytes.Length, MpiLibrary.Byte, 0, MpiLibrary.World),
                Rank,
                "MPI_Bcast");
        }
    }

    public void Send(ReadOnlySpan<byte> bytes, int rank)
    {
        using WaitScope waiting = new(this);
        Counters.Add(Traffic.Other, bytes.Length);
        fixed (byte* data = bytes)
        {
            MpiLibrary.Check(
                ((delegate* unmanaged[Cdecl]<void*, int, int, int, int, int, int>)MpiLibrary.Function("MPI_Send"))(
                    data, bytes.Length, MpiLibrary.Byte, rank, 0, MpiLibrary.World),
                Rank,
                "MPI_Send");
        }
    }

    public void Receive(Span<byte> bytes, int rank)
    {
        using WaitScope waiting = new(this);
        fixed (byte* data = bytes)
        {
            MpiLibrary.Check(
                ((delegate* unmanaged[Cdecl]<void*, int, int, int, int, int, nint, int>)MpiLibrary.Function("MPI_Recv"))(
                    data, bytes.Length, MpiLibrary.Byte, rank, 0, MpiLibrary.World, MpiLibrary.IgnoreStatus),
                Rank,
                "MPI_Recv");
        }
    }

    public void Barrier()
    {
        using WaitScope waiting = new(this);
        Counters.Add(Traffic.Other, 0);
        MpiLibrary.Check(((delegate* unmanaged[Cdecl]<int, int>)MpiLibrary.Function("MPI_Barrier"))(MpiLibrary.World), Rank, "MPI_Barrier");
    }

    public void Abort(int exitCode) =>
        ((delegate* unmanaged[Cdecl]<int, int, int>)MpiLibrary.Function("MPI_Abort"))(MpiLibrary.World, exitCode);

    /// <summary>Ends the use of MPI; waits for the other ranks.</summary>
    public void Complete()
    {
        foreach (int created in rowTypes.Values)
        {
            int type = created;
            MpiLibrary.Check(((delegate* unmanaged[Cdecl]<int*, int>)MpiLibrary.Function("MPI_Type_free"))(&type), Rank, "MPI_Type_free");
        }

        rowTypes.Clear();
        MpiLibrary.Check(((delegate* unmanaged[Cdecl]<int>)MpiLibrary.Function("MPI_Finalize"))(), Rank, "MPI_Finalize");
    }

    private int Operation(Reduction reduction) => reduction switch
    {
        Reduction.Sum => MpiLibrary.Sum,
        Reduction.Max => MpiLibrary.Max,
        _ => logSumExp,
    };

    private int RowType(int width)
    {
        if (!rowTypes.TryGetValue(width, out int type))
        {
            MpiLibrary.Check(
                ((delegate* unmanaged[Cdecl]<int, int, int*, int>)MpiLibrary.Function("MPI_Type_contiguous"))(width, MpiLibrary.Float, &type),
                Rank,
                "MPI_Type_contiguous");
            MpiLibrary.Check(((delegate* unmanaged[Cdecl]<int*, int>)MpiLibrary.Function("MPI_Type_commit"))(&type), Rank, "MPI_Type_commit");
            rowTypes[width] = type;
        }

        return type;
    }

    private int CreateOperation(nint function)
    {
        int operation = 0;
        MpiLibrary.Check(
            ((delegate* unmanaged[Cdecl]<nint, int, int*, int>)MpiLibrary.Function("MPI_Op_create"))(function, 1, &operation), Rank, "MPI_Op_create");
        return operation;
    }

    /// <summary>A call that may wait for other ranks.</summary>
    private readonly ref struct WaitScope
    {
        private readonly MpiCommunicator owner;

        public WaitScope(MpiCommunicator owner)
        {
            this.owner = owner;
            Interlocked.Exchange(ref owner.waitsSince, Stopwatch.GetTimestamp());
        }

        public void Dispose() => Interlocked.Exchange(ref owner.waitsSince, 0);
    }

    private sealed class PendingSum(MpiCommunicator owner, int request) : IPendingSum
    {
        private int handle = request;
        private bool complete;

        public bool Test()
        {
            if (!complete)
            {
                int flag = 0;
                fixed (int* data = &handle)
                {
                    MpiLibrary.Check(owner.test(data, &flag, MpiLibrary.IgnoreStatus), owner.Rank, "MPI_Test");
                }

                complete = flag != 0;
            }

            return complete;
        }

        public void Wait()
        {
            if (!complete)
            {
                using WaitScope scope = new(owner);
                fixed (int* data = &handle)
                {
                    MpiLibrary.Check(owner.wait(data, MpiLibrary.IgnoreStatus), owner.Rank, "MPI_Wait");
                }

                complete = true;
            }
        }
    }
}
