using UniFace.Decisions;
using UniFace.Embeddings;
using UniFace.Vision.Photos;

namespace UniFace.Vision;

/// <summary>
/// A face recognition model: photo to aligned face to embedding, with the calibration of its scores. The one way to open a model package.
/// Thread-safe; owns the model and the detector.
/// </summary>
public sealed class FaceRecognizer : IFaceModel, IDisposable
{
    private readonly Lazy<FacePipeline> photos;
    private readonly PhotoOptions photoOptions;
    private readonly Lazy<Calibration?> calibration;

    /// <summary>Takes ownership of the model, and of the detector and the liveness check in the options.</summary>
    internal FaceRecognizer(ModelPackage package, OnnxEmbedder embedder, PhotoOptions photos)
    {
        Package = package;
        Embedder = embedder;
        photoOptions = photos;
        this.photos = new(() => PhotoPipeline.Open(photos, embedder.Manifest.CreateTemplate()));
        calibration = new(() => package.LoadCalibration(embedder.Manifest));
    }

    /// <summary>The package.</summary>
    public ModelPackage Package { get; }

    /// <summary>Values in an embedding.</summary>
    public int EmbeddingSize => Embedder.EmbeddingSize;

    /// <summary>True if the model has a calibration, so that false match rates can be chosen instead of thresholds.</summary>
    /// <exception cref="UniFaceException">The calibration cannot be read, or belongs to another model.</exception>
    public bool IsCalibrated => Calibration is not null;

    /// <summary>Computes embeddings of aligned faces.</summary>
    internal OnnxEmbedder Embedder { get; }

    /// <summary>How the model is run.</summary>
    internal ModelManifest Manifest => Embedder.Manifest;

    /// <summary>Only embeddings of the same contract are comparable.</summary>
    public string ContractId => Manifest.ContractId;

    /// <summary>Decodes images.</summary>
    internal SkiaImageDecoder Decoder => photoOptions.Decoder;

    /// <summary>Finds and aligns faces for the model. The detector is opened at the first use.</summary>
    /// <exception cref="UniFaceException">The detector cannot be opened.</exception>
    internal FacePipeline Photos => photos.Value;

    /// <summary>The false match rate of each threshold; null if the package has no calibration.</summary>
    /// <exception cref="UniFaceException">It cannot be read, or belongs to another model.</exception>
    internal Calibration? Calibration => calibration.Value;

    Calibration? IFaceModel.Calibration => Calibration;

    string? IFaceModel.PackagePath => Path.GetFullPath(Package.Source);

    /// <summary>Opens a model.</summary>
    /// <param name="model">
    /// A package folder, the name of an installed model, or an .onnx file; null for the installed default. The .onnx file of a package opens the package,
    /// unless the options describe its input.
    /// </param>
    /// <param name="options">
    /// How to run it. A detector and a liveness check in it belong to the recognizer, and are disposed at once if it does not open.
    /// </param>
    /// <exception cref="UniFaceException">It cannot be opened, or an option contradicts the package.</exception>
    public static FaceRecognizer Open(string? model = null, FaceRecognizerOptions? options = null) =>
        Open(() => model is null ? InstalledModels.OpenDefault() : OpenPackage(model, options), options);

    /// <summary>Opens a package that has been checked already.</summary>
    /// <param name="package">The package.</param>
    /// <param name="options">How to run it.</param>
    /// <inheritdoc cref="Open(string?, FaceRecognizerOptions?)"/>
    internal static FaceRecognizer Open(ModelPackage package, FaceRecognizerOptions? options = null) => Open(() => package, options);

    /// <summary>Finds the faces of a photo, the main face first.</summary>
    /// <param name="photo">A path, bytes, a stream or an image.</param>
    /// <returns>The faces; empty if there are none.</returns>
    /// <exception cref="UniFaceException">
    /// The photo cannot be read, or the recognizer takes aligned faces (<see cref="FaceRecognizerOptions.Aligned"/>), which have no place in a photo.
    /// </exception>
    public IReadOnlyList<DetectedFace> Detect(ImageSource photo) => Boxes(new(photo, photo.Read()));

    /// <inheritdoc cref="Detect"/>
    /// <param name="photo">A path, bytes, a stream or an image.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    public Task<IReadOnlyList<DetectedFace>> DetectAsync(ImageSource photo, CancellationToken cancellationToken = default) =>
        RunAsync(photo, Boxes, cancellationToken);

    /// <summary>Computes the embedding of the main face of a photo.</summary>
    /// <param name="photo">A path, bytes, a stream or an image.</param>
    /// <exception cref="UniFaceException">The photo cannot be read, or shows no face.</exception>
    public FaceEmbedding Embed(ImageSource photo) => EmbedMain(new(photo, photo.Read()));

    /// <inheritdoc cref="Embed"/>
    /// <param name="photo">A path, bytes, a stream or an image.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    public Task<FaceEmbedding> EmbedAsync(ImageSource photo, CancellationToken cancellationToken = default) =>
        RunAsync(photo, EmbedMain, cancellationToken);

