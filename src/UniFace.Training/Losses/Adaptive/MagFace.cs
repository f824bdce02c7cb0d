using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;

namespace UniFace.Training.Losses;

/// <summary>MagFace: the margin grows with the embedding's length (Meng et al., CVPR 2021).</summary>
[Loss("magface", "ArcFace whose margin grows with the embedding's length, which becomes the picture's quality.", "Meng et al., MagFace, CVPR 2021")]
public sealed class MagFace : Loss
{
    /// <summary>Shortest length that counts, above 0 and up to 1,000.</summary>
    [Hyperparameter("Shortest length that counts.", 0, 1000, MinimumExcluded = true)]
    public double La { get; init; } = 10;

    /// <summary>Longest length that counts, above <see cref="La"/> and up to 10,000.</summary>
    [Hyperparameter("Longest length that counts; more than la.", 0, 10_000, MinimumExcluded = true)]
    public double Ua { get; init; } = 110;

    /// <summary>Margin at the shortest length, 0 to 1.5 radians.</summary>
    [Hyperparameter("Margin at the shortest length, in radians.", 0, 1.5, Hardens = true)]
    public double Lm { get; init; } = 0.45;

    /// <summary>Margin at the longest length, 0 to 1.5 radians.</summary>
    [Hyperparameter("Margin at the longest length, in radians.", 0, 1.5, Hardens = true)]
    public double Um { get; init; } = 0.8;

    /// <summary>Factor on the regulariser that rewards length, 0 to 10,000.</summary>
    [Hyperparameter("Factor on the regulariser that rewards length.", 0, 10_000)]
    public double LambdaG { get; init; } = 35;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <summary>What happens where the angle plus the margin passes pi.</summary>
    [Wrap]
    public MarginWrap Wrap { get; init; } = MarginWrap.Easy;

    /// <summary>How the gradient passes the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

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

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => Softmax(Scale);
}
