namespace UniFace.Training.Losses;

/// <summary>ElasticFace: a random margin per sample (Boutros et al., CVPR Workshops 2022).</summary>
public abstract class ElasticFace : ScaledSoftmaxLoss
{
    /// <summary>Standard deviation of the margins, 0 to 0.5.</summary>
    [Hyperparameter("Standard deviation of the margins.", 0, 0.5, Typical = "0.0125 to 0.05")]
    public double Sigma { get; init; } = 0.05;

    /// <summary>ElasticFace+: assigns the margins of a batch by rank, the largest to the smallest target cosine.</summary>
    [Hyperparameter("ElasticFace+: assigns the margins of a batch by rank, the largest to the smallest target cosine.")]
    public bool Plus { get; init; }
}

/// <summary>ElasticFace-Arc: a random angular margin per sample (Boutros et al., CVPR Workshops 2022).</summary>
[Loss("elasticface-arc", "ArcFace with a random margin per sample.", "Boutros et al., ElasticFace, CVPR Workshops 2022")]
public sealed class ElasticArcFace : ElasticFace
{
    /// <summary>m, the mean of what is added to the target angle, 0 to 1.5 radians.</summary>
    [MarginOnAngle]
    public double Margin { get; init; } = 0.5;

    /// <summary>What happens where the angle plus the margin exceeds pi.</summary>
    [Wrap]
    public MarginWrap Wrap { get; init; } = MarginWrap.Guard;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) =>
        new ElasticFaceMargin(this, Margin, (input, margins) => AngularMargin.AddToAngle(input, margins, Wrap), Gradient, shape.Seed);
}

/// <summary>ElasticFace-Cos: a random cosine margin per sample (Boutros et al., CVPR Workshops 2022).</summary>
[Loss("elasticface-cos", "CosFace with a random margin per sample.", "Boutros et al., ElasticFace, CVPR Workshops 2022")]
public sealed class ElasticCosFace : ElasticFace
{
    /// <summary>m, the mean of what is subtracted from the target cosine, 0 to 1.5.</summary>
    [MarginOnCosine]
    public double Margin { get; init; } = 0.35;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) =>
        new ElasticFaceMargin(this, Margin, (input, margins) => input.TargetCosine - margins, MarginGradient.Chain, shape.Seed);
}

/// <summary>
/// Draws the margin of each sample from a normal distribution. With <see cref="ElasticFace.Plus"/> the margins of a batch are assigned by
/// rank: the smaller the target cosine, the larger the margin. The draws are a function of the seed and the step, which are kept in a buffer.
/// </summary>
/// <param name="loss">The loss.</param>
/// <param name="mean">Mean of the margins.</param>
/// <param name="withMargins">Applies one margin per sample, [B], to the target cosines.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
/// <param name="seed">Seed of the draws.</param>
internal sealed class ElasticFaceMargin(
    ElasticFace loss, double mean, Func<MarginInput, Tensor, Tensor> withMargins, MarginGradient gradient, long seed)
    : Margin(nameof(ElasticFaceMargin), gradient, ("random", tensor(new long[] { seed, -1 })))
{
    /// <summary>Margins to use instead of drawn ones, one per sample of the batch; null: draw.</summary>
    public IReadOnlyList<double>? FixedMargins { get; set; }

    public override void Update(MarginInput input) => get_buffer("random")![1].add_(1);

    protected override Tensor Psi(MarginInput input) => withMargins(input, Margins(input.TargetCosine.detach()));

    private Tensor Margins(Tensor cosine)
    {
        if (FixedMargins is not null)
        {
            return tensor(FixedMargins.ToArray(), dtype: cosine.dtype, device: cosine.device);
        }

        long[] state = get_buffer("random")!.cpu().data<long>().ToArray();
        using Generator generator = new(new SeededRandom(state[0], RandomStream.Margins, state[1]).NextBits(), CPU);
        Tensor drawn = randn([cosine.shape[0]], dtype: ScalarType.Float64, generator: generator); // [B]
        Tensor margins = (drawn * loss.Sigma + mean).to(cosine.dtype, cosine.device); // [B]
        return loss.Plus ? margins.scatter(0, cosine.argsort(0), margins.sort(0, descending: true).Values) : margins;
    }
}
