using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace UniFace.Vision.Onnx;

/// <summary>
/// An ONNX Runtime session that outlives its users: memory is freed when it is disposed and its last run has ended; a run
/// after that is an ObjectDisposedException, never an access to freed memory. Thread-safe.
/// </summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession session;
    private readonly string path;
    private readonly Counter users;

    private OnnxSession(InferenceSession session, string path)
    {
        (this.session, this.path) = (session, path);
        users = new Counter(this);
    }

    /// <summary>The model's inputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Inputs => session.InputMetadata;

    /// <summary>The model's outputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Outputs => session.OutputMetadata;

    /// <summary>Opens a model on the CPU.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="threads">Threads inside one run, 1 or more.</param>
    /// <exception cref="UniFaceException">There is no such file, ONNX Runtime cannot load it, or it keeps values in files beside it.</exception>
    public static OnnxSession Open(string path, int threads)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such file; expected an ONNX model.");
        }

        byte[] model = Read(path);
        OnnxTelemetry.TurnOff();
        try
        {
            using SessionOptions options = new()
            {
                IntraOpNumThreads = threads,
                InterOpNumThreads = 1,
                ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };

            // A waiting thread that spins takes a core from the photos that are decoded meanwhile.
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");

            // Int8 weights become floats once, here, instead of in every run.
            options.AddSessionConfigEntry("session.disable_quant_qdq", "1");
            return new OnnxSession(OpenRewritten(model, options) ?? new InferenceSession(model, options), path);
        }
        catch (OnnxRuntimeException e)
        {
            throw new UniFaceException($"{path}: ONNX Runtime cannot load it as a model: {FirstLine(e.Message)}", e);
        }
    }

    /// <summary>Runs the model on one input. The session is not freed before the results are disposed.</summary>
    /// <param name="input">Name of the input.</param>
    /// <param name="value">The input.</param>
    /// <param name="outputs">Names of the outputs.</param>
    /// <param name="limit">The time that it may take; <see cref="TimedRun.DefaultLimit"/> if null.</param>
    /// <exception cref="UniFaceException">The model did not end within the time.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public Results Run(string input, OrtValue value, IReadOnlyCollection<string> outputs, TimeSpan? limit = null)
    {
        bool counted = false;
        try
        {
            users.DangerousAddRef(ref counted);
            Results results = new(users, TimedRun.Run(session, path, input, value, outputs, limit));
            counted = false; // the results' now
            return results;
        }
        finally
        {
            if (counted)
            {
                users.DangerousRelease();
            }
        }
    }

    /// <summary>Frees the session, at the end of its last run where runs are under way.</summary>
    public void Dispose() => users.Dispose();

    // What is checked is what is loaded, whatever happens to the file meanwhile.
    private static byte[] Read(string path)
    {
        if (new FileInfo(path).Length > Array.MaxLength)
        {
            throw new UniFaceException($"{path}: larger than an ONNX file can be (2 GB); expected an ONNX model.");
        }

        byte[] model = File.ReadAllBytes(path);
        try
        {
            return ExternalData.IsIn(model)
                ? throw new UniFaceException(
                    $"{path}: it keeps weights in files beside it (external data), which its hash does not cover; save it as one file.")
                : model;
        }
        catch (InvalidDataException e)
        {
            throw new UniFaceException($"{path}: cannot load it as a model: {e.Message}.", e);
        }
    }

    private static InferenceSession? OpenRewritten(byte[] model, SessionOptions options)
    {
        if (BlockedPRelu.Rewrite(model) is not byte[] rewritten)
        {
            return null;
        }

        try
        {
            return new InferenceSession(rewritten, options);
        }
        catch (OnnxRuntimeException)
        {
            return null; // the file as it is says best what is wrong with it
        }
    }

    /// <summary>A shape as people write it: 1x3x112x112, with ? for what is free.</summary>
    public static string Shape(IEnumerable<int> dimensions) => string.Join('x', dimensions.Select(d => d > 0 ? d.ToString(System.Globalization.CultureInfo.InvariantCulture) : "?"));

    private static string FirstLine(string text) => text.ReplaceLineEndings("\n").Split('\n', 2)[0];

    /// <summary>A run's outputs in the order asked for; disposing them ends the run.</summary>
    internal sealed class Results(SafeHandle users, IDisposableReadOnlyCollection<OrtValue> values) : IDisposable
    {
        private SafeHandle? counted = users;

        /// <summary>The values of an output.</summary>
        public ReadOnlySpan<float> this[int output] => values[output].GetTensorDataAsSpan<float>();

        /// <summary>Frees the outputs.</summary>
        public void Dispose()
        {
            values.Dispose();
            Interlocked.Exchange(ref counted, null)?.DangerousRelease();
        }
    }

    // A SafeHandle without a handle of its own: its reference count is the platform's tested one.
    private sealed class Counter : SafeHandle
    {
        private readonly OnnxSession owner;

        public Counter(OnnxSession owner)
            : base(0, ownsHandle: true)
        {
            this.owner = owner;
            SetHandle(1);
        }

        public override bool IsInvalid => false;

        protected override bool ReleaseHandle()
        {
            owner.session.Dispose();
            return true;
        }
    }
}
