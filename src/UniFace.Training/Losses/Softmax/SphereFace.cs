namespace UniFace.Training.Losses;

/// <summary>SphereFace (A-Softmax): psi folds cos(m * theta), annealed from the plain cosine (Liu et al., CVPR 2017).</summary>
[Loss("sphereface", "A factor on the target angle, annealed in, with the embedding's length as the scale.", "Liu et al., SphereFace, CVPR 2017")]
public sealed class SphereFace : Loss
{
    /// <summary>m, factor on the target angle, 1 to 10.</summary>
    [Hyperparameter("m, factor on the target angle.", 1, 10, Typical = "4", LowerIfDiverging = true)]
    public double Margin { get; init; } = 4;

    /// <summary>Final weight of the plain cosine, 0 to 10,000.</summary>
    [Hyperparameter("Final weight of the plain cosine.", 0, 10_000, Typical = "5")]
    public double Lambda { get; init; } = 5;

    /// <summary>Initial weight of the plain cosine, which is annealed, 0 to 100,000; 0: no annealing.</summary>
    [Hyperparameter("Initial weight of the plain cosine, which is annealed; 0: no annealing.", 0, 100_000, Typical = "1000")]
    public double LambdaStart { get; init; } = 1000;

    /// <summary>Decay of the weight, which is start / (1 + decay * step); 0 to 100.</summary>
    [Hyperparameter("Decay of the weight, which is start / (1 + decay * step).", 0, 100, Typical = "0.12")]
    public double LambdaDecay { get; init; } = 0.12;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new SphereFaceMargin(this);

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new NormScaledSoftmax();
}

/// <summary>
/// The target during training: (lambda * c + psi(c)) / (1 + lambda), where lambda falls to its final value as start / (1 + decay * step),
/// which introduces the margin slowly.
/// </summary>
internal sealed class SphereFaceMargin(SphereFace loss) : Margin(nameof(SphereFaceMargin), loss.Gradient, ("step", tensor(-1L)))
{
    public override void Update(MarginInput input) => get_buffer("step")!.add_(1);

    protected override Tensor Psi(MarginInput input)
    {
        double lambda = Math.Max(loss.Lambda, loss.LambdaStart / (1 + loss.LambdaDecay * OwnedTensors.Value(get_buffer("step")!)));
        return (input.TargetCosine * lambda + SphereMargin.Fold(input.TargetAngle * loss.Margin)) / (1 + lambda);
    }
}

/// <summary>Softmax whose scale is the length of the embedding: only the centers are normalized.</summary>
internal sealed class NormScaledSoftmax() : SoftmaxObjective(scale: 1)
{
    public override bool ScaleIsNorm => true;

    public override Tensor Scale(Tensor norm) => norm.unsqueeze(1);
}