    /// <summary>Computes the embeddings of all faces of a photo, the main face first.</summary>
    /// <param name="photo">A path, bytes, a stream or an image.</param>
    /// <returns>The embeddings; empty if there is no face.</returns>
    /// <exception cref="UniFaceException">The photo cannot be read.</exception>
    public IReadOnlyList<FaceEmbedding> EmbedAll(ImageSource photo) => EmbedFaces(new(photo, photo.Read()));

    /// <inheritdoc cref="EmbedAll"/>
    /// <param name="photo">A path, bytes, a stream or an image.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    public Task<IReadOnlyList<FaceEmbedding>> EmbedAllAsync(ImageSource photo, CancellationToken cancellationToken = default) =>
        RunAsync(photo, EmbedFaces, cancellationToken);

    /// <summary>Decides whether the main faces of two photos are the same person.</summary>
    /// <param name="first">A path, bytes, a stream or an image.</param>
    /// <param name="second">The other photo.</param>
    /// <param name="falseMatchRate">How often two different people may match; null for 0.001, or the smallest rate that the calibration supports.</param>
    /// <param name="threshold">Cosine from which two faces match, instead of a rate; the only choice without a calibration.</param>
    /// <returns>The score and the decision; without a calibration and a threshold only the score.</returns>
    /// <exception cref="MissingCalibrationException">A rate was given, and the model has no calibration.</exception>
    /// <exception cref="UniFaceException">A photo cannot be read or shows no face, or the calibration does not support the rate.</exception>
    public Verification Verify(ImageSource first, ImageSource second, double? falseMatchRate = null, double? threshold = null)
    {
        Decision? decision = DecideIfPossible(falseMatchRate, threshold);
        return Compare(Embed(first), Embed(second), decision);
    }

