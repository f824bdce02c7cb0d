using System.Runtime.ExceptionServices;

namespace UniFace;

/// <summary>A parallel loop that throws what its body threw, not an <see cref="AggregateException"/>.</summary>
public static class ParallelLoop
{
    /// <summary>Runs the body for each index from 0 to <paramref name="count"/> - 1.</summary>
    /// <param name="count">Number of iterations.</param>
    /// <param name="body">Called on several threads at once.</param>
    /// <param name="threads">Maximum number of threads; 0 for one per core.</param>
    /// <param name="cancellation">Stops between iterations.</param>
    /// <exception cref="UniFaceException">The body threw it; one of them, if it did so several times.</exception>
    public static void Run(int count, Action<int> body, int threads = 0, CancellationToken cancellation = default)
    {
        ParallelOptions options = new() { CancellationToken = cancellation, MaxDegreeOfParallelism = threads > 0 ? threads : Environment.ProcessorCount };
        try
        {
            Parallel.For(0, count, options, body);
        }
        catch (AggregateException e)
        {
            Exception[] thrown = [.. e.Flatten().InnerExceptions];
            ExceptionDispatchInfo.Throw(thrown.OfType<UniFaceException>().FirstOrDefault() ?? thrown[0]);
        }
    }
}
