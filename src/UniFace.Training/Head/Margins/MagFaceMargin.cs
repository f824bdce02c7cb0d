namespace UniFace.Training.Head.Margins;

/// <summary>
/// MagFace: an angular margin that grows with the length a of the embedding, from <c>lm</c> at <c>la</c> to <c>um</c> at <c>ua</c>, and a
/// regularizer g(a) = a / ua^2 + 1 / a that rewards length. Both carry a gradient to the length, which becomes a measure of quality.
/// </summary>
/// <param name="la">Lower bound of the length.</param>
/// <param name="ua">Upper bound of the length.</param>
/// <param name="lm">Margin at the lower bound, in radians.</param>
/// <param name="um">Margin at the upper bound, in radians.</param>
/// <param name="lambda">Factor on the regularizer.</param>
/// <param name="wrap">What happens where theta + m exceeds pi; easy in the paper's code.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
internal sealed class MagFaceMargin(double la, double ua, double lm, double um, double lambda, MarginWrap wrap, MarginGradient gradient)
    : Margin(nameof(MagFaceMargin), gradient)
{
    public override Tensor? Regularizer(MarginInput input)
    {
        Tensor length = Length(input); // [B]
        return (length / (ua * ua) + length.reciprocal()) * lambda;
    }

    protected override Tensor Psi(MarginInput input) =>
        AngularMargin.AddToAngle(input, (Length(input) - la) * ((um - lm) / (ua - la)) + lm, wrap);

    private Tensor Length(MarginInput input) => input.Norm.clamp(la, ua);
}
