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
    [Hyperparameter("Margin at the lower bound, in radians.", 0, 1.5, Hardens = true)]
    public double Lm { get; init; } = 0.45;

    /// <summary>Margin at the upper bound, 0 to 1.5 radians.</summary>
    [Hyperparameter("Margin at the upper bound, in radians.", 0, 1.5, Hardens = true)]
    public double Um { get; init; } = 0.8;

    /// <summary>Factor on the regularizer that rewards length, 0 to 10,000.</summary>
    [Hyperparameter("Factor on the regularizer that rewards length.", 0, 10_000)]
    public double LambdaG { get; init; } = 35;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        if (Ua <= La)
        {
            throw new UniFaceException(FormattableString.Invariant($"loss 'magface': ua = {Ua} must be above la = {La} (usual: la 10, ua 110)."));
        }
    }

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new MagFaceMargin(La, Ua, Lm, Um, LambdaG, Wrap, Gradient);
}
