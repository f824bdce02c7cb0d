using UniFace.Training.Native;
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

    /// <summary>AdaCos's scale.</summary>
    /// <param name="classes">C, at least 3.</param>
    /// <param name="dynamic">False: fixed AdaCos, which keeps the start.</param>
    /// <param name="dtype">float32 or float64.</param>
    public AdaptiveScale(int classes, bool dynamic, ScalarType dtype)
        : base(nameof(AdaptiveScale))
    {
        Dynamic = dynamic;
        register_buffer("s", OwnedTensors.Buffer(full([], Math.Sqrt(2) * Math.Log(classes - 1), dtype: dtype)));
    }

    internal bool Dynamic { get; }

    /// <inheritdoc/>
    public override CosineObserver? Observe() => Dynamic ? new Observer(get_buffer("s")!) : null;

    /// <inheritdoc/>
    public override Tensor Factor(Tensor norm) => get_buffer("s")!.view(1, 1);

    private sealed class Observer(Tensor s) : CosineObserver
    {
        private readonly RunningLogSumExp others = new(1, s.dtype, s.device);
        private long samples;

        public override void See(Tensor cosines)
        {
            ArgumentNullException.ThrowIfNull(cosines);
            samples = cosines.shape[0];
            others.Add((cosines * s).view(1, -1));
        }

        public override void End(Tensor targetCosine)
        {
            ArgumentNullException.ThrowIfNull(targetCosine);
            Tensor mean = others.Value.squeeze() - Math.Log(samples); // ln B_avg
            Tensor median = targetCosine.acos().median();
            s.copy_((mean / median.clamp_max(Math.PI / 4).cos()).clamp_min(Smallest));
        }
    }
}
