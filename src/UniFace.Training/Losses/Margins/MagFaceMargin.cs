using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// MagFace: a margin on the angle that grows with the embedding's length a from <c>lm</c> at <c>la</c> to <c>um</c> at <c>ua</c>,
/// and a regulariser g(a) = a / ua^2 + 1 / a that rewards length. Both send a gradient into the length, so that it becomes a quality.
/// </summary>
public sealed class MagFaceMargin : Margin
{
    private readonly double la;
    private readonly double ua;
    private readonly double lm;
    private readonly double um;
    private readonly double lambda;
    private readonly MarginWrap wrap;

    /// <summary>MagFace's margin.</summary>
    /// <param name="la">Shortest length that counts.</param>
    /// <param name="ua">Longest length that counts.</param>
    /// <param name="lm">Margin at the shortest, radians.</param>
    /// <param name="um">Margin at the longest, radians.</param>
    /// <param name="lambda">Factor on the regulariser.</param>
    /// <param name="wrap">What happens where theta + m passes pi; easy in the paper's code.</param>
    /// <param name="gradient">How the gradient passes.</param>
    public MagFaceMargin(double la, double ua, double lm, double um, double lambda, MarginWrap wrap, MarginGradient gradient)
        : base(nameof(MagFaceMargin), gradient)
    {
        this.la = la;
        this.ua = ua;
        this.lm = lm;
        this.um = um;
        this.lambda = lambda;
        this.wrap = wrap;
    }

    /// <inheritdoc/>
    public override Tensor? Regulariser(MarginInput input)
    {
        Tensor length = Length(input); // [B]
        return (length / (ua * ua) + length.reciprocal()) * lambda;
    }

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor margin = (Length(input) - la) * ((um - lm) / (ua - la)) + lm; // [B]
        return AngularMargin.Add(input, margin, wrap);
    }

    private Tensor Length(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Norm.clamp(la, ua);
    }
}
