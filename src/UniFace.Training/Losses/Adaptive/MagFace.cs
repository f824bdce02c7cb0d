namespace UniFace.Training.Losses;

/// <summary>MagFace: the margin grows with the embedding's length (Meng et al., CVPR 2021).</summary>
[Loss(
    "magface",
    "ArcFace with a margin that grows with the embedding's length, which becomes a measure of image quality.",
    "Meng et al., MagFace, CVPR 2021")]
public sealed class MagFace : AngularMarginLoss
{
    /// <summary>The loss with the defaults of the paper's code.</summary>
    public MagFace() => Wrap = MarginWrap.Easy;

    /// <summary>Lower bound of the length, above 0 and up to 1,000.</summary>
    [Hyperparameter("Lower bound of the length.", 0, 1000, MinimumExcluded = true)]
    public double La { get; init; } = 10;

    /// <summary>Upper bound of the length, above <see cref="La"/> and up to 10,000.</summary>
    [Hyperparameter("Upper bound of the length; more than la.", 0, 10_000, MinimumExcluded = true)]
    public double Ua { get; init; } = 110;

    /// <summary>Margin at the lower bound, 0 to 1.5 radians.</summary>
    [Hyperparameter("Margin at the lower bound, in radians.", 0, 1.5, LowerIfDiverging = true)]
    public double Lm { get; init; } = 0.45;

    /// <summary>Margin at the upper bound, 0 to 1.5 radians.</summary>
    [Hyperparameter("Margin at the upper bound, in radians.", 0, 1.5, LowerIfDiverging = true)]
    public double Um { get; init; } = 0.8;

    /// <summary>Factor on the regularizer that rewards length, 0 to 10,000.</summary>
    [Hyperparameter("Factor on the regularizer that rewards length.", 0, 10_000)]
    public double LambdaG { get; init; } = 35;

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        if (Ua <= La)
        {
            throw new UniFaceException(FormattableString.Invariant($"loss 'magface': ua = {Ua} must be above la = {La} (typical: la 10, ua 110)."));
        }
    }

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new MagFaceMargin(this);
}

/// <summary>
/// An angular margin that grows with the length a of the embedding, from lm at la to um at ua, and a regularizer
/// g(a) = a / ua^2 + 1 / a that rewards length. Both carry a gradient to the length.
/// </summary>
internal sealed class MagFaceMargin(MagFace loss) : Margin(nameof(MagFaceMargin), loss.Gradient)
{
    public override Tensor? Regularizer(MarginInput input)
    {
        Tensor length = Length(input); // [B]
        return (length / (loss.Ua * loss.Ua) + length.reciprocal()) * loss.LambdaG;
    }

    protected override Tensor Psi(MarginInput input)
    {
        double growth = (loss.Um - loss.Lm) / (loss.Ua - loss.La); // Radians per unit of length.
        return AngularMargin.AddToAngle(input, (Length(input) - loss.La) * growth + loss.Lm, loss.Wrap);
    }

    private Tensor Length(MarginInput input) => input.Norm.clamp(loss.La, loss.Ua);
}
