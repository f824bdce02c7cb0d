namespace UniFace.Training.Losses;

/// <summary>AdaFace: the margin adapts to image quality (Kim, Jain and Liu, CVPR 2022).</summary>
[Loss(
    "adaface",
    "A margin that adapts to image quality, given by the embedding's length: angular for poor images, on the cosine for good ones.",
    "Kim, Jain and Liu, AdaFace, CVPR 2022")]
public sealed class AdaFace : ScaledSoftmaxLoss
{
    /// <summary>m, the margin, 0 to 1.5: on the angle for poor images, on the cosine for good ones.</summary>
    [Hyperparameter("m, the margin: on the angle for poor images, on the cosine for good ones.", 0, 1.5, Typical = "0.4", LowerIfDiverging = true)]
    public double Margin { get; init; } = 0.4;

    /// <summary>Concentration: the margin changes within 1 / h standard deviations of the length; 0 to 10.</summary>
    [Hyperparameter("Concentration: the margin changes within 1 / h standard deviations of the length.", 0, 10, Typical = "0.333")]
    public double H { get; init; } = 0.333;

    /// <summary>Weight of the new batch in the running mean and deviation of the length; 0 to 1.</summary>
    [Hyperparameter("Weight of the new batch in the running mean and deviation of the length.", 0, 1, Typical = "0.01")]
    public double TAlpha { get; init; } = 0.01;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new AdaFaceMargin(this, shape.Dtype);
}

/// <summary>
/// The length of the embedding, standardized by running statistics, indicates image quality z in [-1, 1]. Good images get a larger margin
/// where they are hard, poor images where they are easy: psi(c) = cos(theta - m * z) - (m + m * z).
/// The length carries no gradient. All cosines are clamped to +-(1 - 1e-3), as in the paper's code.
/// </summary>
internal sealed class AdaFaceMargin(AdaFace loss, ScalarType dtype)
    : Margin(nameof(AdaFaceMargin), loss.Gradient, ("mean", full([], 20.0, dtype: dtype)), ("deviation", full([], 100.0, dtype: dtype)))
{
    private const double Epsilon = 1e-3;

    public override bool ChangesNonTarget => true;

    public override void Update(MarginInput input)
    {
        Tensor length = Length(input);
        get_buffer("mean")!.mul_(1 - loss.TAlpha).add_(length.mean() * loss.TAlpha);
        if (length.shape[0] > 1)
        {
            // One sample has no deviation; the running value is kept.
            get_buffer("deviation")!.mul_(1 - loss.TAlpha).add_(length.std() * loss.TAlpha);
        }
    }

    public override Tensor NonTarget(Tensor cosines, MarginInput input) => cosines.clamp(Epsilon - 1, 1 - Epsilon);

    protected override Tensor Psi(MarginInput input)
    {
        Tensor z = ((Length(input) - get_buffer("mean")!) / (get_buffer("deviation")! + Epsilon) * loss.H).clamp(-1, 1); // [B]
        Tensor cosine = input.TargetCosine.clamp(Epsilon - 1, 1 - Epsilon);
        return (Angles.FromCosine(cosine) - z * loss.Margin).clamp(Epsilon, Math.PI - Epsilon).cos() - (z + 1) * loss.Margin;
    }

    private static Tensor Length(MarginInput input) => input.Norm.detach().clamp(1e-3, 100);
}
