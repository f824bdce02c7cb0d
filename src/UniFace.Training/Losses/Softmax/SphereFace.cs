namespace UniFace.Training.Losses;

/// <summary>SphereFace (A-Softmax): psi folds cos(m * theta), annealed from the plain cosine (Liu et al., CVPR 2017).</summary>
[Loss("sphereface", "A factor on the target angle, annealed in, with the embedding's length as the scale.", "Liu et al., SphereFace, CVPR 2017")]
public sealed class SphereFace : Loss
{
    /// <summary>m, factor on the target angle, 1 to 10.</summary>
    [Hyperparameter("m, factor on the target angle.", 1, 10, Usual = "4", Hardens = true)]
    public double Margin { get; init; } = 4;

    /// <summary>Final weight of the plain cosine, 0 to 10,000.</summary>
    [Hyperparameter("Final weight of the plain cosine.", 0, 10_000, Usual = "5")]
    public double Lambda { get; init; } = 5;

    /// <summary>Initial weight of the plain cosine, which is annealed, 0 to 100,000; 0: no annealing.</summary>
    [Hyperparameter("Initial weight of the plain cosine, which is annealed; 0: no annealing.", 0, 100_000, Usual = "1000")]
    public double LambdaStart { get; init; } = 1000;

    /// <summary>Decay of the weight, which is start / (1 + decay * step); 0 to 100.</summary>
    [Hyperparameter("Decay of the weight, which is start / (1 + decay * step).", 0, 100, Usual = "0.12")]
    public double LambdaDecay { get; init; } = 0.12;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new SphereFaceMargin(Margin, Lambda, LambdaStart, LambdaDecay, Gradient);

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new NormScaledSoftmax();
}
