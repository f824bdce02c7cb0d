using UniFace.Vision.Photos;

namespace UniFace.Vision;

/// <summary>
/// A face recognition model: photo to aligned face to embedding, with the calibration of its scores. The one way to open a model package.
/// Thread-safe; owns the model and the detector.
/// </summary>
public sealed class FaceRecognizer : IDisposable
{
    private readonly Lazy<FacePipeline> photos;
    private readonly Lazy<Calibration?> calibration;

    internal FaceRecognizer(ModelPackage package, OnnxEmbedder embedder, SkiaImageDecoder decoder, Func<FacePipeline> openPhotos)
    {
        Package = package;
        Embedder = embedder;
        Decoder = decoder;
        photos = new(openPhotos);
        calibration = new(() => package.LoadCalibration(embedder.Manifest));
    }

    /// <summary>The package.</summary>
    public ModelPackage Package { get; }

    /// <summary>Computes embeddings of aligned faces.</summary>
    internal OnnxEmbedder Embedder { get; }

    /// <summary>How the model is run.</summary>
    internal ModelManifest Manifest => Embedder.Manifest;

    /// <summary>Only embeddings of the same contract are comparable.</summary>
    public string ContractId => Manifest.ContractId;

    /// <summary>Decodes images.</summary>
    internal SkiaImageDecoder Decoder { get; }

    /// <summary>Finds and aligns faces for the model. The detector is opened at the first use.</summary>
    /// <exception cref="UniFaceException">The detector cannot be opened.</exception>
    internal FacePipeline Photos => photos.Value;

    /// <summary>The false match rate of each threshold; null if the package has no calibration.</summary>
    /// <exception cref="UniFaceException">It cannot be read, or belongs to another model.</exception>
    internal Calibration? Calibration => calibration.Value;

    /// <summary>Opens a model.</summary>
    /// <param name="model">A package folder, the name of an installed model, or an .onnx file; null for the installed default.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="UniFaceException">It cannot be opened, or an option contradicts the package.</exception>
    internal static FaceRecognizer Open(string? model = null, RecognizerOptions? options = null) =>
        Open(model is null ? InstalledModels.OpenDefault() : ModelPackage.Open(model), options);

    /// <summary>Opens a package that has been checked already.</summary>
    /// <param name="package">The package.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="UniFaceException">It cannot be opened, or an option contradicts the package.</exception>
    internal static FaceRecognizer Open(ModelPackage package, RecognizerOptions? options = null)
    {
        options ??= new RecognizerOptions();
        OnnxEmbedder embedder = OpenEmbedder(package, options);
        PhotoOptions photos = options.Photos with { Detection = options.Photos.Detection with { ExecutionProvider = options.ExecutionProvider } };
        return new FaceRecognizer(package, embedder, photos.Decoder, () => PhotoPipeline.Open(photos, embedder.Manifest.CreateTemplate()));
    }

    /// <summary>Opens the detector and reads the calibration now, so that errors do not wait for the first photo.</summary>
    /// <exception cref="UniFaceException">One of them cannot be opened.</exception>
    public void Load() => _ = (Photos, Calibration);

    /// <summary>Refuses to compare this model's embeddings with those of another.</summary>
    /// <param name="contractId">The contract of the other embeddings.</param>
    /// <param name="source">Where they are, e.g. "the gallery people.gallery".</param>
    /// <exception cref="UniFaceException">The contract is another.</exception>
    public void RequireContract(string contractId, string source)
    {
        if (contractId != ContractId)
        {
            throw new UniFaceException(
                $"{Package.Source} is a model of contract {ContractId}, {source} is of {contractId}, and embeddings of two models are not comparable: " +
                "use its own model, or move it to this one with 'uniface gallery reembed'.");
        }
    }

    /// <summary>Frees the model and the detector.</summary>
    public void Dispose()
    {
        Embedder.Dispose();
        if (photos.IsValueCreated)
        {
            photos.Value.Dispose();
        }
    }

    private static OnnxEmbedder OpenEmbedder(ModelPackage package, RecognizerOptions options)
    {
        if (package.Manifest is not ModelManifest manifest)
        {
            return OnnxEmbedder.Open(package.OnnxPath, shape => CreateManifest(shape, package.OnnxPath, options), options.Threads, options.Output,
                provider: options.ExecutionProvider);
        }

        if ((options.Normalization ?? manifest.Normalization) != manifest.Normalization || (options.ColorOrder ?? manifest.ColorOrder) != manifest.ColorOrder
            || (options.Output ?? manifest.Output) != manifest.Output)
        {
            throw new UniFaceException(
                Invariant($"{package.Source}: its manifest defines the input ({manifest.Normalization.Mean},{manifest.Normalization.Deviation}, ") +
                $"{manifest.ColorOrder}) and the output ({manifest.Output ?? "the only one"}); normalization, color and output are options for bare .onnx " +
                "files, leave them out.");
        }

        return OnnxEmbedder.Open(package.OnnxPath, manifest with { FlipSum = options.FlipSum ?? manifest.FlipSum }, options.Threads, options.ExecutionProvider);
    }

    private static ModelManifest CreateManifest(OnnxModelShape shape, string path, RecognizerOptions options)
    {
        if (shape.EmbeddingSize == 0)
        {
            throw new UniFaceException($"{path}: the file does not declare the size of an embedding; expected an output of NxD.");
        }

        PixelNormalization normalization = options.Normalization ?? (shape.TakesBytes ? new(0, 1) : PixelNormalization.Default);
        if (!float.IsFinite(normalization.Mean) || !(normalization.Deviation > 0) || !float.IsFinite(normalization.Deviation))
        {
            throw new UniFaceException(Invariant(
                $"{path}: the normalization is {normalization.Mean},{normalization.Deviation}, expected a finite mean and a deviation above 0."));
        }

        return new ModelManifest
        {
            EmbeddingSize = shape.EmbeddingSize,
            InputWidth = shape.Width > 0 ? shape.Width : 112,
            InputHeight = shape.Height > 0 ? shape.Height : 112,
            Normalization = normalization,
            ColorOrder = options.ColorOrder ?? ColorOrder.Rgb,
            FlipSum = options.FlipSum ?? false,
            Output = options.Output,
            OnnxFile = Path.GetFileName(path),
            OnnxSha256 = Sha256.HashFile(path),
        };
    }
}
