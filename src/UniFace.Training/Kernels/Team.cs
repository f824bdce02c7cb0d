using static TorchSharp.torch;

namespace UniFace.Training.Kernels;

/// <summary>The threads of a kernel: as many as libtorch computes with, the caller among them.</summary>
internal static class Team
{
    /// <summary>Calls <paramref name="body"/> once for each number below <paramref name="count"/>, in any order.</summary>
    public static void Run(int count, Action<int> body)
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
