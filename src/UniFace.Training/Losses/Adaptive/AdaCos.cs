namespace UniFace.Training.Losses;

/// <summary>AdaCos: the scale is computed from the cosines of each batch (Zhang et al., CVPR 2019).</summary>
[Loss("adacos", "NormFace with a scale that adapts to the training.", "Zhang et al., AdaCos, CVPR 2019", MinimumClasses = 3)]
public sealed class AdaCos : Loss
{
    /// <summary>Updates the scale in every step; otherwise it stays at sqrt(2) * ln(C - 1).</summary>
    [Hyperparameter("Updates the scale in every step; otherwise it stays at sqrt(2) * ln(C - 1).")]
    public bool Dynamic { get; init; } = true;

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new AdaCosObjective(this, shape);
}

/// <summary>
/// s = ln(mean over the batch of the sum over the other classes of e^(s * c)) / cos(min(pi / 4, median target angle)), where the s on
/// the right is the previous one, initially sqrt(2) * ln(C - 1), and s is at least 0.01. The median is the lower one. s is updated before it is used.
/// </summary>
internal sealed class AdaCosObjective : SoftmaxObjective
{
    /// <summary>Below this, the loss would reward the wrong class.</summary>
    private const double MinScale = 1e-2;

    public AdaCosObjective(AdaCos loss, HeadShape shape)
        : base(scale: 1)
    {
        UpdatesPerBatch = loss.Dynamic;
        register_buffer("s", OwnedTensors.Buffer(full([], Math.Sqrt(2) * Math.Log(shape.Classes - 1), dtype: shape.Dtype)));
    }

    public override bool UpdatesPerBatch { get; }

    public override Tensor Scale(Tensor norm) => get_buffer("s")!.view(1, 1);

    public override void Update(Tensor logSumExp, Tensor targetCosine)
    {
        Tensor mean = logSumExp.view(-1).logsumexp(0) - Math.Log(logSumExp.shape[0]); // ln B_avg
        Tensor median = targetCosine.acos().median();
        get_buffer("s")!.copy_((mean / median.clamp_max(Math.PI / 4).cos()).clamp_min(MinScale));
    }
}
