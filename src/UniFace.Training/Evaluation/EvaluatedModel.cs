using UniFace.Vision;

namespace UniFace.Training.Evaluation;

/// <summary>A model to measure: the weights of a run, a package, or an .onnx file. Owns its embedder.</summary>
internal sealed class EvaluatedModel : IDisposable
{
    /// <summary>The run, the package or the file.</summary>
    public required string Path { get; init; }

    /// <summary>The name of the file or folder.</summary>
    public string Name => RealPath.GetName(Path);

    public required IEmbedder Embedder { get; init; }

    /// <summary>Runs the package or the file; null for a run.</summary>
    public FaceRecognizer? Recognizer { get; private init; }

    /// <summary>How the model is run; null for a run, which has no ONNX file yet.</summary>
    public ModelManifest? Manifest => Recognizer?.Manifest;

    /// <summary>The template that its faces are aligned to.</summary>
    public required AlignmentTemplate Template { get; init; }

    /// <summary>SHA-256 of the ONNX file or of the run's checkpoint.</summary>
    public required string WeightsSha256 { get; init; }

    public required bool FlipSum { get; init; }

    /// <summary>What it was trained on; null if unknown.</summary>
    public TrainingFingerprint? Trained { get; private init; }

    /// <summary>The hash of its training set; null if unknown.</summary>
    public string? TrainedHash { get; private init; }

    /// <summary>The best weights of a run.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="flipSum">Whether embeddings are summed with those of the mirrored faces; null for what its package will say.</param>
    public static EvaluatedModel FromRun(string folder, bool? flipSum)
    {
        RunInfo info = RunFolder.ReadInfo(folder);
        ModelManifest manifest = info.Options.CreateManifest();
        bool flips = flipSum ?? manifest.FlipSum;
        return new EvaluatedModel
        {
            Path = folder,
            Template = manifest.CreateTemplate(),
            WeightsSha256 = Sha256.HashFile(RunFolder.CheckpointPath(folder)),
            FlipSum = flips,
            Trained = RunFolder.LoadFingerprint(folder),
            TrainedHash = info.DataHash,
            Embedder = new BackboneEmbedder(RunFolder.LoadBackbone(folder).Backbone, flips),
        };
    }

    /// <summary>The model of a recognizer, which it owns from now on.</summary>
    public static EvaluatedModel FromRecognizer(FaceRecognizer recognizer)
    {
        try
        {
            return new EvaluatedModel
            {
                Path = recognizer.Package.Source,
                Embedder = recognizer.Embedder,
                Recognizer = recognizer,
                Template = recognizer.Manifest.CreateTemplate(),
                WeightsSha256 = recognizer.Manifest.OnnxSha256,
                FlipSum = recognizer.Manifest.FlipSum,
                Trained = recognizer.Package.LoadFingerprint(),
                TrainedHash = recognizer.Manifest.Training?.DataHash,
            };
        }
        catch
        {
            recognizer.Dispose();
            throw;
        }
    }

    public void Dispose() => ((IDisposable?)Recognizer ?? Embedder).Dispose();
}
