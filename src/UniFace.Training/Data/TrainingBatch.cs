namespace UniFace.Training.Data;

/// <summary>A batch for the training step. The receiver owns and disposes it.</summary>
/// <param name="Images">[b, 3, H, W] float32 RGB, normalized to [-1, 1], channels last in memory: those that this process loads.</param>
/// <param name="Labels">[B] int64, of all processes.</param>
/// <param name="Samples">Indices into the samples of the data set, [B], to name the images of a batch in errors.</param>
internal sealed record TrainingBatch(Tensor Images, Tensor Labels, IReadOnlyList<int> Samples) : IDisposable
{
    /// <summary>Embeddings of a teacher, unit vectors, [B, D]; null without a teacher.</summary>
    public Tensor? Targets { get; init; }

    /// <summary>Disposes the tensors.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
        Targets?.Dispose();
    }
}
