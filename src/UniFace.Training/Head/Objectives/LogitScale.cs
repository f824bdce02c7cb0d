using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Head.Objectives;

/// <summary>The factor that makes softmax logits of similarities.</summary>
internal abstract class LogitScale(string name) : nn.Module(name)
{
    /// <summary>True if the factor is the length of the embedding, which then has a gradient.</summary>
    public virtual bool IsNorm => false;

    /// <summary>See <see cref="Objective.CreateObserver"/>.</summary>
    public virtual CosineObserver? CreateObserver() => null;

    /// <summary>The factor of each sample, [B, 1] or [1, 1], given the lengths of the embeddings, [B].</summary>
    public abstract Tensor Factor(Tensor norm);
}

/// <summary>A constant s.</summary>
internal sealed class FixedScale(double scale) : LogitScale(nameof(FixedScale))
{
    /// <summary>The factor as a tensor of the type and device of another, [1, 1].</summary>
    public static Tensor Create(double scale, Tensor like) => full([1, 1], scale, dtype: like.dtype, device: like.device);

    public override Tensor Factor(Tensor norm) => Create(scale, norm);
}

/// <summary>The length of the embedding itself: SphereFace, where only the centers are normalized.</summary>
internal sealed class NormScale() : LogitScale(nameof(NormScale))
{
    public override bool IsNorm => true;

    public override Tensor Factor(Tensor norm) => norm.unsqueeze(1);
}

/// <summary>
/// AdaCos: s = ln(mean over the batch of the sum over the other classes of e^(s * c)) / cos(min(pi / 4, median target angle)), where the
/// s on the right is the previous one, initially sqrt(2) * ln(C - 1). The median is the lower one. s is updated before it is used.
/// </summary>
internal sealed class AdaptiveScale : LogitScale
{
    /// <summary>Below this, the loss would reward the wrong class.</summary>
    private const double Smallest = 1e-2;

    /// <summary>AdaCos's scale.</summary>
    /// <param name="classes">C, at least 3.</param>
    /// <param name="dynamic">False: fixed AdaCos, which keeps the initial s.</param>
    /// <param name="dtype">float32 or float64.</param>
    public AdaptiveScale(int classes, bool dynamic, ScalarType dtype)
        : base(nameof(AdaptiveScale))
    {
        Dynamic = dynamic;
        register_buffer("s", OwnedTensors.Buffer(full([], Math.Sqrt(2) * Math.Log(classes - 1), dtype: dtype)));
    }

    public bool Dynamic { get; }

    public override CosineObserver? CreateObserver() => Dynamic ? new Observer(get_buffer("s")!) : null;

    public override Tensor Factor(Tensor norm) => get_buffer("s")!.view(1, 1);

    private sealed class Observer(Tensor s) : CosineObserver
    {
        private readonly RunningLogSumExp others = new(1, s.dtype, s.device);
        private long samples;

        public override void Add(Tensor cosines)
        {
            samples = cosines.shape[0];
            others.Add((cosines * s).view(1, -1));
        }

        public override void Complete(Tensor targetCosine)
        {
            Tensor mean = others.Value.squeeze() - Math.Log(samples); // ln B_avg
            Tensor median = targetCosine.acos().median();
            s.copy_((mean / median.clamp_max(Math.PI / 4).cos()).clamp_min(Smallest));
        }
    }
}
