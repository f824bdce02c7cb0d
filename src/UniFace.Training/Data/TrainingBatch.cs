using static TorchSharp.torch;

namespace UniFace.Training.Data;

/// <summary>One batch, ready for the step. The receiver owns and disposes it.</summary>
/// <param name="Images">[B, 3, H, W] float32, normalised to [-1, 1], RGB.</param>
/// <param name="Labels">[B] int64.</param>
/// <param name="Samples">Indices into the data set's samples, to name the pictures of a batch that went wrong.</param>
public sealed record TrainingBatch(Tensor Images, Tensor Labels, IReadOnlyList<int> Samples) : IDisposable
{
    /// <summary>Disposes the tensors.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
    }
}
