using Microsoft.ML.OnnxRuntime;

namespace UniFace.Vision.Onnx;

/// <summary>Opens ONNX Runtime sessions the same way everywhere.</summary>
internal static class OnnxSession
{
    /// <summary>Opens a model on the CPU.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="threads">Threads inside one run, 1 or more.</param>
    /// <exception cref="UniFaceException">There is no such file, ONNX Runtime cannot load it, or it keeps values in files beside it.</exception>
    public static InferenceSession Open(string path, int threads)
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
            return OpenRewritten(model, options) ?? new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new UniFaceException($"{path}: ONNX Runtime cannot load it as a model: {FirstLine(e.Message)}", e);
        }
    }

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
}
