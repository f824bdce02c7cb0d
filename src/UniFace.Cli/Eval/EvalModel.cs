using System.CommandLine;
using UniFace.Cli.Photos;
using UniFace.Embeddings;
using UniFace.Evaluation.ThresholdCalibration;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Runs;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Eval;

/// <summary>What is measured: a run's weights, a package, or a bare .onnx file. Owns its embedder.</summary>
internal sealed class EvalModel : IDisposable
{
    private EvalModel(string path, IEmbedder embedder, string sha256, bool flipSum, ModelManifest? manifest, bool isPackage, TrainingFingerprint? trained, string? trainedHash)
    {
        Path = path;
        Embedder = embedder;
        Sha256 = sha256;
        FlipSum = flipSum;
        Manifest = manifest;
        IsPackage = isPackage;
        Trained = trained;
        TrainedHash = trainedHash;
    }

    /// <summary>The path that was given.</summary>
    public string Path { get; }

    public IEmbedder Embedder { get; }

    /// <summary>SHA-256 of the ONNX file or of the run's checkpoint.</summary>
    public string Sha256 { get; }

    public bool FlipSum { get; }

    /// <summary>How the model is run; null for a run, which has no ONNX file yet.</summary>
    public ModelManifest? Manifest { get; }

    /// <summary>True for a package folder: it can keep a calibration.</summary>
    public bool IsPackage { get; }

    /// <summary>What it was trained on; null where that is not known.</summary>
    public TrainingFingerprint? Trained { get; }

    /// <summary>The hash of the set that it was trained on; null where that is not known.</summary>
    public string? TrainedHash { get; }

    /// <summary>Opens what the command line calls RUN or PACKAGE.</summary>
    /// <param name="path">A run folder, a package folder, or an .onnx file.</param>
    /// <param name="flipSum">Whether embeddings are summed with the mirrored faces'; null for what the model says.</param>
    /// <param name="vision">The command's options of running a model.</param>
    /// <param name="parsed">The command line.</param>
    public static EvalModel Open(string path, bool? flipSum, VisionOptions vision, ParseResult parsed)
    {
        if (RunFolder.Exists(path))
        {
            if (vision.SaysHowPixelsEnter(parsed))
            {
                throw new UniFaceException($"{path} is a training run, which knows its input: leave out --normalize and --color, which are for .onnx files.");
            }

            string checkpoint = RunFolder.CheckpointPath(path);
            (Backbone backbone, _) = RunFolder.LoadBackbone(path);
            bool flips = flipSum ?? false; // as export writes a package
            return new EvalModel(path, new BackboneEmbedder(backbone, flips), IO.Sha256.HashFile(checkpoint), flips, null, false,
                RunFolder.LoadFingerprint(path), RunFolder.ReadInfo(path).DataHash);
        }

        ModelPackage package = ModelPackage.Open(path);
        TrainingFingerprint? trained = package.LoadFingerprint();
        OnnxEmbedder embedder = vision.OpenEmbedder(parsed, package, flipSum);
        return new EvalModel(path, embedder, embedder.Manifest.OnnxSha256, embedder.Manifest.FlipSum, embedder.Manifest, package.Manifest is not null, trained,
            embedder.Manifest.Training?.DataHash);
    }

    /// <summary>Whose scores a calibration of this model is made of.</summary>
    public CalibrationSource Source(string dataName, string dataSha256) => new()
    {
        ContractId = Manifest?.ContractId,
        OnnxSha256 = Manifest?.OnnxSha256,
        FlipSum = FlipSum,
        DataName = dataName,
        DataSha256 = dataSha256,
        ToolVersion = ToolVersion.Current,
    };

    public void Dispose() => Embedder.Dispose();
}
