namespace UniFace.Packages;

/// <summary>
/// Model packages by name, in the folder "models" of <see cref="UniFaceHome"/>: downloaded models of the catalogue, the user's own, and those of
/// NuGet packages, beside the program. One of them can be the default, which commands use if no package is given.
/// </summary>
internal static class InstalledModels
{
    /// <summary>The model to install if there is none: its licence is clear, and it is good for 1:1.</summary>
    public const string Recommended = "dlib-resnet";

    private const string RecommendedPackage = "UniFace.Models.DlibResNet";
    private const string FolderName = "models";
    private const string DefaultFile = "default.txt";

    /// <summary>Names of the installed packages, in ordinal order.</summary>
    public static IReadOnlyList<string> List() =>
    [
        .. UniFaceHome.Searched()
            .Select(home => Path.Combine(home, FolderName))
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories)
            .Where(folder => File.Exists(Path.Combine(folder, ModelManifest.FileName)))
            .Select(folder => Path.GetFileName(folder)!)
            .Where(IsName)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The folder of an installed package; null if no package has that name.</summary>
    public static string? Find(string name) =>
        IsName(name) && UniFaceHome.Find(Path.Combine(FolderName, name)) is string folder
            && File.Exists(Path.Combine(folder, ModelManifest.FileName)) ? folder : null;

    /// <summary>
    /// The name of the default package: the chosen one, or <see cref="Recommended"/> if it is beside the program. Null if there is none.
    /// </summary>
    public static string? GetDefault() => GetChosen() ?? (IsBesideProgram(Recommended) ? Recommended : null);

    /// <summary>Opens the default package.</summary>
    /// <exception cref="UniFaceException">No default is installed; the message says how to get one.</exception>
    public static ModelPackage OpenDefault() => GetDefault() is string name
        ? ModelPackage.Open(name)
        : throw NoDefault();

    /// <summary>The error if there is no such package.</summary>
    public static UniFaceException NotFound(string path) => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
        ? new($"{path}: no such file; expected a model package or an .onnx file")
        : path == Recommended
        ? new($"the model {path} is not installed; add the package {RecommendedPackage} to the program's project, or run 'uniface models pull {path}'")
        : new($"{path}: no such model package; expected a folder that 'uniface export' wrote, an .onnx file, " +
            "or the name of an installed model ('uniface models list' shows how to install one)");

    /// <summary>The error if a default package is needed and none is installed.</summary>
    public static UniFaceException NoDefault() => new(
        "no model package was given and no default is installed: give one, or install one with " +
        $"'uniface models pull {Recommended}' ('uniface models list' describes it) or, in a program, with the package {RecommendedPackage}");

    /// <summary>Makes an installed package the default.</summary>
    /// <exception cref="UniFaceException">No package has that name.</exception>
    public static void SetDefault(string name)
    {
        if (Find(name) is null)
        {
            string installed = List() is { Count: > 0 } names ? string.Join(", ", names) : "none";
            throw new UniFaceException($"{name}: no such installed model; installed are: {installed}");
        }

        WriteDefault(name, replace: true);
    }

    /// <summary>Installs a package; one of the same name is replaced as a whole. The first one becomes the default.</summary>
    /// <param name="name">Lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit; at most 64 characters.</param>
    /// <param name="write">Writes the package's files into an empty folder.</param>
    /// <returns>The package's folder.</returns>
    /// <exception cref="UniFaceException">The name is not valid, or the files are not a valid package; nothing is installed then.</exception>
    public static string Install(string name, Action<string> write)
    {
        if (!IsName(name))
        {
            throw new UniFaceException(
                $"'{name}' is not a valid model name: expected up to 64 lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit");
        }

        string target = Path.Combine(UniFaceHome.ForNew(), FolderName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        PackageFolder folder = new(target);
        string beside = folder.CreateBeside();
        try
        {
            write(beside);
            ModelPackage package = ModelPackage.Open(beside);
            _ = package.LoadCalibration(package.Manifest!);
            folder.Replace(beside);
        }
        finally
        {
            if (Directory.Exists(beside))
            {
                Directory.Delete(beside, recursive: true);
            }
        }

        WriteDefault(name, replace: false);
        return target;
    }

    /// <summary>Copies a package folder under a name.</summary>
    /// <param name="name">See <see cref="Install"/>.</param>
    /// <param name="packageFolder">The package; it is not changed.</param>
    /// <exception cref="UniFaceException">It is not a package folder, or the name is not valid.</exception>
    public static string Add(string name, string packageFolder)
    {
        ModelPackage package = ModelPackage.Open(packageFolder);
        if (package.Manifest is not ModelManifest manifest)
        {
            throw new UniFaceException(
                $"{packageFolder} is a bare .onnx file, which does not describe its input or its threshold; expected a package folder " +
                $"({PackageFolder.OnnxName}, {ModelManifest.FileName}, {Calibration.FileName})");
        }

        return Install(name, folder =>
        {
            List<string> files = [manifest.OnnxFile, ModelManifest.FileName];
            if (package.CalibrationPath is not null)
            {
                files.Add(Calibration.FileName);
            }

            foreach (string file in files)
            {
                File.Copy(Path.Combine(package.Source, file), Path.Combine(folder, file));
            }

            if (manifest.Training?.FingerprintSha256 is not null)
            {
                package.LoadFingerprint()!.Save(Path.Combine(folder, TrainingFingerprint.FileName));
            }

            ModelCard.Save(folder, manifest, package.LoadCalibration(manifest));
        });
    }

    private static void WriteDefault(string name, bool replace)
    {
        string file = Path.Combine(UniFaceHome.ForNew(), FolderName, DefaultFile);
        using FileLock held = FileLock.AcquireFor(file);
        if (replace || GetChosen() is null)
        {
            AtomicFile.WriteText(file, name + "\n");
        }
    }

    private static string? GetChosen() =>
        UniFaceHome.Find(Path.Combine(FolderName, DefaultFile)) is string file && new FileInfo(file).Length <= 256
            && File.ReadAllText(file).Trim() is string name && Find(name) is not null ? name : null;

    private static bool IsBesideProgram(string name) =>
        File.Exists(Path.Combine(AppContext.BaseDirectory, FolderName, name, ModelManifest.FileName));

    internal static bool IsName(string name) => name is { Length: > 0 and <= 64 } && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');
}
