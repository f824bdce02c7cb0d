using UniFace.Vision.Photos;

namespace UniFace.Vision;

/// <summary>Options for running a model, as far as its package does not define them.</summary>
internal sealed record RecognizerOptions
{
    /// <summary>For a bare .onnx file: how pixels become the input; null for (x - 127.5) / 127.5, or for none if the input is uint8.</summary>
    public PixelNormalization? Normalization { get; init; }

    /// <summary>For a bare .onnx file: the order of the color planes; null for RGB.</summary>
    public ColorOrder? ColorOrder { get; init; }

    /// <summary>For a bare .onnx file: the output that is the embedding; null to choose by shape and name.</summary>
    public string? Output { get; init; }

    /// <summary>Whether embeddings are summed with those of the mirrored faces; null for what the package says, or no.</summary>
    public bool? FlipSum { get; init; }

    /// <summary>Cores to use for embedding; 0 for all.</summary>
    public int Threads { get; init; }

    /// <summary>What model and detector run on. Opening fails if the model does not run on it.</summary>
    public ExecutionProvider ExecutionProvider { get; init; }

    /// <summary>How photos become faces.</summary>
    public PhotoOptions Photos { get; init; } = new();
}
