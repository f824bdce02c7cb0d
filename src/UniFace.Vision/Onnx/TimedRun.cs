namespace UniFace.Vision.Onnx;

/// <summary>One run of a network with a time limit: an ONNX file can contain an endless loop.</summary>
internal sealed class TimedRun : IDisposable
{
    /// <summary>The default limit, far above what a large network needs for a few faces on a slow machine.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(1);

    private const int Ticks = 20;

    private readonly Lock gate = new();
    private readonly Timer timer;
    private volatile int ticks;
    private bool ended;

    // Counted in ticks, so that a suspended process loses little of its time.
    private TimedRun(TimeSpan limit) => timer = new Timer(_ => Tick(), null, limit / Ticks, limit / Ticks);

    private RunOptions Options { get; } = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL }; // Errors are thrown, and need not be printed.

    /// <summary>Runs a network of one input.</summary>
    /// <param name="session">The network.</param>
    /// <param name="path">Its file, for errors.</param>
    /// <param name="inputName">Name of the input.</param>
    /// <param name="input">The input.</param>
    /// <param name="outputNames">The requested outputs.</param>
    /// <param name="limit">The time limit; <see cref="DefaultLimit"/> if null.</param>
    /// <exception cref="UniFaceException">It did not finish within the limit.</exception>
    /// <exception cref="OnnxRuntimeException">It failed.</exception>
    public static IDisposableReadOnlyCollection<OrtValue> Run(
        InferenceSession session, string path, string inputName, OrtValue input, IReadOnlyCollection<string> outputNames, TimeSpan? limit = null)
    {
        using TimedRun run = new(limit ?? DefaultLimit);
        try
        {
            return session.Run(run.Options, [inputName], [input], outputNames);
        }
        catch (OnnxRuntimeException e) when (run.ticks >= Ticks)
        {
            string seconds = Invariant($"{(limit ?? DefaultLimit).TotalSeconds:F0} s");
            throw new UniFaceException($"{path}: the model did not finish within {seconds}, as if it had an endless loop; use another model.", e);
        }
    }

    /// <summary>Stops the timer and frees the options.</summary>
    public void Dispose()
    {
        timer.Dispose();
        lock (gate)
        {
            ended = true;
            Options.Dispose();
        }
    }

    private void Tick()
    {
        lock (gate)
        {
            if (!ended && ++ticks == Ticks)
            {
                Options.Terminate = true;
            }
        }
    }
}
