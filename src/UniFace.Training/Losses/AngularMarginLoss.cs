namespace UniFace.Training.Losses;

/// <summary>A softmax loss with a margin on the target angle.</summary>
public abstract class AngularMarginLoss : ScaledSoftmaxLoss
{
    /// <summary>What happens where the angle plus the margin exceeds pi.</summary>
    [Wrap]
    public MarginWrap Wrap { get; init; } = MarginWrap.Guard;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;
}
