namespace UniFace.Training.Losses;

/// <summary>AdaCos: the scale is computed from the cosines of each batch (Zhang et al., CVPR 2019).</summary>
[Loss("adacos", "NormFace with a scale that adapts to the training.", "Zhang et al., AdaCos, CVPR 2019", MinimumClasses = 3)]
public sealed class AdaCos : Loss
{
    /// <summary>Updates the scale in every step; otherwise it stays at sqrt(2) * ln(C - 1).</summary>
    [Hyperparameter("Updates the scale in every step; otherwise it stays at sqrt(2) * ln(C - 1).")]
    public bool Dynamic { get; init; } = true;

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new AdaptiveSoftmax(shape.Classes, Dynamic, shape.Dtype);
}
