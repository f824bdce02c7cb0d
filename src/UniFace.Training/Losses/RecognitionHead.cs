using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>What a head gives back for one batch. The caller owns and disposes it.</summary>
/// <param name="Loss">The mean loss over the batch.</param>
/// <param name="EmbeddingGradient">dLoss/dEmbeddings, [B, D], for <c>embeddings.backward(gradient)</c>.</param>
/// <param name="TargetCosine">Cosine of each sample with its own class center, before any margin, [B].</param>
/// <param name="HardestNegativeCosine">Largest cosine of each sample with another class's center, [B].</param>
public sealed record HeadOutput(double Loss, Tensor EmbeddingGradient, Tensor TargetCosine, Tensor HardestNegativeCosine) : IDisposable
{
    /// <summary>Disposes the three tensors.</summary>
    public void Dispose()
    {
        EmbeddingGradient.Dispose();
        TargetCosine.Dispose();
        HardestNegativeCosine.Dispose();
    }
}

/// <summary>
/// The last layer of training: class centers x margin x objective. It is the seam between the backbone and the loss:
/// the head gives the loss and its gradient with respect to the embeddings, so a head is free to compute both without autograd.
/// Everything a head needs to go on after a checkpoint is among its parameters and buffers, randomness included.
/// </summary>
public abstract class RecognitionHead : nn.Module
{
    /// <summary>A head of the given name.</summary>
    protected RecognitionHead(string name)
        : base(name)
    {
    }

    /// <summary>Number of classes.</summary>
    public abstract int Classes { get; }

    /// <summary>Values in an embedding.</summary>
    public abstract int EmbeddingSize { get; }

    /// <summary>
    /// The learned threshold as a cosine (b / s) where the objective has one shared bias b, else null.
    /// </summary>
    public abstract double? Threshold { get; }

    /// <summary>
    /// Computes the loss of a batch, adds dLoss/dParameter to the gradients of the head's own parameters and
    /// returns dLoss/dEmbeddings. The embeddings are raw (not normalised) and are not changed; no graph is kept.
    /// </summary>
    /// <param name="embeddings">[B, D], any float type; computed in float32 or, if the head is float64, in float64.</param>
    /// <param name="labels">[B], int64, each in [0, Classes).</param>
    /// <param name="weights">[B] factors of the samples' losses (class weights), or null for all 1.</param>
    /// <param name="scale">Factor on the gradients, 1/n for an accumulation over n batches; the returned loss is not scaled.</param>
    public abstract HeadOutput ForwardBackward(Tensor embeddings, Tensor labels, Tensor? weights = null, double scale = 1);
}
