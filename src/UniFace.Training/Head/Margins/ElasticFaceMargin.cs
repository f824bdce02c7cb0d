namespace UniFace.Training.Head.Margins;

/// <summary>
/// ElasticFace: the margin of each sample is drawn from a normal distribution, on the angle (Arc) or the cosine (Cos). With
/// <c>plus</c> the margins of a batch are assigned by rank: the smaller the target cosine, the larger the margin.
/// The draws are a function of the seed and the step, which are kept in a buffer.
/// </summary>
/// <param name="angular">True: added to the angle; false: subtracted from the cosine.</param>
/// <param name="mean">Mean of the margins.</param>
/// <param name="sigma">Standard deviation of the margins.</param>
/// <param name="plus">Assigns the margins by rank.</param>
/// <param name="wrap">What happens where theta + m exceeds pi.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
/// <param name="seed">Seed of the draws.</param>
public sealed class ElasticFaceMargin(bool angular, double mean, double sigma, bool plus, MarginWrap wrap, MarginGradient gradient, long seed)
    : Margin(nameof(ElasticFaceMargin), gradient, ("random", tensor(new long[] { seed, -1 })))
{
    /// <summary>Margins to use instead of drawn ones, one per sample of the batch; null: draw.</summary>
    public IReadOnlyList<double>? FixedMargins { get; set; }

    /// <inheritdoc/>
    public override void Update(MarginInput input) => get_buffer("random")![1].add_(1);

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor margins = Margins(input.TargetCosine.detach()); // [B]
        return angular ? AngularMargin.AddToAngle(input, margins, wrap) : input.TargetCosine - margins;
    }

    private Tensor Margins(Tensor cosine)
    {
        if (FixedMargins is not null)
        {
            return tensor(FixedMargins.ToArray(), dtype: cosine.dtype, device: cosine.device);
        }

        long[] state = get_buffer("random")!.cpu().data<long>().ToArray();
        using Generator generator = new(new SeededRandom(state[0], RandomStream.Margins, state[1]).NextBits(), CPU);
        Tensor drawn = randn([cosine.shape[0]], dtype: ScalarType.Float64, generator: generator); // [B]
        Tensor margins = (drawn * sigma + mean).to(cosine.dtype, cosine.device); // [B]
        return plus ? margins.scatter(0, cosine.argsort(0), margins.sort(0, descending: true).Values) : margins;
    }
}
