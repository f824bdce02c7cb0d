namespace UniFace.Packages;

/// <summary>
/// A model on disk: a package folder (model.onnx, model.json, calibration.json), which is validated, or a bare .onnx file without a
/// manifest.
/// </summary>
public sealed class ModelPackage
{
    private const long MaxManifestBytes = 1 << 20;

    private ModelPackage(string source, string onnxPath, ModelManifest? manifest, string? calibrationPath)
    {
        Source = source;
        OnnxPath = onnxPath;
        Manifest = manifest;
        CalibrationPath = calibrationPath;
    }

    /// <summary>The path that was opened.</summary>
    public string Source { get; }

    /// <summary>The ONNX file.</summary>
    public string OnnxPath { get; }

    /// <summary>The manifest; null for a bare .onnx file.</summary>
    internal ModelManifest? Manifest { get; }

    /// <summary>The calibration's file; null if the package has none.</summary>
    public string? CalibrationPath { get; }

    /// <summary>True if the package has a calibration, so that false match rates can be chosen instead of thresholds.</summary>
    public bool IsCalibrated => CalibrationPath is not null;

    /// <summary>Contract id of the model: only embeddings of the same contract are comparable. Null for a bare .onnx file.</summary>
    public string? ContractId => Manifest?.ContractId;

    /// <summary>License of the weights; null if it is not stated.</summary>
    public string? License => Manifest?.Licence;

    /// <summary>Opens a package folder, a bare .onnx file, or, if there is no such path, the installed model of that name.</summary>
    /// <exception cref="UniFaceException">
    /// It does not exist, its schema is newer, a field is out of range, or the ONNX file is not the one that the manifest names.
    /// </exception>
    public static ModelPackage Open(string path)
    {
        if (File.Exists(path))
        {
            return path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
                ? new ModelPackage(path, path, null, null)
                : throw new UniFaceException($"{path}: expected a package folder (with {ModelManifest.FileName}) or an .onnx file");
        }

        if (!Directory.Exists(path))
        {
            return InstalledModels.Find(path) is string installed
                ? Open(installed)
                : throw InstalledModels.NotFound(path);
        }

        ModelManifest manifest = ReadManifest(Path.Combine(path, ModelManifest.FileName));
        string onnx = Path.Combine(path, manifest.OnnxFile);
        if (!File.Exists(onnx))
        {
            throw new UniFaceException($"{onnx}: missing, but {ModelManifest.FileName} names it; export the package again");
        }

        string hash = Sha256.HashFile(onnx);
        if (!hash.Equals(manifest.OnnxSha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new UniFaceException(
                $"{onnx}: SHA-256 is {hash}, but {ModelManifest.FileName} says {manifest.OnnxSha256}; " +
                "the file was changed or damaged, export the package again");
        }

        string calibration = Path.Combine(path, Calibration.FileName);
        return new ModelPackage(path, onnx, manifest, File.Exists(calibration) ? calibration : null);
    }

    /// <summary>Opens the package whose manifest is beside an .onnx file and names it; null if there is none.</summary>
    /// <exception cref="UniFaceException">The ONNX file is not the one that the manifest names.</exception>
    internal static ModelPackage? OpenAround(string onnx)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(onnx))!, manifest = Path.Combine(folder, ModelManifest.FileName);
        try
        {
            if (!File.Exists(manifest) || ReadManifest(manifest).OnnxFile != Path.GetFileName(onnx))
            {
                return null;
            }
        }
        catch (UniFaceException)
        {
            return null; // not a manifest of ours: TensorFlow.js has a model.json, too
        }

