using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// Circle loss, class level: each similarity weighs as much as it is far from its optimum,
/// psi(c) = [1 + m - c]+ * (c - (1 - m)), phi(c) = [c + m]+ * (c - m), the weights without a gradient.
/// </summary>
public sealed class CircleMargin : Margin
{
    private readonly double margin;

    /// <summary>Circle loss's weights and offsets.</summary>
    /// <param name="margin">m, the circle's radius.</param>
    public CircleMargin(double margin)
        : base(nameof(CircleMargin)) => this.margin = margin;

    /// <inheritdoc/>
    public override bool ChangesNonTarget => true;

    /// <inheritdoc/>
    public override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(cosines);
        return (cosines.detach() + margin).clamp_min(0) * (cosines - margin);
    }

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor cosine = input.TargetCosine;
        return (1 + margin - cosine.detach()).clamp_min(0) * (cosine - (1 - margin));
    }
}
