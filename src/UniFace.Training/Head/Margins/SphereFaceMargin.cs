namespace UniFace.Training.Head.Margins;

/// <summary>
/// SphereFace's target during training: (lambda * c + psi(c)) / (1 + lambda). lambda falls from <c>start</c> to <c>floor</c> as
/// start / (1 + decay * step), which introduces the margin slowly.
/// </summary>
/// <param name="m">Factor on the angle, at least 1.</param>
/// <param name="floor">The final lambda.</param>
/// <param name="start">The lambda of the first step; no annealing if it is not above the floor.</param>
/// <param name="decay">How fast lambda falls.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
internal sealed class SphereFaceMargin(double m, double floor, double start, double decay, MarginGradient gradient)
    : Margin(nameof(SphereFaceMargin), gradient, ("step", tensor(-1L)))
{
    public override void Update(MarginInput input) => get_buffer("step")!.add_(1);

    protected override Tensor Psi(MarginInput input)
    {
        double lambda = Math.Max(floor, start / (1 + decay * OwnedTensors.Value(get_buffer("step")!)));
        return (input.TargetCosine * lambda + SphereMargin.Fold(input.TargetAngle * m)) / (1 + lambda);
    }
}
