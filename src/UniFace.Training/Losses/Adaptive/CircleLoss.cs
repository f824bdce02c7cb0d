namespace UniFace.Training.Losses;

/// <summary>Circle loss at class level (Sun et al., CVPR 2020).</summary>
[Loss("circle", "Weights each similarity by its distance from its optimum.", "Sun et al., Circle Loss, CVPR 2020")]
public sealed class CircleLoss : Loss
{
    /// <summary>m, the circle's radius: targets aim above 1 - m, others below m; 0 to 1.</summary>
    [Hyperparameter("m, the circle's radius: targets aim above 1 - m, others below m.", 0, 1, Usual = "0.25", Hardens = true)]
    public double Margin { get; init; } = 0.25;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale(Usual = "64 to 256")]
    public double Scale { get; init; } = 256;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new CircleMargin(Margin);
}
