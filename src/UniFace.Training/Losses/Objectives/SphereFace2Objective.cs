using TorchSharp.Modules;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// SphereFace2: binary cross-entropy with one bias for all classes and its own weights,
/// (lw / r) * [alpha * softplus(-(r * psi + b)) + (1 - alpha) * sum over the others of softplus(r * phi + b)].
/// </summary>
public sealed class SphereFace2Objective : Objective
{
    private readonly double scale;
    private readonly double alpha;
    private readonly double factor;
    private readonly double t;

    /// <summary>SphereFace2's objective.</summary>
    /// <param name="classes">C, for the bias's start.</param>
    /// <param name="scale">r.</param>
    /// <param name="alpha">Weight of the target, in (0, 1).</param>
    /// <param name="factor">lw.</param>
    /// <param name="margin">m of the margin before it, for the bias's start.</param>
    /// <param name="t">t of the margin before it, for the bias's start and the threshold.</param>
    /// <param name="dtype">float32 or float64.</param>
    public SphereFace2Objective(int classes, double scale, double alpha, double factor, double margin, double t, ScalarType dtype)
        : base(nameof(SphereFace2Objective))
    {
        this.scale = scale;
        this.alpha = alpha;
        this.factor = factor;
        this.t = t;
        register_parameter("bias", OwnedTensors.Parameter(full(1, Start(classes, scale, alpha, margin, t), dtype: dtype)));
    }

    /// <summary>b, [1]; added to the logits, where the unified loss subtracts its own.</summary>
    public Parameter Bias => get_parameter("bias")!;

    /// <summary>The cosine whose stretched similarity gives logit 0, within [-1, 1].</summary>
    public override double? Threshold => 2 * Math.Pow((Math.Clamp(-OwnedTensors.Value(Bias) / scale, -1, 1) + 1) / 2, 1 / t) - 1;

    internal BinaryTerms Terms => new()
    {
        Scale = scale,
        Positive = alpha * factor / scale,
        Negative = (1 - alpha) * factor / scale,
        Bias = Bias,
        Sign = -1,
    };

    /// <inheritdoc/>
    public override double TargetWeight => Terms.Positive;

    /// <inheritdoc/>
    public override Tensor LogitFactor(Tensor norm) => Terms.Factor(norm);

    /// <inheritdoc/>
    public override ObjectiveStep Begin(ObjectiveBatch batch) => Terms.Begin(batch);

    /// <summary>The bias at which the two parts balance for orthogonal vectors (Wen et al., ICLR 2022, appendix).</summary>
    private static double Start(int classes, double r, double alpha, double margin, double t)
    {
        double z = alpha / ((1 - alpha) * (classes - 1));
        double own = r * (2 * Math.Pow(0.5, t) - 1 - margin);
        double other = r * (2 * Math.Pow(0.5, t) - 1 + margin);
        double root = Math.Sqrt((1 - z) * (1 - z) + 4 * z * Math.Exp(own - other));

        // ln(1 - z + root), which cancels for z above 1.
        double log = z <= 1 ? Math.Log(1 - z + root) : Math.Log(4 * z) + own - other - Math.Log(root + z - 1);
        return Math.Log(2 * z) - other - log;
    }
}
