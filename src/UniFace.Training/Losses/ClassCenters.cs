using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>How an embedding is compared with a class center.</summary>
public enum Similarity
{
    /// <summary>The cosine of their angle, in [-1, 1]: every angular loss.</summary>
    Cosine,

    /// <summary>Their raw inner product: the plain softmax.</summary>
    InnerProduct,
}

/// <summary>The classes that a step uses.</summary>
/// <param name="Classes">[R] int64, ascending; null: all of them.</param>
/// <param name="Columns">[B] int64: where in them each sample's own class stands.</param>
public sealed record ClassSelection(Tensor? Classes, Tensor Columns);

/// <summary>
/// The learnable prototypes, the first axis of a loss: [C * K, D], K sub-centers a class in neighbouring rows.
/// Only a row's direction counts, but for <see cref="Similarity.InnerProduct"/>. Rows start from a normal distribution with
/// deviation 1/sqrt(D), as the UniFace paper's code starts them, which makes their norm about 1.
/// </summary>
public sealed class ClassCenters : nn.Module
{
    private readonly NegativeSampler sampler;

    /// <summary>Fresh class centers.</summary>
    /// <param name="classes">C, at least 2.</param>
    /// <param name="embeddingSize">D.</param>
    /// <param name="subCenters">K; a class's similarity is that of its nearest sub-center (Deng et al., ECCV 2020).</param>
    /// <param name="negativeRate">r in (0, 1]: the share of the classes that a step uses. All classes of the batch are always among them.</param>
    /// <param name="seed">Seed of the start values and of the sampling.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="similarity">What is compared.</param>
    public ClassCenters(int classes, int embeddingSize, int subCenters, double negativeRate, long seed, ScalarType dtype, Similarity similarity = Similarity.Cosine)
        : base(nameof(ClassCenters))
    {
        Classes = classes;
        EmbeddingSize = embeddingSize;
        SubCenters = subCenters;
        Similarity = similarity;
        using Generator generator = new(SeededRandom.Mix(seed, SeededRandom.CenterStream, 0), CPU);
        using DisposeScope scope = NewDisposeScope();
        Tensor start = randn([(long)classes * subCenters, embeddingSize], dtype: dtype, generator: generator) / Math.Sqrt(embeddingSize); // [C * K, D]
        register_parameter("weight", OwnedTensors.Parameter(start));
        sampler = new NegativeSampler(classes, negativeRate, seed);
        register_module(nameof(sampler), sampler);
    }

    /// <summary>C, the number of classes.</summary>
    public int Classes { get; }

    /// <summary>D, the values in an embedding.</summary>
    public int EmbeddingSize { get; }

    /// <summary>K, the centers a class has.</summary>
    public int SubCenters { get; }

    /// <summary>What <see cref="Compare"/> gives.</summary>
    public Similarity Similarity { get; }

    /// <summary>The centers, [C * K, D]; row c * K + k is class c's center k.</summary>
    public Parameter Weight => get_parameter("weight")!;

    /// <summary>Chooses the classes of this step and counts it.</summary>
    /// <param name="labels">[B] int64, on the centers' device.</param>
    public ClassSelection Select(Tensor labels) => sampler.Select(labels);

    /// <summary>
    /// Similarities with the chosen classes, before any margin, [B, R]; differentiable in both. A vector of length 0 has no
    /// direction: its cosine with everything is 0, and its gradient is that of a unit vector, hence finite.
    /// </summary>
    /// <param name="embeddings">[B, D], raw, of the centers' type.</param>
    /// <param name="classes">[R], or null for all.</param>
    public Tensor Compare(Tensor embeddings, Tensor? classes)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        Tensor rows = Weight; // [R * K, D]
        if (classes is not null)
        {
            Tensor index = SubCenters == 1
                ? classes
                : (classes.unsqueeze(1) * SubCenters + arange(SubCenters, device: classes.device)).flatten(); // [R * K]
            rows = Weight.index_select(0, index);
        }

        Tensor all = Similarity == Similarity.InnerProduct
            ? embeddings.matmul(rows.t())
            : Directions.Unit(embeddings).matmul(Directions.Unit(rows).t()); // [B, R * K]
        return SubCenters == 1 ? all : all.view(all.shape[0], -1, SubCenters).max(2).values; // [B, R]
    }

    /// <summary>The sine of the angle between each embedding and its own class's nearest center, [B], without a gradient.</summary>
    /// <param name="embeddings">[B, D], raw.</param>
    /// <param name="labels">[B] int64.</param>
    public Tensor TargetSine(Tensor embeddings, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(labels);
        using IDisposable none = no_grad();
        Tensor own = Weight.view(Classes, SubCenters, EmbeddingSize).index_select(0, labels); // [B, K, D]
        if (SubCenters > 1)
        {
            Tensor units = Directions.Unit(own.flatten(0, 1)).view(own.shape); // [B, K, D]
            Tensor nearest = (units * Directions.Unit(embeddings).unsqueeze(1)).sum(2).argmax(1); // [B]
            own = own.gather(1, nearest.view(-1, 1, 1).expand(-1, 1, EmbeddingSize)); // [B, 1, D]
        }

        return Directions.Sine(embeddings, own.squeeze(1));
    }
}
