using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;

namespace UniFace.Training.Losses;

/// <summary>AdaCos: the scale follows from the cosines of each batch (Zhang et al., CVPR 2019).</summary>
[Loss("adacos", "NormFace whose scale follows the training by itself.", "Zhang et al., AdaCos, CVPR 2019", MinimumClasses = 3)]
public sealed class AdaCos : Loss
{
    /// <summary>Updates the scale at every step; else it stays at sqrt(2) * ln(C - 1).</summary>
    [Hyperparameter("Updates the scale at every step; else it stays at sqrt(2) * ln(C - 1).")]
    public bool Dynamic { get; init; } = true;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new NoMargin();

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new SoftmaxObjective(new AdaptiveScale(shape.Classes, Dynamic, shape.Dtype));
}
