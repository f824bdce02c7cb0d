using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// ElasticFace: each sample's margin is drawn anew from a normal distribution, on the angle (Arc) or the cosine (Cos).
/// With <c>plus</c> a batch's margins go to its samples by rank: the smaller the target cosine, the larger the margin.
/// Of (seed, step) alone, both in a buffer.
/// </summary>
public sealed class ElasticFaceMargin : Margin
{
    private readonly bool angular;
    private readonly double mean;
    private readonly double sigma;
    private readonly bool plus;
    private readonly MarginWrap wrap;

    /// <summary>ElasticFace's margin.</summary>
    /// <param name="angular">True: added to the angle; false: subtracted from the cosine.</param>
    /// <param name="mean">Mean of the margins.</param>
    /// <param name="sigma">Their standard deviation.</param>
    /// <param name="plus">Deals them by rank.</param>
    /// <param name="wrap">What happens where theta + m passes pi.</param>
    /// <param name="gradient">How the gradient passes.</param>
    /// <param name="seed">Seed of the draws.</param>
    public ElasticFaceMargin(bool angular, double mean, double sigma, bool plus, MarginWrap wrap, MarginGradient gradient, long seed)
        : base(nameof(ElasticFaceMargin), gradient)
    {
        this.angular = angular;
        this.mean = mean;
        this.sigma = sigma;
        this.plus = plus;
        this.wrap = wrap;
        register_buffer("random", OwnedTensors.Buffer(tensor(new long[] { seed, -1 }))); // seed, step
    }

    /// <summary>Margins to use instead of drawn ones, one for each sample of the batch; null: draw.</summary>
    public IReadOnlyList<double>? Given { get; set; }

    /// <inheritdoc/>
    public override void Observe(MarginInput input) => get_buffer("random")![1].add_(1);

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor margins = Margins(input.TargetCosine.detach()); // [B]
        return angular ? AngularMargin.Add(input, margins, wrap) : input.TargetCosine - margins;
    }

    private Tensor Margins(Tensor cosine)
    {
        if (Given is not null)
        {
            return tensor(Given.ToArray(), dtype: cosine.dtype, device: cosine.device);
        }

        long[] state = get_buffer("random")!.cpu().data<long>().ToArray();
        using Generator generator = new(SeededRandom.Mix(state[0], SeededRandom.MarginStream, state[1]), CPU);
        Tensor margins = (randn([cosine.shape[0]], dtype: ScalarType.Float64, generator: generator) * sigma + mean).to(cosine.dtype, cosine.device); // [B]
        return plus
            ? margins.scatter(0, cosine.argsort(0), margins.sort(0, descending: true).Values)
            : margins;
    }
}
