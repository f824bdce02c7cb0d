namespace UniFace.IO;

/// <summary>Reads the next piece on another thread while the caller processes the current one.</summary>
internal static class ReadAhead
{
    /// <summary>
    /// The pieces in order. When the loop over them ends (regularly, by break or by an exception), no read is in progress, so the caller can
    /// dispose what <paramref name="read"/> uses.
    /// </summary>
    /// <param name="count">Number of pieces.</param>
    /// <param name="read">Reads a piece; its token is canceled when the loop is left early. Called on another thread, one call at a time.</param>
    public static IEnumerable<T> Enumerate<T>(int count, Func<int, CancellationToken, T> read)
    {
        return count > 0 ? Pieces() : [];

        IEnumerable<T> Pieces()
        {
            using CancellationTokenSource left = new();
            Task<T>? next = Start(0);
            try
            {
                for (int piece = 0; piece < count; piece++)
                {
                    T current = next!.GetAwaiter().GetResult();
                    next = piece + 1 < count ? Start(piece + 1) : null;
                    yield return current;
                }
            }
            finally
            {
                left.Cancel();
                next?.ContinueWith(task => _ = task.Exception, TaskScheduler.Default).Wait(CancellationToken.None);
            }

            Task<T> Start(int piece) => Task.Run(() => read(piece, left.Token), CancellationToken.None);
        }
    }
}
