using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// AdaCos: s = ln(mean over the batch of sum over the others of e^(s * c)) / cos(min(pi / 4, median target angle)), of the scale before;
/// s starts at sqrt(2) * ln(C - 1). The median is the lower one. s is updated before it is used.
/// </summary>
public sealed class AdaptiveScale : LogitScale
{
    /// <summary>Below this the loss would reward the wrong class.</summary>
    private const double Smallest = 1e-2;

    private readonly bool dynamic;

    /// <summary>AdaCos's scale.</summary>
    /// <param name="classes">C, at least 3.</param>
    /// <param name="dynamic">False: fixed AdaCos, which keeps the start.</param>
    /// <param name="dtype">float32 or float64.</param>
    public AdaptiveScale(int classes, bool dynamic, ScalarType dtype)
        : base(nameof(AdaptiveScale))
    {
        this.dynamic = dynamic;
        register_buffer("s", OwnedTensors.Buffer(full([], Math.Sqrt(2) * Math.Log(classes - 1), dtype: dtype)));
    }

    /// <inheritdoc/>
    public override void Observe(Tensor cosines, Tensor targetCosine, Tensor columns)
    {
        ArgumentNullException.ThrowIfNull(cosines);
        ArgumentNullException.ThrowIfNull(targetCosine);
        ArgumentNullException.ThrowIfNull(columns);
        if (!dynamic)
        {
            return;
        }

        Tensor s = get_buffer("s")!;
        Tensor index = columns.unsqueeze(1); // [B, 1]
        Tensor others = (cosines * s).scatter(1, index, full(index.shape, double.NegativeInfinity, dtype: cosines.dtype, device: cosines.device)); // [B, R]
        Tensor mean = others.flatten().logsumexp(0) - Math.Log(cosines.shape[0]); // ln B_avg
        Tensor median = targetCosine.acos().median();
        s.copy_((mean / median.clamp_max(Math.PI / 4).cos()).clamp_min(Smallest));
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor similarities, Tensor norm)
    {
        ArgumentNullException.ThrowIfNull(similarities);
        return similarities * get_buffer("s")!.clone();
    }
}
