using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Native;
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

/// <summary>
/// The learnable prototypes, the first axis of a loss: [C * K, D], K sub-centers a class in neighbouring rows.
/// Only a row's direction counts, but for <see cref="Similarity.InnerProduct"/>. Rows start from a normal distribution with
/// deviation 1/sqrt(D), as the UniFace paper's code starts them, which makes their norm about 1.
/// They own their storage and the momentum of each row, both float32, float64 or bfloat16; bfloat16 is rounded stochastically,
/// so that updates smaller than its steps are not lost, and only stored: arithmetic is float32.
/// Of the two ways of Partial FC this is version 1: only rows that a step uses are read, moved and decayed, and a row's momentum
/// waits with it. Version 2 moves every row every step by momentum and decay, which costs the memory traffic that sampling saves.
/// </summary>
public sealed class ClassCenters : nn.Module
{
    /// <summary>Rows drawn at a time: nothing of the centers' own size is ever made beside them.</summary>
    private const int StartRows = 1 << 10;
    private readonly NegativeSampler sampler;
    private Tensor? momentum;

    /// <summary>Fresh class centers.</summary>
    /// <param name="classes">C, at least 2.</param>
    /// <param name="embeddingSize">D.</param>
    /// <param name="subCenters">K; a class's similarity is that of its nearest sub-center (Deng et al., ECCV 2020).</param>
    /// <param name="negativeRate">r in (0, 1]: the share of the classes that a step uses. All classes of the step are always among them.</param>
    /// <param name="seed">Seed of the start values and of the sampling.</param>
    /// <param name="dtype">How they are stored: float32, float64 or bfloat16.</param>
    /// <param name="similarity">What is compared.</param>
    public ClassCenters(int classes, int embeddingSize, int subCenters, double negativeRate, long seed, ScalarType dtype, Similarity similarity = Similarity.Cosine)
        : base(nameof(ClassCenters))
    {
        Classes = classes;
        EmbeddingSize = embeddingSize;
        SubCenters = subCenters;
        Similarity = similarity;
        Arithmetic = dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        using Generator generator = new(SeededRandom.Mix(seed, SeededRandom.CenterStream, 0), CPU);
        using DisposeScope scope = NewDisposeScope();
        long rows = (long)classes * subCenters;
        Tensor start = empty([rows, embeddingSize], dtype: dtype); // [C * K, D]
        for (long row = 0; row < rows; row += StartRows)
        {
            using Tensor drawn = randn([Math.Min(StartRows, rows - row), embeddingSize], dtype: Arithmetic, generator: generator);
            using Tensor into = start.narrow(0, row, drawn.shape[0]);
            into.copy_(drawn.div_(Math.Sqrt(embeddingSize)));
        }

        register_parameter("weight", OwnedTensors.Parameter(start));
        if (dtype == ScalarType.BFloat16)
        {
            register_buffer("rounding", OwnedTensors.Buffer(tensor(new long[] { seed, 0 }))); // seed, stores
        }

        sampler = new NegativeSampler(classes, negativeRate, seed);
        register_module(nameof(sampler), sampler);
    }

    /// <summary>C, the number of classes.</summary>
    public int Classes { get; }

    /// <summary>D, the values in an embedding.</summary>
    public int EmbeddingSize { get; }

    /// <summary>K, the centers a class has.</summary>
    public int SubCenters { get; }

    /// <summary>What is compared.</summary>
    public Similarity Similarity { get; }

    /// <summary>What is computed in: float64 where they are stored so, else float32.</summary>
    public ScalarType Arithmetic { get; }

    /// <summary>The centers, [C * K, D]; row c * K + k is class c's center k.</summary>
    public Parameter Weight => get_parameter("weight")!;

    /// <summary>
    /// The momentum of each row, [C * K, D] of the centers' type, zeros at first; null before the first <see cref="CenterUpdate"/>.
    /// Part of a checkpoint's optimizer.
    /// </summary>
    public Tensor? Momentum => momentum;

    /// <summary>Chooses the classes of the next step and counts it.</summary>
    /// <param name="labels">The classes that must be among them.</param>
    public ClassSelection Select(IEnumerable<long> labels) => sampler.Select(labels);

    /// <summary>Takes over a checkpoint's momentum; the tensor is copied.</summary>
    /// <exception cref="UniFaceException">It has another shape.</exception>
    public void RestoreMomentum(Tensor saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        if (!saved.shape.SequenceEqual(Weight.shape))
        {
            throw new UniFaceException($"The checkpoint's momentum of the class centers is [{string.Join(", ", saved.shape)}], expected [{string.Join(", ", Weight.shape)}].");
        }

        using IDisposable none = no_grad();
        OwnMomentum().copy_(saved);
    }

    /// <summary>The rows of a tile's classes as they are computed with.</summary>
    internal CenterRows Rows(ClassTile tile, RowCopies? copies) => new(this, tile, copies);

    /// <summary>Memory for the rows of tiles where they cannot be worked on in place, on the CPU in float32; else null.</summary>
    internal RowCopies? Copies(ClassSelection step, int tileClasses) =>
        Weight.device.type == DeviceType.CPU && Arithmetic == ScalarType.Float32 && (!step.All || Weight.dtype == ScalarType.BFloat16)
            ? new RowCopies(Math.Min(tileClasses, step.Count) * SubCenters, EmbeddingSize)
            : null;

    /// <summary>
    /// Similarity of each embedding with its own class, and the sine of their angle, both [B]: of the nearest sub-center. A vector of
    /// length 0 has no direction: its cosine with everything is 0.
    /// </summary>
    /// <param name="embeddings">[B, D], raw.</param>
    /// <param name="labels">[B] int64.</param>
    internal (Tensor Similarity, Tensor Sine) Own(Tensor embeddings, Tensor labels)
    {
        Tensor own = Weight.view(Classes, SubCenters, EmbeddingSize).index_select(0, labels).to(Arithmetic); // [B, K, D]
        Tensor units = Similarity == Similarity.InnerProduct ? own : Directions.Unit(own.flatten(0, 1)).view(own.shape); // [B, K, D]
        Tensor x = Similarity == Similarity.InnerProduct ? embeddings : Directions.Unit(embeddings);
        (Tensor similarity, Tensor nearest) = (units * x.unsqueeze(1)).sum(2).max(1); // [B]
        own = own.gather(1, nearest.view(-1, 1, 1).expand(-1, 1, EmbeddingSize)).squeeze(1); // [B, D]
        return (similarity, Directions.Sine(embeddings, own));
    }

    /// <summary>A seed for the next rounding of rows to bfloat16; counted, so that a run that goes on rounds as it would have.</summary>
    internal ulong NextRounding()
    {
        Tensor state = get_buffer("rounding")!;
        Span<long> counted = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(state.bytes);
        return SeededRandom.Mix(counted[0], SeededRandom.RoundingStream, counted[1]++);
    }

    internal Tensor OwnMomentum() => momentum ??= zeros(Weight.shape, dtype: Weight.dtype, device: Weight.device).DetachFromDisposeScope();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            momentum?.Dispose();
        }

        base.Dispose(disposing);
    }
}