        return Open(folder);
    }

    /// <summary>The package's calibration; null if it has none.</summary>
    /// <param name="manifest">How the model is run; for a bare .onnx file it is not the package's own.</param>
    /// <exception cref="UniFaceException">It cannot be read, or belongs to another model.</exception>
    internal Calibration? LoadCalibration(ModelManifest manifest)
    {
        Calibration? calibration = CalibrationPath is string path ? Calibration.Load(path) : null;
        calibration?.EnsureFits(manifest);
        return calibration;
    }

    /// <summary>
    /// What the model was trained on; null for a pretrained model. For a package of an older version it is empty and not
    /// <see cref="TrainingFingerprint.Complete"/>.
    /// </summary>
    /// <exception cref="UniFaceException">The file that the manifest names is missing, or differs.</exception>
    internal TrainingFingerprint? LoadFingerprint()
    {
        if (Manifest?.Training is not TrainingProvenance training)
        {
            return null;
        }

        if (training.FingerprintSha256 is not string expected)
        {
            return new TrainingFingerprint(complete: false);
        }

        string path = Path.Combine(Source, TrainingFingerprint.FileName);
        return File.Exists(path) && Sha256.HashFile(path) == expected
            ? TrainingFingerprint.Load(path)
            : throw new UniFaceException(
                $"{path}: missing, or not the file that {ModelManifest.FileName} names, " +
                "so it is not known what the model was trained on; export the package again");
    }

    private static ModelManifest ReadManifest(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
        {
            throw new UniFaceException($"{path}: missing; a model package has a {ModelManifest.FileName} (written by 'uniface export')");
        }

        if (file.Length > MaxManifestBytes)
        {
            throw new UniFaceException($"{path}: {file.Length} bytes, expected a manifest of at most {MaxManifestBytes}");
        }

        try
        {
            byte[] json = File.ReadAllBytes(path);
            using JsonDocument document = JsonDocument.Parse(json);
            CheckSchema(document.RootElement, path);
            ModelManifest manifest = JsonSerializer.Deserialize(json, PackageJson.Default.ModelManifest)!;
            Check(manifest, path);
            return document.RootElement.TryGetProperty("contractId", out JsonElement id) && id.ToString() != manifest.ContractId
                ? throw new UniFaceException(
                    $"{path}: its contract id is {id}, but its fields give {manifest.ContractId}; it was changed after export, export the package again")
                : manifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: text that is not UTF-8.
            throw new UniFaceException($"{path}: not a model manifest: {e.Message}", e);
        }
    }

    private static void CheckSchema(JsonElement root, string path)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("schemaVersion", out JsonElement version)
            || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int number))
        {
            throw new UniFaceException($"{path}: no schemaVersion; expected a manifest that 'uniface export' wrote");
        }

        if (number is < 1 or > ModelManifest.CurrentSchemaVersion)
        {
            throw new UniFaceException(
                $"{path}: schema version {number}, this uniface reads 1 to {ModelManifest.CurrentSchemaVersion}; get a newer uniface");
        }
    }

    private static void Check(ModelManifest manifest, string path)
    {
        Require(manifest.EmbeddingSize is >= 1 and <= 65536, "embeddingSize", manifest.EmbeddingSize, "1 to 65536");
        Require(manifest.InputWidth is >= 16 and <= 4096, "inputWidth", manifest.InputWidth, "16 to 4096");
        Require(manifest.InputHeight is >= 16 and <= 4096, "inputHeight", manifest.InputHeight, "16 to 4096");
        Require(
            manifest.Normalization is { } n && float.IsFinite(n.Mean) && float.IsFinite(n.Deviation) && n.Deviation > 0,
            "normalization", manifest.Normalization, "a finite mean and a deviation above 0");
        Require(Enum.IsDefined(manifest.ColorOrder), "colorOrder", manifest.ColorOrder, "rgb or bgr");
        string arcFace = AlignmentTemplate.ArcFace112.Name, template = manifest.AlignmentTemplate;
        if (manifest.Alignment is ManifestAlignment alignment)
        {
            bool named = template is { Length: > 0 and <= 64 } && !AlignmentTemplate.IsArcFace(template) && !template.Any(char.IsControl);
            Require(named, "alignmentTemplate", template, $"a name of up to 64 characters for the alignment, other than {arcFace}");
            Require(
                alignment.IsValid(manifest.InputWidth, manifest.InputHeight), "alignment", "not valid",
                "5 landmarks of x and y in pixels of the aligned face, a border and a sampling");
        }
        else
        {
            Require(template == arcFace, "alignmentTemplate", template, $"{arcFace}, or another name with an alignment");
        }

        Require(manifest.Suitability is null or { Length: <= 1000 }, "suitability", "too long", "at most 1000 characters");
        Require(
            manifest.OnnxFile is { Length: > 0 } name && name == Path.GetFileName(name) && name is not ("." or ".."),
            "onnxFile", manifest.OnnxFile, "a file name in the package");
        Require(
            manifest.OnnxSha256 is { Length: 64 } hash && hash.All(char.IsAsciiHexDigit),
            "onnxSha256", manifest.OnnxSha256, "64 hexadecimal digits");

        void Require(bool good, string field, object? value, string expected)
        {
            if (!good)
            {
                throw new UniFaceException($"{path}: {field} is '{value}', expected {expected}");
            }
        }
    }
}
