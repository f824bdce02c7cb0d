namespace UniFace.Training.Losses;

/// <summary>AdaFace: the margin adapts to image quality (Kim, Jain and Liu, CVPR 2022).</summary>
[Loss(
    "adaface",
    "A margin that adapts to image quality, given by the embedding's length: angular for poor images, on the cosine for good ones.",
    "Kim, Jain and Liu, AdaFace, CVPR 2022")]
public sealed class AdaFace : Loss
{
    /// <summary>m, 0 to 1.5.</summary>
    [Hyperparameter("m.", 0, 1.5, Usual = "0.4", Hardens = true)]
    public double Margin { get; init; } = 0.4;

    /// <summary>Concentration: the margin changes within 1 / h standard deviations of the length; 0 to 10.</summary>
    [Hyperparameter("Concentration: the margin changes within 1 / h standard deviations of the length.", 0, 10, Usual = "0.333")]
    public double H { get; init; } = 0.333;

    /// <summary>Weight of the new batch in the running mean and deviation of the length; 0 to 1.</summary>
    [Hyperparameter("Weight of the new batch in the running mean and deviation of the length.", 0, 1, Usual = "0.01")]
    public double TAlpha { get; init; } = 0.01;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new AdaFaceMargin(Margin, H, TAlpha, Gradient, shape.Dtype);
}
