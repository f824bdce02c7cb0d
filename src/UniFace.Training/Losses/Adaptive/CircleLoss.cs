namespace UniFace.Training.Losses;

/// <summary>Circle loss at class level (Sun et al., CVPR 2020).</summary>
[Loss("circle", "Weights each similarity by its distance from its optimum.", "Sun et al., Circle Loss, CVPR 2020")]
public sealed class CircleLoss : Loss
{
    /// <summary>m, the circle's radius: targets aim above 1 - m, others below m; 0 to 1.</summary>
    [Hyperparameter("m, the circle's radius: targets aim above 1 - m, others below m.", 0, 1, Typical = "0.25", LowerIfDiverging = true)]
    public double Margin { get; init; } = 0.25;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale(Typical = "64 to 256")]
    public double Scale { get; init; } = 256;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new CircleMargin(Margin);

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new SoftmaxObjective(Scale);
}

/// <summary>psi(c) = [1 + m - c]+ * (c - (1 - m)), phi(c) = [c + m]+ * (c - m). The weights in brackets carry no gradient.</summary>
internal sealed class CircleMargin(double m) : Margin(nameof(CircleMargin))
{
    public override bool ChangesNonTarget => true;

    public override Tensor NonTarget(Tensor cosines, MarginInput input) => (cosines.detach() + m).clamp_min(0) * (cosines - m);

    protected override Tensor Psi(MarginInput input) => (1 + m - input.TargetCosine.detach()).clamp_min(0) * (input.TargetCosine - (1 - m));
}
