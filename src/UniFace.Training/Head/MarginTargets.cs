namespace UniFace.Training.Head;

/// <summary>
/// psi and the regularizer of a batch. Differentiated by autograd, over B numbers; all other gradients of a head are computed in closed form.
/// </summary>
internal sealed class MarginTargets
{
    private readonly Tensor similarityLeaf; // [B]
    private readonly Tensor normLeaf; // [B]
    private readonly Tensor psi; // [B], with its graph
    private readonly Tensor? regularizer; // [B], with its graph

    public MarginTargets(Margin margin, MarginInput input)
    {
        using IDisposable enabled = enable_grad();
        similarityLeaf = input.TargetCosine.clone().requires_grad_(true);
        normLeaf = input.Norm.clone().requires_grad_(true);
        MarginInput differentiable = new(similarityLeaf, input.TargetSine, normLeaf);
        psi = margin.Target(differentiable);
        regularizer = margin.Regularizer(differentiable);
        Psi = psi.detach();
        Regularizer = regularizer?.detach();
    }

    /// <summary>psi, [B].</summary>
    public Tensor Psi { get; }

    /// <summary>The term that the margin adds to the losses, [B], or null.</summary>
    public Tensor? Regularizer { get; }

    /// <summary>dLoss/dNorm through the margin, [B], or null; known after <see cref="Backward"/>.</summary>
    public Tensor? NormGradient => normLeaf.grad;

    /// <summary>dLoss/dTargetSimilarity times the sample weights, [B], given dLoss/dpsi, [B].</summary>
    public Tensor Backward(Tensor gradient, Tensor sampleWeight)
    {
        using IDisposable enabled = enable_grad();
        Tensor total = (psi * (gradient * sampleWeight)).sum();
        if (regularizer is not null)
        {
            total += (regularizer * sampleWeight).sum();
        }

        total.backward();
        return similarityLeaf.grad ?? zeros_like(sampleWeight);
    }
}
