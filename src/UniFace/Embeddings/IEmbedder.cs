namespace UniFace.Embeddings;

/// <summary>
/// Computes embeddings of aligned faces. Evaluation and calibration use it for model packages, bare ONNX files and backbones in training.
/// Implementations are thread-safe.
/// </summary>
internal interface IEmbedder : IDisposable
{
    /// <summary>Values in an embedding.</summary>
    int EmbeddingSize { get; }

    /// <summary>Width and height of the aligned faces that it takes, in pixels.</summary>
    (int Width, int Height) InputSize { get; }

    /// <summary>
    /// Embeds a batch. The model's contract defines the normalization of pixels and whether an embedding is f(x) + f(mirrored x) (flip-sum). Every
    /// row is then L2-normalized.
    /// </summary>
    /// <param name="faces">Aligned faces, each of <see cref="InputSize"/>.</param>
    /// <returns>[faces, EmbeddingSize], row after row; each row has norm 1.</returns>
    /// <exception cref="UniFaceException">A face has another size, or the model gave a value that is not finite.</exception>
    float[] Embed(IReadOnlyList<RgbImage> faces);
}
