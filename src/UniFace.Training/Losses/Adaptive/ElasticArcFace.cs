namespace UniFace.Training.Losses;

/// <summary>ElasticFace-Arc: a random angular margin per sample (Boutros et al., CVPR Workshops 2022).</summary>
[Loss("elasticface-arc", "ArcFace with a random margin per sample.", "Boutros et al., ElasticFace, CVPR Workshops 2022")]
public sealed class ElasticArcFace : AngularMarginLoss
{
    /// <summary>m, added to the target angle, 0 to 1.5 radians.</summary>
    [AngularMargin]
    public double Margin { get; init; } = 0.5;

    /// <summary>Standard deviation of the margins, 0 to 0.5.</summary>
    [Hyperparameter("Standard deviation of the margins.", 0, 0.5, Usual = "0.0125 to 0.05")]
    public double Sigma { get; init; } = 0.05;

    /// <summary>ElasticFace+: assigns the margins of a batch by rank, the largest to the smallest target cosine.</summary>
    [Hyperparameter("ElasticFace+: assigns the margins of a batch by rank, the largest to the smallest target cosine.")]
    public bool Plus { get; init; }

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) =>
        new ElasticFaceMargin(true, Margin, Sigma, Plus, Wrap, Gradient, shape.Seed);
}
