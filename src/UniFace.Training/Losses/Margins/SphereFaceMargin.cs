using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// SphereFace's target as it is trained: (lambda * c + psi(c)) / (1 + lambda), where lambda falls from
/// <c>start</c> to its floor as start / (1 + decay * step), so that the margin comes in slowly.
/// </summary>
public sealed class SphereFaceMargin : Margin
{
    private readonly double m;
    private readonly double floor;
    private readonly double start;
    private readonly double decay;

    /// <summary>SphereFace's margin.</summary>
    /// <param name="m">Factor on the angle, at least 1.</param>
    /// <param name="floor">The lambda that is reached in the end.</param>
    /// <param name="start">The lambda before the first step; no more than the floor: no annealing.</param>
    /// <param name="decay">How fast it falls.</param>
    /// <param name="gradient">How the gradient passes.</param>
    public SphereFaceMargin(double m, double floor, double start, double decay, MarginGradient gradient)
        : base(nameof(SphereFaceMargin), gradient)
    {
        this.m = m;
        this.floor = floor;
        this.start = start;
        this.decay = decay;
        register_buffer("step", OwnedTensors.Buffer(tensor(-1L)));
    }

    /// <inheritdoc/>
    public override void Observe(MarginInput input) => get_buffer("step")!.add_(1);

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor cosine = input.TargetCosine;
        double step = OwnedTensors.Value(get_buffer("step")!);
        double lambda = Math.Max(floor, start / (1 + decay * step));
        return (cosine * lambda + SphereMargin.Fold(input.TargetAngle * m)) / (1 + lambda);
    }
}
