namespace UniFace.Training.Runtime;

/// <summary>Runs a kernel on as many threads as libtorch uses, including the caller's.</summary>
internal static class WorkerThreads
{
    private const int RowsPerChunk = 64;

    /// <summary>As <see cref="For"/> for the rows of a matrix, which are too short to be distributed one by one.</summary>
    public static void ForRows(int count, Action<int> body) => For((count + RowsPerChunk - 1) / RowsPerChunk, chunk =>
    {
        for (int row = chunk * RowsPerChunk; row < Math.Min(count, (chunk + 1) * RowsPerChunk); row++)
        {
            body(row);
        }
    });

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
