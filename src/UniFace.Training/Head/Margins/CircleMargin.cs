namespace UniFace.Training.Head.Margins;

/// <summary>
/// Circle loss at class level: each similarity is weighted by its distance from its optimum,
/// psi(c) = [1 + m - c]+ * (c - (1 - m)), phi(c) = [c + m]+ * (c - m). The weights carry no gradient.
/// </summary>
/// <param name="margin">m, the radius of the circle.</param>
internal sealed class CircleMargin(double margin) : Margin(nameof(CircleMargin))
{
    public override bool ChangesNonTarget => true;

    public override Tensor NonTarget(Tensor cosines, MarginInput input) => (cosines.detach() + margin).clamp_min(0) * (cosines - margin);

    protected override Tensor Psi(MarginInput input) =>
        (1 + margin - input.TargetCosine.detach()).clamp_min(0) * (input.TargetCosine - (1 - margin));
}
