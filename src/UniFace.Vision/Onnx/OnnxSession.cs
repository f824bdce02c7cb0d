using Microsoft.ML.OnnxRuntime.Tensors;

namespace UniFace.Vision.Onnx;

/// <summary>
/// An ONNX Runtime session whose memory is freed when it is disposed and its last run has ended. A later run throws
/// <see cref="ObjectDisposedException"/> and never touches freed memory. Thread-safe.
/// </summary>
internal sealed class OnnxSession(InferenceSession session, string path, ProviderUse? provider = null, bool serial = false) : IDisposable
{
    private readonly SessionHandle users = new(session, provider);
    private readonly Lock? gate = serial || provider is not null ? new Lock() : null;
    private ProviderUse? uncheckedUse = provider;
    private UniFaceException? refused; // by the check of the first run

    /// <summary>The model's inputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Inputs => session.InputMetadata;

    /// <summary>The model's outputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Outputs => session.OutputMetadata;

    /// <summary>Opens a model.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="threads">Threads inside one run, 1 or more.</param>
    /// <param name="provider">What it runs on; the first run checks that it does.</param>
    /// <exception cref="UniFaceException">
    /// There is no such file, ONNX Runtime cannot load it or does not have the provider, or it has external data.
    /// </exception>
    public static OnnxSession Open(string path, int threads, ExecutionProvider provider = ExecutionProvider.Cpu) =>
        Open(OnnxFile.Read(path), path, threads, provider);

    /// <summary>Opens a model in memory.</summary>
    /// <exception cref="UniFaceException">ONNX Runtime cannot load it or does not have the provider, or it has external data.</exception>
    public static OnnxSession Open(byte[] model, string source, int threads, ExecutionProvider provider = ExecutionProvider.Cpu) =>
        Open(OnnxFile.Read(model, source), source, threads, provider);

    private static OnnxSession Open((byte[] Model, byte[]? Rewritten) file, string path, int threads, ExecutionProvider provider)
    {
        (byte[] model, byte[]? rewritten) = file;
        OnnxTelemetry.Disable();
        ProviderUse? use = null;
        try
        {
            using SessionOptions options = new()
            {
                IntraOpNumThreads = threads,
                InterOpNumThreads = 1,
                ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };

            // A waiting thread that spins takes a core from the photos that are being decoded.
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");

            // Int8 weights become floats once, here, instead of in every run.
            options.AddSessionConfigEntry("session.disable_quant_qdq", "1");
            use = ProviderUse.Append(options, provider, path);
            InferenceSession session = OpenRewritten(rewritten, options) ?? new InferenceSession(model, options);
            return new OnnxSession(session, path, use, serial: provider == ExecutionProvider.DirectML);
        }
        catch (OnnxRuntimeException e)
        {
            use?.Delete();
            throw new UniFaceException($"{path}: ONNX Runtime cannot load it as a model: {e.Message.ReplaceLineEndings("\n").Split('\n', 2)[0]}", e);
        }
        catch
        {
            use?.Delete();
            throw;
        }
    }

    /// <summary>Runs the model on one input. The session is freed only after the results are disposed.</summary>
    /// <param name="input">Name of the input.</param>
    /// <param name="value">The input.</param>
    /// <param name="outputs">Names of the outputs.</param>
    /// <param name="limit">The time limit; <see cref="TimedRun.DefaultLimit"/> if null.</param>
    /// <exception cref="UniFaceException">The model did not finish within the limit.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public Results Run(string input, OrtValue value, IReadOnlyCollection<string> outputs, TimeSpan? limit = null)
    {
        bool counted = false;
        try
        {
            users.DangerousAddRef(ref counted);
            Results results = new(users, gate is null ? TimedRun.Run(session, path, input, value, outputs, limit) : RunSerially());
            counted = false; // The results own the reference now.
            return results;
        }
        finally
        {
            if (counted)
            {
                users.DangerousRelease();
            }
        }

        // DirectML runs one at a time; so does every other GPU while its use is unchecked.
        IDisposableReadOnlyCollection<OrtValue> RunSerially()
        {
            if (!serial && Volatile.Read(ref uncheckedUse) is null)
            {
                return TimedRun.Run(session, path, input, value, outputs, limit);
            }

            lock (gate)
            {
                if (refused is not null)
                {
                    throw new UniFaceException(refused.Message, refused);
                }

                IDisposableReadOnlyCollection<OrtValue> values = TimedRun.Run(session, path, input, value, outputs, limit);
                try
                {
                    uncheckedUse?.Check(session);
                    uncheckedUse = null;
                    return values;
                }
                catch (UniFaceException e)
                {
                    refused = e;
                    values.Dispose();
                    throw;
                }
            }
        }
    }

    /// <summary>Frees the session when its last run has ended.</summary>
    public void Dispose() => users.Dispose();

    private static InferenceSession? OpenRewritten(byte[]? model, SessionOptions options)
    {
        try
        {
            return model is null ? null : new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException)
        {
            return null; // The error of the file itself is more useful.
        }
    }

    /// <summary>Formats a shape: 1x3x112x112, with ? for a free dimension.</summary>
    public static string Shape(IEnumerable<int> dimensions) =>
        string.Join('x', dimensions.Select(d => d > 0 ? Invariant($"{d}") : "?"));

    /// <summary>The outputs of a run in the order of the request. Disposing them ends the run.</summary>
    internal sealed class Results(SafeHandle users, IDisposableReadOnlyCollection<OrtValue> values) : IDisposable
    {
        private SafeHandle? counted = users;

        /// <summary>The values of a float32 or float16 output.</summary>
        public ReadOnlySpan<float> Floats(int output) => values[output].GetTensorTypeAndShape().ElementDataType == TensorElementType.Float16
            ? Array.ConvertAll(values[output].GetTensorDataAsSpan<Float16>().ToArray(), value => (float)value)
            : values[output].GetTensorDataAsSpan<float>();

        /// <summary>Frees the outputs.</summary>
        public void Dispose()
        {
            values.Dispose();
            Interlocked.Exchange(ref counted, null)?.DangerousRelease();
        }
    }

    // Uses a SafeHandle for its reference count; there is no handle.
    private sealed class SessionHandle(InferenceSession session, ProviderUse? provider) : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => false;

        protected override bool ReleaseHandle()
        {
            session.Dispose();
            provider?.Delete(); // The profile of a session that never ran.
            return true;
        }
    }
}
