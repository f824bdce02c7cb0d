namespace UniFace.Training.Head.Centers;

/// <summary>How an embedding is compared with a class center.</summary>
public enum Similarity
{
    /// <summary>The cosine of their angle, in [-1, 1]: every angular loss.</summary>
    Cosine,

    /// <summary>Their raw inner product: the plain softmax.</summary>
    InnerProduct,
}

/// <summary>
/// The learnable class centers, the first axis of a loss: [C * K, D], with the K sub-centers of a class in adjacent rows.
/// Unless they are compared by <see cref="Similarity.InnerProduct"/>, only the direction of a row matters. Rows are initialized from a
/// normal distribution with deviation 1/sqrt(D), as in the UniFace paper's code, so that their norm is about 1.
/// The centers own their storage and the momentum of each row, both float32, float64 or bfloat16. bfloat16 is a storage type only:
/// arithmetic is float32, and results are rounded stochastically so that updates below its resolution are not lost.
/// Sampling follows version 1 of Partial FC: only the rows that a step uses are read, updated and decayed. Version 2 updates the
/// momentum and decay of all rows in every step, which costs the memory traffic that sampling saves.
/// </summary>
internal sealed class ClassCenters : nn.Module
{
    /// <summary>Rows initialized at a time, so that no second copy of the centers is ever held.</summary>
    private const int RowsPerDraw = 1 << 10;
    private readonly double negativeRate;
    private Tensor? momentum;
    private ulong rounding; // of the batch

    /// <summary>Creates class centers with random initial values.</summary>
    /// <param name="classes">C, at least 2.</param>
    /// <param name="embeddingSize">D.</param>
    /// <param name="subCenters">K; the similarity with a class is that with its nearest sub-center (Deng et al., ECCV 2020).</param>
    /// <param name="negativeRate">r in (0, 1]: the share of the classes that a step uses. The classes of its labels are always included.</param>
    /// <param name="seed">Seed of the initial values and of the sampling.</param>
    /// <param name="dtype">Storage type: float32, float64 or bfloat16.</param>
    /// <param name="similarity">How an embedding is compared with a center.</param>
    /// <param name="shard">The classes whose centers this process has; null for all.</param>
    public ClassCenters(
        int classes,
        int embeddingSize,
        int subCenters,
        double negativeRate,
        long seed,
        ScalarType dtype,
        Similarity similarity = Similarity.Cosine,
        ShardRange? shard = null)
        : base(nameof(ClassCenters))
    {
        Classes = classes;
        Shard = shard ?? new ShardRange(0, classes);
        EmbeddingSize = embeddingSize;
        SubCenters = subCenters;
        Similarity = similarity;
        Arithmetic = dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        using Generator generator = new(new SeededRandom(seed, RandomStream.ClassCenters).NextBits(), CPU);
        using DisposeScope scope = NewDisposeScope();
        long rows = (long)classes * subCenters;
        long first = (long)Shard.First * subCenters;
        Tensor initial = empty([(long)Shard.Count * subCenters, embeddingSize], dtype: dtype); // [C * K, D]
        for (long row = 0; row < Math.Min(rows, first + initial.shape[0]); row += RowsPerDraw)
        {
            // Rows of other processes are drawn too, so that the initial centers do not depend on the number of processes.
            using Tensor drawn = randn([Math.Min(RowsPerDraw, rows - row), embeddingSize], dtype: Arithmetic, generator: generator);
            long from = Math.Max(row, first), to = Math.Min(row + drawn.shape[0], first + initial.shape[0]);
            if (from < to)
            {
                using Tensor slice = initial.narrow(0, from - first, to - from);
                using Tensor own = drawn.narrow(0, from - row, to - from);
                slice.copy_(own.div_(Math.Sqrt(embeddingSize)));
            }
        }

        register_parameter("weight", OwnedTensors.Parameter(initial));
        if (dtype == ScalarType.BFloat16)
        {
            register_buffer("rounding", OwnedTensors.Buffer(tensor(new long[] { seed, 0 }))); // seed, number of batches
        }

        this.negativeRate = negativeRate;
        register_buffer("sampling", OwnedTensors.Buffer(tensor(new long[] { seed, 0 }))); // seed, step
    }

    /// <summary>C, the number of classes.</summary>
    public int Classes { get; }

    /// <summary>The classes whose centers this process has: all, unless they are sharded.</summary>
    public ShardRange Shard { get; }

    /// <summary>D, the number of values in an embedding.</summary>
    public int EmbeddingSize { get; }

    /// <summary>K, the number of centers per class.</summary>
    public int SubCenters { get; }

    /// <summary>How an embedding is compared with a center.</summary>
    public Similarity Similarity { get; }

    /// <summary>The type of all arithmetic: float64 for centers stored in float64, else float32.</summary>
    public ScalarType Arithmetic { get; }

    /// <summary>The centers of the classes of <see cref="Shard"/>, [C * K, D]; row c * K + k is center k of the shard's class c.</summary>
    public Parameter Weight => get_parameter("weight")!;

