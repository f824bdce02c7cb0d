using TorchSharp.Utils;

namespace UniFace.Training.Backbones;

/// <summary>Batch normalization over [B, C] or [B, C, H, W] (Ioffe and Szegedy 2015), with a learned scale and shift.</summary>
internal sealed class BatchNorm : NormLayer
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    [ComponentName(Name = "running_mean")]
    private readonly Tensor runningMean;

    [ComponentName(Name = "running_var")]
    private readonly Tensor runningVariance;

    public BatchNorm(int channels)
        : base("batchnorm")
    {
        weight = WeightInitializer.Constant(channels, 1);
        bias = WeightInitializer.Constant(channels, 0);
        runningMean = OwnedTensors.Buffer(zeros(channels, dtype: ScalarType.Float32));
        runningVariance = OwnedTensors.Buffer(ones(channels, dtype: ScalarType.Float32));
        RegisterComponents();
    }

    /// <summary>Share of a batch's statistics in the running ones.</summary>
    public double Momentum { get; set; } = 0.1;

    /// <summary>True: keeps its running statistics and normalizes by them while training too.</summary>
    public bool Frozen { get; set; }

    /// <summary>The processes over whose batches it takes its statistics while training; null for this process's batch alone.</summary>
    public ICommunicator? Synchronized { get; set; }

    /// <summary>The shift, [C]: after <see cref="Neutralize"/>, all that the layer adds.</summary>
    public Parameter Bias => bias;

    public override Tensor Run(Tensor input, GradientEngine engine, PRelu? activation, Tensor? residual) => engine.Normalize(
        input,
        new NormState(weight, bias, runningMean, runningVariance, Momentum, training && !Frozen) { Synchronized = Synchronized },
        activation?.Slope,
        residual);

    public override string Emit(OnnxGraph graph, string input) =>
        graph.BatchNormalization(input, weight, bias, runningMean, runningVariance, NormState.Epsilon);

    public override void Load(OnnxWeights weights) => weights.Next("BatchNormalization", weight, bias, runningMean, runningVariance);

    /// <summary>Makes it the identity in evaluation mode: its factors are in the layer before it.</summary>
    public void Neutralize()
    {
        using IDisposable noGradient = no_grad();
        weight.fill_(1);
        bias.fill_(0);
        runningMean.fill_(0);
        runningVariance.fill_(1 - NormState.Epsilon);
    }

    /// <summary>Changes the statistics, and the scale and shift so that the layer does the same in evaluation mode.</summary>
    /// <param name="mean">Mean of the layer's inputs, [C].</param>
    /// <param name="variance">Their variance, [C].</param>
    public void SetStatistics(Tensor mean, Tensor variance)
    {
        using NoGradScope scope = new();
        (Tensor scale, Tensor shift) = Affine();
        weight.copy_(scale * (Double(variance) + NormState.Epsilon).sqrt());
        bias.copy_(shift + (scale * Double(mean)));
        runningMean.copy_(mean);
        runningVariance.copy_(variance);
    }

    /// <summary>The layer in evaluation mode as y = scale * x + shift: two float64 tensors, [C], on the CPU.</summary>
    public (Tensor Scale, Tensor Shift) Affine()
    {
        using NoGradScope scope = new();
        Tensor scale = Double(weight) / (Double(runningVariance) + NormState.Epsilon).sqrt(); // [C]
        Tensor shift = Double(bias) - (Double(runningMean) * scale); // [C]
        return (scale.MoveToOuterDisposeScope(), shift.MoveToOuterDisposeScope());
    }

    /// <summary>A tensor as float64 on the CPU.</summary>
    public static Tensor Double(Tensor tensor) => tensor.detach().to(ScalarType.Float64, CPU);
}
