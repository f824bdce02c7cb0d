using UniFace.IO;

namespace UniFace.Packages;

/// <summary>
/// Model packages by name, in the folder "models" of <see cref="UniFaceHome"/>: those of the catalogue that were pulled, and a
/// user's own. One of them may be the default, which commands take where they are given none.
/// </summary>
public static class InstalledModels
{
    private const string FolderName = "models";
    private const string DefaultFile = "default.txt";

    /// <summary>Names of the installed packages, in ordinal order.</summary>
    public static IReadOnlyList<string> Names() =>
    [
        .. UniFaceHome.Folders()
            .Select(home => Path.Combine(home, FolderName))
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories)
            .Where(folder => File.Exists(Path.Combine(folder, ModelManifest.FileName)))
            .Select(folder => Path.GetFileName(folder)!)
            .Where(IsName)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The folder of an installed package; null where there is none of that name.</summary>
    public static string? Find(string name) =>
        IsName(name) && UniFaceHome.Find(Path.Combine(FolderName, name)) is string folder && File.Exists(Path.Combine(folder, ModelManifest.FileName)) ? folder : null;

    /// <summary>The name of the default package; null where there is none.</summary>
    public static string? Default()
    {
        if (UniFaceHome.Find(Path.Combine(FolderName, DefaultFile)) is not string file || new FileInfo(file).Length > 256)
        {
            return null;
        }

        string name = File.ReadAllText(file).Trim();
        return Find(name) is null ? null : name;
    }

    /// <summary>Opens the default package.</summary>
    /// <exception cref="UniFaceException">None is installed; says how to get one.</exception>
    public static ModelPackage OpenDefault() => Default() is string name
        ? ModelPackage.Open(name)
        : throw new UniFaceException("no model package was given and none is installed as default: give one, or get one to start from with 'uniface models pull faceplugin-mobilefacenet' ('uniface models list' says what it is).");

    /// <summary>Makes an installed package the default.</summary>
    /// <exception cref="UniFaceException">There is none of that name.</exception>
    public static void SetDefault(string name)
    {
        if (Find(name) is null)
        {
            throw new UniFaceException($"{name}: no such installed model; installed are: {(Names() is { Count: > 0 } names ? string.Join(", ", names) : "none")}.");
        }

        string file = Path.Combine(UniFaceHome.ForNew(), FolderName, DefaultFile);
        using FileLock held = FileLock.AcquireFor(file);
        AtomicFile.WriteText(file, name + "\n");
    }

    /// <summary>
    /// Installs a package, replacing one of the same name whole. The first one becomes the default.
    /// </summary>
    /// <param name="name">Lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit; at most 64.</param>
    /// <param name="write">Writes the package's files into an empty folder.</param>
    /// <returns>The package's folder.</returns>
    /// <exception cref="UniFaceException">The name is none, or what was written is no valid package; nothing was installed then.</exception>
    public static string Install(string name, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        if (!IsName(name))
        {
            throw new UniFaceException($"'{name}' is no name for a model: expected up to 64 lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit.");
        }

        string target = Path.Combine(UniFaceHome.ForNew(), FolderName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        PackageFolder folder = new(target);
        string beside = folder.CreateBeside();
        try
        {
            write(beside);
            ModelPackage package = ModelPackage.Open(beside);
            if (package.CalibrationPath is string calibration)
            {
                Calibration.Load(calibration).EnsureFits(package.Manifest!);
            }

            folder.Replace(beside);
        }
        finally
        {
            if (Directory.Exists(beside))
            {
                Directory.Delete(beside, recursive: true);
            }
        }

        string file = Path.Combine(UniFaceHome.ForNew(), FolderName, DefaultFile);
        using FileLock held = FileLock.AcquireFor(file);
        if (Default() is null)
        {
            AtomicFile.WriteText(file, name + "\n");
        }

        return target;
    }

    /// <summary>Copies a package folder under a name.</summary>
    /// <param name="name">See <see cref="Install"/>.</param>
    /// <param name="packageFolder">The package; it stays as it is.</param>
    /// <exception cref="UniFaceException">It is no package folder, or the name is none.</exception>
    public static string Add(string name, string packageFolder)
    {
        ModelPackage package = ModelPackage.Open(packageFolder);
        if (package.Manifest is not ModelManifest manifest)
        {
            throw new UniFaceException($"{packageFolder} is a bare .onnx file, which does not say how pixels go in nor where to decide; expected a package folder ({PackageFolder.OnnxName}, {ModelManifest.FileName}, {Calibration.FileName}).");
        }

        return Install(name, folder =>
        {
            File.Copy(package.OnnxPath, Path.Combine(folder, manifest.OnnxFile));
            File.Copy(Path.Combine(package.Source, ModelManifest.FileName), Path.Combine(folder, ModelManifest.FileName));
            if (package.CalibrationPath is string calibration)
            {
                File.Copy(calibration, Path.Combine(folder, Calibration.FileName));
            }

            if (manifest.Training?.FingerprintSha256 is not null)
            {
                package.LoadFingerprint()!.Save(Path.Combine(folder, TrainingFingerprint.FileName));
            }
        });
    }

    private static bool IsName(string name) =>
        name is { Length: > 0 and <= 64 } && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');
}
