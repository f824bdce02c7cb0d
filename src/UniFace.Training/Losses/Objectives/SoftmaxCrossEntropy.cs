using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// -log softmax(scale * similarities)[target]: compares a sample's classes with each other.
/// </summary>
public sealed class SoftmaxCrossEntropy : Objective
{
    private readonly LogitScale scale;
    private readonly double factor;

    /// <summary>Softmax cross-entropy.</summary>
    /// <param name="scale">What makes logits of similarities.</param>
    /// <param name="factor">Factor on the loss.</param>
    public SoftmaxCrossEntropy(LogitScale scale, double factor = 1)
        : base(nameof(SoftmaxCrossEntropy))
    {
        this.scale = scale;
        this.factor = factor;
        register_module(nameof(scale), scale);
    }

    /// <inheritdoc/>
    public override void Observe(Tensor cosines, Tensor targetCosine, Tensor columns) => scale.Observe(cosines, targetCosine, columns);

    /// <inheritdoc/>
    public override Tensor Loss(ObjectiveInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor similarities = input.NonTarget.scatter(1, input.Columns.unsqueeze(1), input.Target.unsqueeze(1)); // [B, R]
        Tensor loss = nn.functional.cross_entropy(scale.Apply(similarities, input.Norm), input.Columns, reduction: nn.Reduction.None); // [B]
        return factor == 1 ? loss : loss * factor;
    }
}
