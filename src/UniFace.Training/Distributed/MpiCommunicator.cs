namespace UniFace.Training.Distributed;

/// <summary>The processes of an MPI job. MPI can be initialized once per process, so there is one.</summary>
internal sealed unsafe class MpiCommunicator : ICommunicator
{
    /// <summary>How long a rank polls for others before it leaves the processor to them between polls.</summary>
    private static readonly TimeSpan Spin = TimeSpan.FromMicroseconds(50);

    private readonly delegate* unmanaged[Cdecl]<void*, void*, int, int, int, int, int*, int> allReduce;
    private readonly delegate* unmanaged[Cdecl]<void*, int, int, void*, int*, int*, int, int, int*, int> allGather;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, int*, int, int, int, int*, int> reduceScatter;
    private readonly delegate* unmanaged[Cdecl]<int*, int*, nint, int> test;
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

        allReduce = (delegate* unmanaged[Cdecl]<void*, void*, int, int, int, int, int*, int>)MpiLibrary.Function("MPI_Iallreduce");
        allGather = (delegate* unmanaged[Cdecl]<void*, int, int, void*, int*, int*, int, int, int*, int>)MpiLibrary.Function("MPI_Iallgatherv");
        reduceScatter = (delegate* unmanaged[Cdecl]<void*, void*, int*, int, int, int, int*, int>)MpiLibrary.Function("MPI_Ireduce_scatter");
        test = (delegate* unmanaged[Cdecl]<int*, int*, nint, int>)MpiLibrary.Function("MPI_Test");
        logSumExp = CreateOperation((nint)(delegate* unmanaged[Cdecl]<double*, double*, int*, int*, void>)&MpiReductions.LogSumExp);
        rowSum = CreateOperation((nint)(delegate* unmanaged[Cdecl]<float*, float*, int*, int*, void>)&MpiReductions.RowSum);
    }

    public int Rank { get; }

    public int Size { get; }

    public TrafficCounters Counters { get; } = new();

    public TimeSpan Waiting => Interlocked.Read(ref waitsSince) is long since and > 0 ? Stopwatch.GetElapsedTime(since) : TimeSpan.Zero;

    public void AllReduce(Span<float> values, Reduction reduction, Traffic traffic)
    {
        Counters.Add(traffic, (long)values.Length * sizeof(float));
        fixed (float* data = values)
        {
            int request = 0;
            int operation = reduction == Reduction.LogSumExp ? throw new ArgumentOutOfRangeException(nameof(reduction)) : Operation(reduction);
            Finish(
                allReduce((void*)MpiLibrary.InPlace, data, values.Length, MpiLibrary.Float, operation, MpiLibrary.World, &request),
                &request,
                "MPI_Iallreduce");
        }
    }

    public void AllReduce(Span<double> values, Reduction reduction, Traffic traffic)
    {
        Counters.Add(traffic, (long)values.Length * sizeof(double));
        fixed (double* data = values)
        {
            int request = 0;
            Finish(
                allReduce((void*)MpiLibrary.InPlace, data, values.Length, MpiLibrary.Double, Operation(reduction), MpiLibrary.World, &request),
                &request,
                "MPI_Iallreduce");
        }
    }

    public IPendingSum BeginSum(nint address, int count, Traffic traffic)
    {
        Counters.Add(traffic, (long)count * sizeof(float));
        int request = 0;
        MpiLibrary.Check(
            allReduce((void*)MpiLibrary.InPlace, (void*)address, count, MpiLibrary.Float, MpiLibrary.Sum, MpiLibrary.World, &request),
            Rank,
            "MPI_Iallreduce");
        return new PendingSum(this, request);
    }

    public void AllGather(ReadOnlySpan<float> mine, Span<float> all, ReadOnlySpan<int> counts, Traffic traffic)
    {
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
                int request = 0;
                Finish(
                    allGather(from, mine.Length, MpiLibrary.Float, to, lengths, offsets, MpiLibrary.Float, MpiLibrary.World, &request),
                    &request,
                    "MPI_Iallgatherv");
            }
        }
    }

    public void ReduceScatterRows(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> counts, Span<float> mine, Traffic traffic)
    {
        Counters.Add(traffic, (long)rows.Length * sizeof(float));
        fixed (float* from = rows, to = mine)
        {
            fixed (int* lengths = counts)
            {
                int request = 0;
                Finish(reduceScatter(from, to, lengths, RowType(width), rowSum, MpiLibrary.World, &request), &request, "MPI_Ireduce_scatter");
            }
        }
    }

    public void Broadcast(Span<byte> bytes)
    {
        Counters.Add(Traffic.Other, bytes.Length);
        fixed (byte* data = bytes)
        {
            int request = 0;
            Finish(
                ((delegate* unmanaged[Cdecl]<void*, int, int, int, int, int*, int>)MpiLibrary.Function("MPI_Ibcast"))(
                    data, bytes.Length, MpiLibrary.Byte, 0, MpiLibrary.World, &request),
                &request,
                "MPI_Ibcast");
        }
    }

    public void Send(ReadOnlySpan<byte> bytes, int rank)
    {
        Counters.Add(Traffic.Other, bytes.Length);
        fixed (byte* data = bytes)
        {
            int request = 0;
            Finish(
                ((delegate* unmanaged[Cdecl]<void*, int, int, int, int, int, int*, int>)MpiLibrary.Function("MPI_Isend"))(
                    data, bytes.Length, MpiLibrary.Byte, rank, 0, MpiLibrary.World, &request),
                &request,
                "MPI_Isend");
        }
    }

    public void Receive(Span<byte> bytes, int rank)
    {
        fixed (byte* data = bytes)
        {
            int request = 0;
            Finish(
                ((delegate* unmanaged[Cdecl]<void*, int, int, int, int, int, int*, int>)MpiLibrary.Function("MPI_Irecv"))(
                    data, bytes.Length, MpiLibrary.Byte, rank, 0, MpiLibrary.World, &request),
                &request,
                "MPI_Irecv");
        }
    }

    public void Barrier()
    {
        Counters.Add(Traffic.Other, 0);
        int request = 0;
        Finish(((delegate* unmanaged[Cdecl]<int, int*, int>)MpiLibrary.Function("MPI_Ibarrier"))(MpiLibrary.World, &request), &request, "MPI_Ibarrier");
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

    /// <summary>Completes a call that has begun a request.</summary>
    private void Finish(int code, int* request, string function)
    {
        MpiLibrary.Check(code, Rank, function);
        Wait(request, function);
    }

    /// <summary>
    /// Waits for a request. MPI's own waits keep the processor busy; where there are more ranks or threads than processors, that takes the time of the rank
    /// that is waited for, so this one yields between polls.
    /// </summary>
    private void Wait(int* request, string function)
    {
        long start = Stopwatch.GetTimestamp();
        Interlocked.Exchange(ref waitsSince, start);
        try
        {
            while (!Test(request, function))
            {
                if (Stopwatch.GetElapsedTime(start) > Spin)
                {
                    Thread.Yield();
                }
            }
        }
        finally
        {
            Interlocked.Exchange(ref waitsSince, 0);
        }
    }

    private bool Test(int* request, string function)
    {
        int complete = 0;
        MpiLibrary.Check(test(request, &complete, MpiLibrary.IgnoreStatus), Rank, function);
        return complete != 0;
    }

    private sealed class PendingSum(MpiCommunicator owner, int request) : IPendingSum
    {
        private int handle = request;
        private bool complete;

        public bool Test()
        {
            if (!complete)
            {
                fixed (int* data = &handle)
                {
                    complete = owner.Test(data, "MPI_Iallreduce");
                }
            }

            return complete;
        }

        public void Wait()
        {
            if (!complete)
            {
                fixed (int* data = &handle)
                {
                    owner.Wait(data, "MPI_Iallreduce");
                }

                complete = true;
            }
        }
    }
}
