namespace UniFace.Training.Head.Margins;

/// <summary>
/// AdaFace: the length of the embedding, standardized by running statistics, indicates image quality z in [-1, 1]. Good images get a larger margin
/// where they are hard, poor images where they are easy: psi(c) = cos(theta - m * z) - (m + m * z).
/// The length carries no gradient. All cosines are clamped to +-(1 - 1e-3), as in the paper's code.
/// </summary>
/// <param name="margin">m.</param>
/// <param name="h">Concentration: z = 1 lies 1/h standard deviations above the mean length.</param>
/// <param name="alpha">Weight of the new batch in the running statistics.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
/// <param name="dtype">float32 or float64.</param>
internal sealed class AdaFaceMargin(double margin, double h, double alpha, MarginGradient gradient, ScalarType dtype)
    : Margin(nameof(AdaFaceMargin), gradient, ("mean", full([], 20.0, dtype: dtype)), ("deviation", full([], 100.0, dtype: dtype)))
{
    private const double Epsilon = 1e-3;

    public override bool ChangesNonTarget => true;

    public override void Update(MarginInput input)
    {
        Tensor length = Length(input);
        get_buffer("mean")!.mul_(1 - alpha).add_(length.mean() * alpha);
        if (length.shape[0] > 1)
        {
            // One sample has no deviation; the running value is kept.
            get_buffer("deviation")!.mul_(1 - alpha).add_(length.std() * alpha);
        }
    }

    public override Tensor NonTarget(Tensor cosines, MarginInput input) => cosines.clamp(Epsilon - 1, 1 - Epsilon);

    protected override Tensor Psi(MarginInput input)
    {
        Tensor z = ((Length(input) - get_buffer("mean")!) / (get_buffer("deviation")! + Epsilon) * h).clamp(-1, 1); // [B]
        Tensor cosine = input.TargetCosine.clamp(Epsilon - 1, 1 - Epsilon);
        return (Angles.FromCosine(cosine) - z * margin).clamp(Epsilon, Math.PI - Epsilon).cos() - (z + 1) * margin;
    }

    private static Tensor Length(MarginInput input) => input.Norm.detach().clamp(1e-3, 100);
}
