namespace UniFace.Training.Head.Objectives;

/// <summary>
/// AdaCos: s = ln(mean over the batch of the sum over the other classes of e^(s * c)) / cos(min(pi / 4, median target angle)), where the
/// s on the right is the previous one, initially sqrt(2) * ln(C - 1). The median is the lower one. s is updated before it is used.
/// </summary>
internal sealed class AdaptiveSoftmax : SoftmaxObjective
{
    /// <summary>Below this, the loss would reward the wrong class.</summary>
    private const double MinScale = 1e-2;

    /// <summary>AdaCos's objective.</summary>
    /// <param name="classes">C, at least 3.</param>
    /// <param name="dynamic">False: fixed AdaCos, which keeps the initial s.</param>
    /// <param name="dtype">float32 or float64.</param>
    public AdaptiveSoftmax(int classes, bool dynamic, ScalarType dtype)
        : base(scale: 1)
    {
        UpdatesPerBatch = dynamic;
        register_buffer("s", OwnedTensors.Buffer(full([], Math.Sqrt(2) * Math.Log(classes - 1), dtype: dtype)));
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
