using System.Runtime.ExceptionServices;

namespace UniFace;

/// <summary>A parallel loop that throws what its body threw, not an <see cref="AggregateException"/>.</summary>
internal static class ParallelLoop
{
    /// <summary>Runs the body for each index from 0 to <paramref name="count"/> - 1.</summary>
    /// <param name="count">Number of iterations.</param>
    /// <param name="body">Called on several threads at once.</param>
    /// <param name="threads">Maximum number of threads; 0 for one per core.</param>
    /// <param name="cancellationToken">Stops between iterations.</param>
    /// <exception cref="UniFaceException">The body threw it; one of them, if it did so several times.</exception>
    public static void Run(int count, Action<int> body, int threads = 0, CancellationToken cancellationToken = default)
    {
        if (count == 1)
        {
            cancellationToken.ThrowIfCancellationRequested();
            body(0);
            return;
        }

        ParallelOptions options = new() { CancellationToken = cancellationToken, MaxDegreeOfParallelism = threads > 0 ? threads : Environment.ProcessorCount };
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

    /// <summary>Runs the body for consecutive ranges that together contain each index from 0 to <paramref name="count"/> - 1 once.</summary>
    /// <param name="count">Number of indices.</param>
    /// <param name="size">Indices per range; the last range may be shorter.</param>
    /// <param name="body">Called with a range's first index and the index after its last one, on several threads at once.</param>
    /// <param name="cancellationToken">Cancels between ranges.</param>
    /// <inheritdoc cref="Run"/>
    public static void RunRanges(int count, int size, Action<int, int> body, CancellationToken cancellationToken = default) =>
        Run(
            (int)(((long)count + size - 1) / size),
            range => body(range * size, (int)Math.Min(count, (range + 1L) * size)),
            cancellationToken: cancellationToken);
}
