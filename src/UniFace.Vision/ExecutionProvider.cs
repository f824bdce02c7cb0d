namespace UniFace.Vision;

/// <summary>
/// What ONNX Runtime runs networks on. The application references the package of ONNX Runtime that has it. A network that does not run on the chosen one is
/// not opened: the model by <see cref="FaceRecognizer.Open(string?, FaceRecognizerOptions?)"/>, the detector by <see cref="FaceRecognizer.Load"/> or for the
/// first photo.
/// </summary>
public enum ExecutionProvider
{
    /// <summary>The processor: package Microsoft.ML.OnnxRuntime.</summary>
    Cpu,

    /// <summary>NVIDIA GPUs: package Microsoft.ML.OnnxRuntime.Gpu.</summary>
    Cuda,

    /// <summary>Any GPU under Windows: package Microsoft.ML.OnnxRuntime.DirectML.</summary>
    DirectML,

    /// <summary>Apple's processors, GPUs and neural engines: package Microsoft.ML.OnnxRuntime under macOS.</summary>
    CoreML,

    /// <summary>Intel's processors, GPUs and neural units: package Intel.ML.OnnxRuntime.OpenVino.</summary>
    OpenVino,
}
