namespace UniFace.Training.Distributed;

/// <summary>What the ranks must agree on before they go on together.</summary>
internal static class Agreement
{
    private const int MaxText = 1 << 20;

    /// <summary>
    /// Does something on every rank that may fail and that calls no collective. If it fails on one, it fails on all, and the exception of rank 0 has
    /// the message of the first that failed.
    /// </summary>
    /// <exception cref="UniFaceException">It has failed on this or another rank.</exception>
    public static T Require<T>(ICommunicator communicator, Func<T> action)
    {
        if (communicator.Size == 1)
        {
            return action();
        }

        T result = default!;
        Exception? failure = null;
        try
        {
            result = action();
        }
        catch (Exception e) when (e is UniFaceException or IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            failure = e;
        }

        return Settle(communicator, failure?.Message) is not string message ? result
            : failure is null ? throw new UniFaceException(message)
            : throw new UniFaceException(message, failure);
    }

    /// <summary>Tells all ranks whether this one has failed. The first collective of a job is one of these, so that an early failure can join it.</summary>
    /// <param name="communicator">The ranks.</param>
    /// <param name="failure">Why this rank has failed; null if it has not.</param>
    /// <returns>Null if none has failed; else, on rank 0, why the first has.</returns>
    public static string? Settle(ICommunicator communicator, string? failure)
    {
        float[] failed = new float[communicator.Size];
        failed[communicator.Rank] = failure is null ? 0 : 1;
        communicator.AllReduce(failed, Reduction.Sum, Traffic.Other);
        int first = Array.IndexOf(failed, 1);
        if (first < 0)
        {
            return null;
        }

        MpiJob.EndTogether(communicator);
        if (first > 0 && communicator.Rank == first)
        {
            byte[] text = Encoding.UTF8.GetBytes(failure!);
            communicator.Send(BitConverter.GetBytes(text.Length), 0);
            communicator.Send(text, 0);
        }
        else if (first > 0 && communicator.Rank == 0)
        {
            byte[] length = new byte[sizeof(int)];
            communicator.Receive(length, first);
            byte[] text = new byte[BitConverter.ToInt32(length)];
            communicator.Receive(text, first);
            failure = Encoding.UTF8.GetString(text);
        }

        return failed.All(value => value == 1) ? failure : $"rank {first}: {failure}";
    }

    /// <summary>Sends the bytes of the other ranks to rank 0, one rank after the other.</summary>
    /// <param name="communicator">The ranks.</param>
    /// <param name="own">The bytes of this rank; not used on rank 0.</param>
    /// <param name="received">Called on rank 0 with each rank that has sent bytes, and these.</param>
    public static void CollectBytes(this ICommunicator communicator, byte[] own, Action<int, byte[]> received)
    {
        if (communicator.Size == 1)
        {
            return;
        }

        double[] lengths = new double[communicator.Size];
        lengths[communicator.Rank] = communicator.Rank == 0 ? 0 : own.Length;
        communicator.AllReduce(lengths, Reduction.Sum, Traffic.Other);
        if (lengths[communicator.Rank] > 0)
        {
            communicator.Send(own, 0);
        }

        for (int rank = 1; communicator.Rank == 0 && rank < communicator.Size; rank++)
        {
            if (lengths[rank] > 0)
            {
                byte[] bytes = new byte[(int)lengths[rank]];
                communicator.Receive(bytes, rank);
                received(rank, bytes);
            }
        }
    }

    /// <summary>A text of rank 0.</summary>
    public static string Broadcast(this ICommunicator communicator, string text) =>
        Encoding.UTF8.GetString(communicator.BroadcastBytes(Encoding.UTF8.GetBytes(text)));

    /// <summary>Bytes of rank 0, whose number only it knows.</summary>
    public static byte[] BroadcastBytes(this ICommunicator communicator, byte[] bytes)
    {
        if (communicator.Size == 1)
        {
            return bytes;
        }

        byte[] length = BitConverter.GetBytes(bytes.Length);
        communicator.Broadcast(length);
        byte[] shared = communicator.Rank == 0 ? bytes : new byte[BitConverter.ToInt32(length)];
        for (int at = 0; at < shared.Length; at += MaxText)
        {
            communicator.Broadcast(shared.AsSpan(at, Math.Min(MaxText, shared.Length - at)));
        }

        return shared;
    }
}
