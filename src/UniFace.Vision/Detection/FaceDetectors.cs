using UniFace.Faces;
using UniFace.Vision.Onnx;

namespace UniFace.Vision.Detection;

/// <summary>Opens face detectors.</summary>
public static class FaceDetectors
{
    /// <summary>
    /// Opens a detector. Which one a file holds is told by its outputs: YuNet's or BlazeFace's.
    /// </summary>
    /// <param name="path">The .onnx file; null for BlazeFace as setup installs it.</param>
    /// <param name="options">How it works.</param>
    /// <exception cref="UniFaceException">There is no such file, it is not installed, or it is neither.</exception>
    public static IFaceDetector Open(string? path = null, DetectorOptions? options = null)
    {
        options ??= new DetectorOptions();
        path ??= ModelStore.BlazeFace();
        OnnxSession session = OnnxSession.Open(path, options.Threads);
        try
        {
            if (YuNetDetector.Recognises(session))
            {
                return new YuNetDetector(session, path, options);
            }

            if (BlazeFaceNetwork.Recognises(session))
            {
                return new BlazeFaceDetector(session, path, options);
            }

            throw new UniFaceException($"{path}: not a face detector that uniface knows; its outputs are {string.Join(", ", session.Outputs.Keys)}, expected YuNet's or BlazeFace's.");
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
