using Microsoft.ML.OnnxRuntime;

namespace UniFace.Vision.Onnx;

/// <summary>One run of a network, which is told to end after a time: an ONNX file may hold a loop without end.</summary>
internal sealed class TimedRun : IDisposable
{
    /// <summary>The time, far above what a large network takes for some faces on a slow machine.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(1);

    private const int Ticks = 20;

    private readonly Lock gate = new();
    private readonly Timer timer;
    private volatile int ticks;
    private bool ended;

    // Counted in steps, so that a process that was stopped and goes on has lost little of its time.
    private TimedRun(TimeSpan limit) => timer = new Timer(_ => Tick(), null, limit / Ticks, limit / Ticks);

    private RunOptions Options { get; } = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL }; // errors are thrown, not printed too

    /// <summary>Runs a network of one input.</summary>
    /// <param name="session">The network.</param>
    /// <param name="path">Its file, for the error.</param>
    /// <param name="inputName">Name of the input.</param>
    /// <param name="input">The input.</param>
    /// <param name="outputNames">The outputs that are wanted.</param>
    /// <param name="limit">The time; <see cref="DefaultLimit"/> if null.</param>
    /// <exception cref="UniFaceException">It did not end within the time.</exception>
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
            string seconds = FormattableString.Invariant($"{(limit ?? DefaultLimit).TotalSeconds:F0} s");
            throw new UniFaceException($"{path}: the model did not end within {seconds}, as one with a loop without end does; use another model.", e);
        }
    }

    /// <summary>Ends the time, and frees the options.</summary>
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
