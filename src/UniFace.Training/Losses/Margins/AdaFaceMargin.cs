using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// AdaFace: the embedding's length, standardised by running statistics, says how good a picture is; a good one gets its margin
/// where it is hard, a bad one where it is easy: psi(c) = cos(theta - m * z) - (m + m * z), z in [-1, 1].
/// The length carries no gradient; all cosines are clamped to +-(1 - 1e-3), as the paper's code does.
/// </summary>
public sealed class AdaFaceMargin : Margin
{
    private const double Epsilon = 1e-3;
    private readonly double margin;
    private readonly double h;
    private readonly double alpha;

    /// <summary>AdaFace's margin.</summary>
    /// <param name="margin">m.</param>
    /// <param name="h">Concentration: z = 1 lies 1/h standard deviations above the mean length.</param>
    /// <param name="alpha">Share of the new batch in the running statistics.</param>
    /// <param name="gradient">How the gradient passes.</param>
    /// <param name="dtype">float32 or float64.</param>
    public AdaFaceMargin(double margin, double h, double alpha, MarginGradient gradient, ScalarType dtype)
        : base(nameof(AdaFaceMargin), gradient)
    {
        this.margin = margin;
        this.h = h;
        this.alpha = alpha;
        register_buffer("mean", OwnedTensors.Buffer(full([], 20.0, dtype: dtype)));
        register_buffer("deviation", OwnedTensors.Buffer(full([], 100.0, dtype: dtype)));
    }

    /// <inheritdoc/>
    public override void Observe(MarginInput input)
    {
        Tensor length = Length(input);
        get_buffer("mean")!.mul_(1 - alpha).add_(length.mean() * alpha);
        if (length.shape[0] > 1)
        {
            // One sample has no deviation: the running one stays.
            get_buffer("deviation")!.mul_(1 - alpha).add_(length.std() * alpha);
        }
    }

    /// <inheritdoc/>
    public override bool ChangesNonTarget => true;

    /// <inheritdoc/>
    public override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(cosines);
        return cosines.clamp(Epsilon - 1, 1 - Epsilon);
    }

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor z = ((Length(input) - get_buffer("mean")!) / (get_buffer("deviation")! + Epsilon) * h).clamp(-1, 1); // [B]
        Tensor cosine = input.TargetCosine.clamp(Epsilon - 1, 1 - Epsilon);
        return (Directions.Angle(cosine) - z * margin).clamp(Epsilon, Math.PI - Epsilon).cos() - (z + 1) * margin;
    }

    private static Tensor Length(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Norm.detach().clamp(1e-3, 100);
    }
}
