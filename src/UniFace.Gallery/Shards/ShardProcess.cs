namespace UniFace.Gallery.Shards;

/// <summary>A child process that holds a range of a gallery's index. It is started by the first search, and again by the search after it ended.</summary>
/// <param name="start">What it holds.</param>
/// <param name="name">Its name in errors, e.g. "search process 1 of 2 (templates 1 to 500000)".</param>
/// <param name="program">The program that runs <see cref="ShardWorker"/>.</param>
internal sealed class ShardProcess(ShardStart start, string name, Func<ProcessStartInfo> program) : IAsyncDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private Process? process;
    private BinaryWriter? to;
    private BinaryReader? from;
    private volatile bool searches;

    /// <summary>Id of the process; null if it is not running.</summary>
    internal int? ProcessId => process?.Id;

    /// <summary>Whether the process has been asked and has not answered.</summary>
    internal bool Searches => searches;

    /// <summary>Searches the range.</summary>
    /// <exception cref="UniFaceException">The search failed, or the process ended.</exception>
    public async Task<ShardAnswer> SearchAsync(ShardRequest request, CancellationToken stop)
    {
        await gate.WaitAsync(stop).ConfigureAwait(false);

        // The answer is read even if the caller stops waiting: the next answer comes after it.
        Task<ShardAnswer> asking = Task.Run(
            () =>
            {
                try
                {
                    ShardAnswer answer = Ask(request);
                    if (answer.IsStale)
                    {
                        End();
                        answer = Ask(request);
                    }

                    return answer;
                }
                finally
                {
                    gate.Release();
                }
            },
            CancellationToken.None);
        ShardAnswer found = await asking.WaitAsync(stop).ConfigureAwait(false);
        return found.Error is null ? found : throw new UniFaceException($"{start.Path}: {name}: {found.Error}");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await gate.WaitAsync().ConfigureAwait(false);
        End();
        gate.Dispose();
    }

    private ShardAnswer Ask(ShardRequest request)
    {
        try
        {
            if (process is null or { HasExited: true })
            {
                End();
                Start();
            }

            ShardMessages.Write(to!, request);
            searches = true;
            return ShardMessages.ReadAnswer(from!);
        }
        catch (IOException e)
        {
            process!.WaitForExit(TimeSpan.FromSeconds(10));
            string code = process.HasExited ? FormattableString.Invariant($"ended with code {process.ExitCode}") : "does not answer";
            End();
            throw new UniFaceException($"{start.Path}: {name} {code}; nothing was changed, and the next search starts it again", e);
        }
        finally
        {
            searches = false;
        }
    }

    private void Start()
    {
        ProcessStartInfo info = program();
        (info.RedirectStandardInput, info.RedirectStandardOutput, info.UseShellExecute) = (true, true, false);
        try
        {
            process = Process.Start(info)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new UniFaceException($"{start.Path}: {name} cannot be started from {info.FileName}: {e.Message}", e);
        }

        to = new BinaryWriter(new BufferedStream(process.StandardInput.BaseStream));
        from = new BinaryReader(new BufferedStream(process.StandardOutput.BaseStream));
        ShardMessages.Write(to, start);
    }

    // The process ends when its input does.
    private void End()
    {
        try
        {
            to?.Dispose();
        }
        catch (IOException)
        {
            // It has ended before it read everything.
        }

        from?.Dispose();
        if (process is not null)
        {
            if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
            {
                process.Kill();
            }

            process.Dispose();
        }

        (process, to, from) = (null, null, null);
    }
}