    /// <inheritdoc cref="Verify"/>
    /// <param name="first">A path, bytes, a stream or an image.</param>
    /// <param name="second">The other photo.</param>
    /// <param name="falseMatchRate">How often two different people may match; null for 0.001, or the smallest rate that the calibration supports.</param>
    /// <param name="threshold">Cosine from which two faces match, instead of a rate; the only choice without a calibration.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    public async Task<Verification> VerifyAsync(
        ImageSource first, ImageSource second, double? falseMatchRate = null, double? threshold = null, CancellationToken cancellationToken = default)
    {
        Decision? decision = DecideIfPossible(falseMatchRate, threshold);
        FaceEmbedding a = await EmbedAsync(first, cancellationToken).ConfigureAwait(false);
        return Compare(a, await EmbedAsync(second, cancellationToken).ConfigureAwait(false), decision);
    }

    /// <summary>Decides whether two embeddings are of the same person.</summary>
    /// <param name="first">An embedding of this model.</param>
    /// <param name="second">The other embedding.</param>
    /// <param name="falseMatchRate">How often two different people may match; null for 0.001, or the smallest rate that the calibration supports.</param>
    /// <param name="threshold">Cosine from which two faces match, instead of a rate; the only choice without a calibration.</param>
    /// <returns>The score and the decision; without a calibration and a threshold only the score.</returns>
    /// <exception cref="MissingCalibrationException">A rate was given, and the model has no calibration.</exception>
    /// <exception cref="UniFaceException">The embeddings are of another model, or the calibration does not support the rate.</exception>
    public Verification Compare(FaceEmbedding first, FaceEmbedding second, double? falseMatchRate = null, double? threshold = null) =>
        Compare(first, second, DecideIfPossible(falseMatchRate, threshold));

    /// <summary>The smallest cosine at which two faces match with a false match rate.</summary>
    /// <exception cref="MissingCalibrationException">The model has no calibration.</exception>
    /// <exception cref="UniFaceException">The calibration does not support the rate.</exception>
    public double ThresholdAt(double falseMatchRate) => Decide(falseMatchRate, null).Threshold;

    internal Verification Compare(FaceEmbedding first, FaceEmbedding second, Decision? decision)
    {
        const string remedy = "compute both with this model";
        RequireContract(first.ContractId, "the first embedding", remedy);
        RequireContract(second.ContractId, "the second embedding", remedy);
        return new Verification(first, second, decision, Calibration);
    }

    /// <summary>Computes the embedding of an aligned face.</summary>
    internal FaceEmbedding EmbedAligned(AlignedFace face, string source) => EmbedCrops([face], source, null)[0];

    /// <summary>Opens the detector and reads the calibration now, so that errors do not wait for the first photo.</summary>
    /// <exception cref="UniFaceException">One of them cannot be opened, or the detector does not run on the execution provider.</exception>
    public void Load() => _ = (Photos, Calibration);

    /// <summary>Refuses to compare this model's embeddings with those of another.</summary>
    /// <param name="contractId">The contract of the other embeddings.</param>
    /// <param name="source">Where they are, e.g. "the gallery people.gallery".</param>
    /// <param name="remedy">What to do; null for a gallery.</param>
    /// <exception cref="UniFaceException">The contract is another.</exception>
    internal void RequireContract(string contractId, string source, string? remedy = null) => EmbeddingContract.Require(
        ContractId, $"the model {Package.Source}", contractId, source, remedy ?? "use its own model, or move it to this one with 'uniface gallery reembed'");

    /// <summary>Frees the model, the detector and the liveness check.</summary>
    public void Dispose()
    {
        Embedder.Dispose();
        if (photos.IsValueCreated)
        {
            photos.Value.Dispose();
        }
        else
        {
            photoOptions.DisposeParts();
        }
    }

    private readonly record struct LoadedPhoto(ImageSource Source, ReadOnlyMemory<byte> Encoded)
    {
        public string Name => Source.Name;
    }

    private static Task<T> RunAsync<T>(ImageSource photo, Func<LoadedPhoto, T> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(photo);
        return ReadAsync();

        async Task<T> ReadAsync()
        {
            ReadOnlyMemory<byte> encoded = await photo.ReadAsync(cancellationToken).ConfigureAwait(false);
            return await Task.Run(() => work(new(photo, encoded)), cancellationToken).ConfigureAwait(false);
        }
    }

    private Decision? DecideIfPossible(double? falseMatchRate, double? threshold) =>
        falseMatchRate is null && threshold is null && !IsCalibrated ? null : Decide(falseMatchRate, threshold);

    private Decision Decide(double? falseMatchRate, double? threshold) =>
        new DecisionRule { FalseMatchRate = falseMatchRate, Threshold = threshold }.ForVerification(Calibration);

    private IReadOnlyList<DetectedFace> Boxes(LoadedPhoto photo) => photoOptions.Aligned
        ? throw new UniFaceException($"{photo.Name}: this recognizer takes aligned faces and detects none; open one without {nameof(photoOptions.Aligned)}")
        : [.. Find(photo, FaceChoice.All).Select(face => face.Face).OfType<DetectedFace>()];

    private IReadOnlyList<FaceEmbedding> EmbedFaces(LoadedPhoto photo) =>
        EmbedCrops(Find(photo, FaceChoice.All, accepts: true), photo.Name, photo.Encoded);

    private FaceEmbedding EmbedMain(LoadedPhoto photo) => Find(photo, FaceChoice.Largest) is [AlignedFace face, ..]
        ? EmbedCrops([face], photo.Name, photo.Encoded)[0]
        : throw new UniFaceException($"{photo.Name}: no face found ({Photos.DetectorName}); give a photo that shows a face");

    private IReadOnlyList<AlignedFace> Find(LoadedPhoto photo, FaceChoice choice, bool accepts = false) => Photos.AlignFaces(
        photo.Source.Image is RgbImage image ? new Photo(image) : Decoder.OpenPhoto(photo.Encoded, photo.Name), photo.Name, choice, accepts: accepts);

    private FaceEmbedding[] EmbedCrops(IReadOnlyList<AlignedFace> faces, string source, ReadOnlyMemory<byte>? encoded)
    {
        float[] values = faces.Count == 0 ? [] : Embedder.Embed([.. faces.Select(face => face.Image)]); // [N, D]
        string? hash = encoded is { Length: > 0 } bytes ? Sha256.HashBytes(bytes.Span) : null;
        return
        [
            .. faces.Select((face, i) => new FaceEmbedding(values.AsMemory(i * EmbeddingSize, EmbeddingSize), ContractId)
            {
                Face = face.Face,
                FacesInPhoto = face.FacesInPhoto,
                Source = source,
                PhotoSha256 = hash,
                EncodeCrop = () => ImageEncoder.Png(face.Image),
            }),
        ];
    }

    private static FaceRecognizer Open(Func<ModelPackage> openPackage, FaceRecognizerOptions? options)
    {
        options ??= new FaceRecognizerOptions();
        PhotoOptions photos = options.Photos with { Detection = options.Photos.Detection with { ExecutionProvider = options.ExecutionProvider } };
        try
        {
            ModelPackage package = openPackage();
            return new FaceRecognizer(package, OpenEmbedder(package, options), photos);
        }
        catch
        {
            photos.DisposeParts();
            throw;
        }
    }

    private static ModelPackage OpenPackage(string model, FaceRecognizerOptions? options)
    {
        bool describesInput = options is { Normalization: not null } or { ColorOrder: not null } or { Output: not null };
        ModelPackage opened = ModelPackage.Open(model);
        return (opened.Manifest is null && !describesInput ? ModelPackage.OpenAround(model) : null) ?? opened;
    }

    private static OnnxEmbedder OpenEmbedder(ModelPackage package, FaceRecognizerOptions options)
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

    private static ModelManifest CreateManifest(OnnxModelShape shape, string path, FaceRecognizerOptions options)
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
