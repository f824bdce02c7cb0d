namespace UniFace.Training.Native;

/// <summary>Runs a kernel on as many threads as libtorch uses, including the caller's.</summary>
internal static class WorkerThreads
{
    /// <summary>Calls <paramref name="body"/> once for every number below <paramref name="count"/>, in any order.</summary>
    public static void For(int count, Action<int> body)
    {
        int threads = Math.Min(get_num_threads(), count);
        if (threads <= 1)
        {
            for (int i = 0; i < count; i++)
            {
                body(i);
            }

            return;
        }

        int next = -1;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, _ =>
        {
            for (int i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
            {
                body(i);
            }
        });
    }
}
