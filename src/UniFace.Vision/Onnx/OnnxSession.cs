using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace UniFace.Vision.Onnx;

/// <summary>
/// An ONNX Runtime session that outlives its users: memory is freed when it is disposed and its last run has ended; a run
/// after that is an ObjectDisposedException, never an access to freed memory. Thread-safe.
/// </summary>
internal sealed class OnnxSession : IDisposable
{
    private const long MaxRewrittenBytes = 1L << 30;

    private readonly InferenceSession session;
    private readonly RunOptions runOptions = new();
    private readonly Counter users;

    private OnnxSession(InferenceSession session)
    {
        this.session = session;
        users = new Counter(this);
    }

    /// <summary>The model's inputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Inputs => session.InputMetadata;

    /// <summary>The model's outputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Outputs => session.OutputMetadata;

    /// <summary>Opens a model on the CPU.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="threads">Threads inside one run, 1 or more.</param>
    /// <exception cref="UniFaceException">There is no such file, or ONNX Runtime cannot load it.</exception>
    public static OnnxSession Open(string path, int threads)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such file; expected an ONNX model.");
        }

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
            return new OnnxSession((new FileInfo(path).Length <= MaxRewrittenBytes ? OpenRewritten(path, options) : null) ?? new InferenceSession(path, options));
        }
        catch (OnnxRuntimeException e)
        {
            throw new UniFaceException($"{path}: ONNX Runtime cannot load it as a model: {FirstLine(e.Message)}", e);
        }
    }

    /// <summary>Runs the model on one input. The session is not freed before the results are disposed.</summary>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public Results Run(string input, OrtValue value, IReadOnlyCollection<string> outputs)
    {
        bool counted = false;
        try
        {
            users.DangerousAddRef(ref counted);
            Results results = new(users, session.Run(runOptions, [input], [value], outputs));
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

    private static InferenceSession? OpenRewritten(string path, SessionOptions options)
    {
        if (BlockedPRelu.Rewrite(File.ReadAllBytes(path)) is not byte[] rewritten)
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
            owner.runOptions.Dispose();
            return true;
        }
    }
}
