namespace UniFace.Cli.Eval;

/// <summary>A model to measure: the weights of a run, a package, or an .onnx file. Owns its embedder.</summary>
internal sealed record EvalModel(string Path, IEmbedder Embedder) : IDisposable
{
    private IDisposable? recognizer;

    /// <summary>SHA-256 of the ONNX file or of the run's checkpoint.</summary>
    public required string Sha256 { get; init; }

    public required bool FlipSum { get; init; }

    /// <summary>How the model is run; null for a run, which has no ONNX file yet.</summary>
    public ModelManifest? Manifest { get; init; }

    /// <summary>The manifest of a package folder, which can hold a calibration; null otherwise.</summary>
    public ModelManifest? PackageManifest { get; init; }

    /// <summary>The name of the file or folder.</summary>
    public string Name => RealPath.NameOf(Path);

    /// <summary>What it was trained on; null if unknown.</summary>
    public TrainingFingerprint? Trained { get; init; }

    /// <summary>The hash of its training set; null if unknown.</summary>
    public string? TrainedHash { get; init; }

    /// <summary>Opens what the command line calls RUN or PACKAGE.</summary>
    /// <param name="path">A run folder, a package folder, or an .onnx file.</param>
    /// <param name="flipSum">Whether embeddings are summed with those of the mirrored faces; null for what the model says.</param>
    /// <param name="vision">The command's options for running a model.</param>
    /// <param name="parsed">The command line.</param>
    public static EvalModel Open(string path, bool? flipSum, VisionOptions vision, ParseResult parsed)
    {
        if (!RunFolder.Exists(path))
        {
            return FromRecognizer(vision.Open(parsed, path, flipSum));
        }

        if (vision.SaysHowPixelsEnter(parsed))
        {
            throw new UniFaceException($"{path} is a training run, which knows its input: leave out --normalize and --color, which are for .onnx files.");
        }

        bool flips = flipSum ?? false; // As export writes a package.
        return new EvalModel(path, new BackboneEmbedder(RunFolder.LoadBackbone(path).Backbone, flips))
        {
            Sha256 = IO.Sha256.HashFile(RunFolder.CheckpointPath(path)),
            FlipSum = flips,
            Trained = RunFolder.LoadFingerprint(path),
            TrainedHash = RunFolder.ReadInfo(path).DataHash,
        };
    }

    /// <summary>The model of a recognizer, which it owns from now on.</summary>
    public static EvalModel FromRecognizer(FaceRecognizer recognizer) => new(recognizer.Package.Source, recognizer.Embedder)
    {
        recognizer = recognizer,
        Sha256 = recognizer.Manifest.OnnxSha256,
        FlipSum = recognizer.Manifest.FlipSum,
        Manifest = recognizer.Manifest,
        PackageManifest = recognizer.Package.Manifest,
        Trained = recognizer.Package.LoadFingerprint(),
        TrainedHash = recognizer.Manifest.Training?.DataHash,
    };

    /// <summary>A calibration that was measured on this model, with its contract if it has one.</summary>
    public Calibration Assign(Calibration measured) => Manifest is null ? measured : measured.For(Manifest);

    /// <summary>Embeds images, with progress on standard error.</summary>
    /// <param name="what">The name of the progress.</param>
    /// <param name="names">[N], the images, as errors name them.</param>
    /// <param name="read">Reads an image; null if there is none.</param>
    /// <param name="pipeline">Finds and aligns the face.</param>
    /// <param name="batchSize">Images per batch.</param>
    /// <param name="cancellation">Stops it between batches.</param>
    public EmbeddedFaces Embed(string what, IReadOnlyList<string> names, Func<int, ReadOnlyMemory<byte>?> read, FacePipeline pipeline, int batchSize,
        CancellationToken cancellation)
    {
        using ProgressMeter progress = new(what, names.Count);
        return BatchEmbedding.Embed(
            Embedder,
            names.Count,
            i => read(i) is ReadOnlyMemory<byte> encoded ? pipeline.Align(encoded, names[i])?.Image : null,
            batchSize,
            count => progress.Add(count),
            cancellation);
    }

    public void Dispose() => (recognizer ?? Embedder).Dispose();
}
