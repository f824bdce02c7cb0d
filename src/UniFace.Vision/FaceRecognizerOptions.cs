using UniFace.Vision.Photos;

namespace UniFace.Vision;

/// <summary>How a model is run, as far as its package does not define it, and how photos become faces.</summary>
public sealed record FaceRecognizerOptions
{
    /// <summary>Cores to use for embedding; 0 for all.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// What model and detector run on. Opening fails if the model does not run on it. The detector is opened for the first photo or by
    /// <see cref="FaceRecognizer.Load"/>, which fail if it does not run on it.
    /// </summary>
    public ExecutionProvider ExecutionProvider { get; init; }

    /// <summary>Face detector: the path of an .onnx file of YuNet or BlazeFace, or the name of an installed one. Null for the default one.</summary>
    public string? Detector
    {
        get => Photos.Detector;
        init => Photos = Photos with { Detector = value };
    }

    /// <summary>
    /// A face detector of your own, instead of <see cref="Detector"/>. It belongs to the recognizer that is opened with it, which disposes it, even if it does
    /// not open or takes no photo.
    /// </summary>
    public IFaceDetector? CustomDetector
    {
        get => Photos.CustomDetector;
        init => Photos = Photos with { CustomDetector = value };
    }

    /// <summary>
    /// The check that the main face of each photo must pass; null for none. It belongs to the recognizer that is opened with it, which disposes it, even if it
    /// does not open or takes no photo.
    /// </summary>
    public ILivenessCheck? Liveness
    {
        get => Photos.Liveness;
        init => Photos = Photos with { Liveness = value };
    }

    /// <summary>True: photos are aligned faces of the model's size already, and are used unchanged.</summary>
    public bool Aligned
    {
        get => Photos.Aligned;
        init => Photos = Photos with { Aligned = value };
    }

    /// <summary>True: a photo is refused if more than one face could be its main face.</summary>
    public bool Strict
    {
        get => Photos.Strict;
        init => Photos = Photos with { Strict = value };
    }

    /// <summary>Whether embeddings are summed with those of the mirrored faces; null for what the package says, or no.</summary>
    public bool? FlipSum { get; init; }

    /// <summary>For a bare .onnx file: how pixels become the input; null for (x - 127.5) / 127.5, or for none if the input is uint8.</summary>
    public PixelNormalization? Normalization { get; init; }

    /// <summary>For a bare .onnx file: the order of the color planes; null for RGB.</summary>
    public ColorOrder? ColorOrder { get; init; }

    /// <summary>For a bare .onnx file: the output that is the embedding; null to choose by shape and name.</summary>
    public string? Output { get; init; }

    /// <summary>How photos become faces, in full.</summary>
    internal PhotoOptions Photos { get; init; } = new();
}
