using UniFace.Vision.Detection;

namespace UniFace.Vision.Models;

/// <summary>Installs models of the catalogue: a detector as a file, an embedder as a package.</summary>
internal static class ModelInstaller
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

            byte[] detector = await FetchAsync(model, cancellationToken).ConfigureAwait(false);
            AtomicFile.Write(target, stream => stream.Write(detector));
            return target;
        }

        // Opening compares the file with the manifest's hash, which is part of the contract id.
        string contract = (model.Manifest! with { OnnxSha256 = model.OnnxSha256 }).ContractId;
        if (InstalledModels.Find(model.Name) is string installed && ModelPackage.Open(installed).Manifest!.ContractId == contract)
        {
            return installed;
        }

        byte[] onnx = await FetchAsync(model, cancellationToken).ConfigureAwait(false);
        return InstalledModels.Install(model.Name, folder => WritePackage(model, onnx, folder));
    }

    /// <summary>
    /// Installs an ONNX file under a name: a face detector, or an embedder as a package without thresholds. An embedder is taken to be like ArcFace's:
    /// faces aligned to its template, RGB, (x - 127.5) / 127.5.
    /// </summary>
    /// <param name="name">Lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit; at most 64 characters.</param>
    /// <param name="onnx">The .onnx file.</param>
    /// <param name="source">Where it comes from.</param>
    /// <param name="isDetector">True if it is a face detector.</param>
    /// <returns>The installed file (a detector) or package folder (an embedder).</returns>
    /// <exception cref="UniFaceException">The name is not one, or the file is neither.</exception>
    public static string Add(string name, byte[] onnx, string source, out bool isDetector)
    {
        isDetector = FaceDetectors.IsDetector(onnx, source);
        return isDetector ? FaceDetectors.Add(name, onnx, source) : InstalledModels.Install(name, folder =>
        {
            string path = Path.Combine(folder, PackageFolder.OnnxName);
            File.WriteAllBytes(path, onnx);
            ModelManifest manifest = ReadManifest(path, source) with { Source = source, ToolVersion = ToolVersion.Current };
            AtomicFile.WriteText(Path.Combine(folder, ModelManifest.FileName), JsonSerializer.Serialize(manifest, PackageJson.Default.ModelManifest) + "\n");
        });
    }

    private static ModelManifest ReadManifest(string path, string source)
    {
        try
        {
            using FaceRecognizer embedder = FaceRecognizer.Open(path);
            return embedder.Manifest;
        }
        catch (UniFaceException e)
        {
            throw new UniFaceException(
                $"{source}: not a supported face detector (YuNet, BlazeFace), nor an embedder: {e.Message.Replace(path, source, StringComparison.Ordinal)}", e);
        }
    }

    /// <summary>The ONNX file of a model, from the contents of its <see cref="CatalogueModel.Files"/>.</summary>
    /// <exception cref="UniFaceException">It could not be built.</exception>
    internal static byte[] ToOnnx(CatalogueModel model, byte[][] files)
    {
        if (model.Conversion is not OnnxConversion conversion)
        {
            return files[0];
        }

        byte[] onnx = conversion.Convert(files[0], files[1]);
        string hash = Sha256.HashBytes(onnx);
        return hash == conversion.OnnxSha256
            ? onnx
            : throw new UniFaceException(
                $"{model.Name}: the network built from {model.File} has SHA-256 {hash}, expected {conversion.OnnxSha256}, so its " +
                "calibration would not apply; nothing was installed. This is a fault of this uniface: report it.");
    }

    /// <summary>Writes the package of an embedder: the ONNX file, our manifest, and our calibration.</summary>
    internal static void WritePackage(CatalogueModel model, byte[] onnx, string folder)
    {
        AtomicFile.Write(Path.Combine(folder, PackageFolder.OnnxName), stream => stream.Write(onnx));
        ModelManifest manifest = model.Manifest! with
        {
            OnnxSha256 = model.OnnxSha256,
            Licence = model.Licence,
            Source = $"npm {model.NpmPackage}@{model.Version}, {string.Join(" and ", model.Files.Select(file => file.Path))}; " +
                $"training data: {model.TrainingData}",
            ToolVersion = ToolVersion.Current,
        };
        AtomicFile.WriteText(Path.Combine(folder, ModelManifest.FileName), JsonSerializer.Serialize(manifest, PackageJson.Default.ModelManifest) + "\n");
        Calibration calibration = ShippedCalibration(model).For(manifest);
        calibration.Save(Path.Combine(folder, Calibration.FileName));
        ModelCard.Save(folder, manifest, calibration);
    }

    /// <summary>The calibration in the catalogue, measured by us with the published file.</summary>
    internal static Calibration ShippedCalibration(CatalogueModel model)
    {
        using Stream stream = typeof(ModelInstaller).Assembly.GetManifestResourceStream(model.CalibrationResource!)!;
        using StreamReader reader = new(stream);
        Calibration calibration = Calibration.Parse(reader.ReadToEnd(), model.CalibrationResource!);
        return calibration.OnnxSha256 == model.OnnxSha256
            ? calibration
            : throw new InvalidOperationException($"{model.CalibrationResource} is the calibration of another file.");
    }

    private static async Task<byte[]> FetchAsync(CatalogueModel model, CancellationToken cancellationToken) =>
        ToOnnx(model, await NpmPackage.FetchAsync(model, cancellationToken).ConfigureAwait(false));

    private static string Key(CatalogueModel model) => $"{model.Name} {model.Version} {model.Sha256}";
}
