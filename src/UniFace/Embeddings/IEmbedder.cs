namespace UniFace.Embeddings;

/// <summary>
/// Aligned faces in, embeddings out. Behind it stands a model package, a bare ONNX file, or a backbone in training:
/// evaluation and calibration do not know which. Implementations are thread-safe.
/// </summary>
public interface IEmbedder : IDisposable
{
    /// <summary>Values in an embedding.</summary>
    int EmbeddingSize { get; }

    /// <summary>Side lengths of the aligned faces it takes, in pixels.</summary>
    (int Width, int Height) InputSize { get; }

    /// <summary>
    /// Embeds a batch. Pixels are normalised as the model wants them; where the model's contract says flip-sum,
    /// an embedding is f(x) + f(mirrored x). Every row is L2-normalised last.
    /// </summary>
    /// <param name="faces">Aligned faces, each of <see cref="InputSize"/>.</param>
    /// <returns>[faces, EmbeddingSize], row after row; each row has norm 1.</returns>
    /// <exception cref="UniFaceException">A face has another size, or the model gave a value that is not finite.</exception>
    float[] Embed(IReadOnlyList<RgbImage> faces);
}