    /// <summary>
    /// The momentum of each row, [C * K, D] of the centers' type, initially zero; null before the first <see cref="CenterUpdate.Sgd"/>.
    /// Part of a checkpoint's optimizer state.
    /// </summary>
    public Tensor? Momentum => momentum;

    /// <summary>Restores the momentum from a checkpoint; the tensor is copied.</summary>
    /// <exception cref="UniFaceException">Its shape differs from that of the centers.</exception>
    public void RestoreMomentum(Tensor saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        if (!saved.shape.SequenceEqual(Weight.shape))
        {
            throw new UniFaceException(
                $"The checkpoint's momentum of the class centers is [{string.Join(", ", saved.shape)}], "
                + $"expected [{string.Join(", ", Weight.shape)}].");
        }

        using IDisposable none = no_grad();
        GetOrCreateMomentum().copy_(saved);
    }

    /// <summary>
    /// Selects the classes of the next step: all, or those of the labels and random others up to the share r of all (Partial FC, An et al.,
    /// and the UniFace paper's code). The choice is a function of the seed and the step, which are kept in a buffer.
    /// </summary>
    /// <param name="labels">Classes that must be included.</param>
    internal ClassSelection Select(IEnumerable<long> labels)
    {
        if (negativeRate >= 1)
        {
            return new ClassSelection(Classes, Shard);
        }

        return new ClassSelection(Classes, Shard, labels, (int)(Classes * negativeRate), NextSeed("sampling", RandomStream.ClassSampling));
    }

    /// <summary>
    /// Staging memory for tiles whose rows cannot be updated in place, on the CPU in float32; null if it is not needed or not supported.
    /// </summary>
    internal TileStaging? CreateStaging(ClassSelection selection, int tileClasses) =>
        Weight.device.type == DeviceType.CPU && Arithmetic == ScalarType.Float32 && (!selection.All || Weight.dtype == ScalarType.BFloat16)
            ? new TileStaging(Math.Min(tileClasses, selection.Count) * SubCenters, EmbeddingSize)
            : null;

    /// <summary>
    /// The similarity of each embedding with its own class (the nearest sub-center) and the sine of their angle, both [B].
    /// A vector of length 0 has no direction: its cosine with everything is 0.
    /// </summary>
    /// <param name="embeddings">[B, D], raw.</param>
    /// <param name="labels">[B] int64, counted from the first class of the shard.</param>
    internal (Tensor Similarity, Tensor Sine) CompareTargets(Tensor embeddings, Tensor labels)
    {
        Tensor own = Weight.view(Shard.Count, SubCenters, EmbeddingSize).index_select(0, labels).to(Arithmetic); // [B, K, D]
        bool raw = Similarity == Similarity.InnerProduct;
        Tensor rows = raw ? own : UnitVectors.Normalize(own.flatten(0, 1)).view(own.shape); // [B, K, D]
        Tensor x = raw ? embeddings : UnitVectors.Normalize(embeddings);
        (Tensor similarity, Tensor nearest) = (rows * x.unsqueeze(1)).sum(2).max(1); // [B]
        own = own.gather(1, nearest.view(-1, 1, 1).expand(-1, 1, EmbeddingSize)).squeeze(1); // [B, D]
        return (similarity, UnitVectors.Sine(embeddings, own));
    }

    /// <summary>Draws the seed for rounding what a batch updates to bfloat16. Counted in a buffer, so that a resumed run rounds the same way.</summary>
    internal void BeginUpdate() => rounding = Weight.dtype == ScalarType.BFloat16 ? NextSeed("rounding", RandomStream.CenterRounding) : 0;

    /// <summary>
    /// The seed for the first row of the shard: that of the first of all rows, moved by the rows before the shard, so that the draws, which depend on
    /// the place of a row, do not depend on the number of processes.
    /// </summary>
    internal uint RoundingSeed(bool isMomentum) =>
        unchecked((uint)(isMomentum ? rounding >> 32 : rounding) + (uint)((long)Shard.First * SubCenters * EmbeddingSize));

    /// <summary>The gradient of the centers, [C * K, D], initially zero.</summary>
    internal Tensor GetOrCreateGradient() => Weight.grad ??= zeros(Weight.shape, dtype: Arithmetic, device: Weight.device);

    internal Tensor GetOrCreateMomentum() =>
        momentum ??= zeros(Weight.shape, dtype: Weight.dtype, device: Weight.device).DetachFromDisposeScope();

    /// <summary>A seed from a buffer of seed and count, which is then counted up.</summary>
    private ulong NextSeed(string buffer, RandomStream stream)
    {
        using NoGradScope scope = new();
        Tensor state = get_buffer(buffer)!;
        long[] values = state.cpu().data<long>().ToArray();
        state[1].add_(1);
        return new SeededRandom(values[0], stream, values[1]).NextBits();
    }

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
