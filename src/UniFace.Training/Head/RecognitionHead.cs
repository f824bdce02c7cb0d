namespace UniFace.Training.Head;

/// <summary>The result of a head for one batch. The caller owns and disposes it.</summary>
/// <param name="Loss">The mean loss over the batch.</param>
/// <param name="EmbeddingGradient">dLoss/dEmbeddings, [B, D], for <c>embeddings.backward(gradient)</c>.</param>
/// <param name="TargetCosine">Cosine of each sample with its own class center, before any margin, [B].</param>
/// <param name="HardestNegativeCosine">Largest cosine of each sample with another class's center, [B].</param>
internal sealed record HeadOutput(double Loss, Tensor EmbeddingGradient, Tensor TargetCosine, Tensor HardestNegativeCosine) : IDisposable
{
    /// <summary>Disposes the three tensors.</summary>
    public void Dispose()
    {
        EmbeddingGradient.Dispose();
        TargetCosine.Dispose();
        HardestNegativeCosine.Dispose();
    }
}

/// <summary>
/// The last layer of training: class centers x margin x objective. It computes the loss and its gradient with respect to the embeddings
/// without autograd, in tiles of centers, so that neither a matrix of batch times classes nor a gradient of the centers is made.
/// Objectives that compare with a threshold take one pass and three matrix products per tile, softmax two passes and four products.
/// The loss of a batch is the mean over its B samples of weight * (objective + regularizer): divided by B, not by the sum of the weights.
/// Everything needed to resume is in its parameters, its buffers and the momentum of its centers, including the state of all randomness.
/// </summary>
internal sealed class RecognitionHead : nn.Module
{
    /// <summary>
    /// Rows per tile, measured with `uniface bench head`: small enough that a tile and its momentum stay in the processor's cache between
    /// the three products, large enough that the products run at full speed.
    /// </summary>
    internal const int TileRows = 2048;

    private HeadStep? step;

    /// <summary>Creates a head, which owns its three parts.</summary>
    /// <param name="name">The name of the module.</param>
    /// <param name="centers">The class centers.</param>
    /// <param name="margin">The margin.</param>
    /// <param name="objective">The objective.</param>
    /// <param name="exchange">The processes over which the centers are sharded; null for one process.</param>
    /// <exception cref="ArgumentException">The centers are compared by inner products, and the margin is for cosines.</exception>
    public RecognitionHead(string name, ClassCenters centers, Margin margin, Objective objective, HeadExchange? exchange = null)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(centers);
        if (centers.Similarity == Similarity.InnerProduct && margin is not NoMargin)
        {
            throw new ArgumentException($"{margin} changes cosines, but the class centers are compared by inner products.", nameof(margin));
        }

        Centers = centers;
        Margin = margin;
        Objective = objective;
        Exchange = exchange;
        register_module("centers", centers);
        register_module("margin", margin);
        register_module("objective", objective);
    }

    /// <summary>Number of classes.</summary>
    public int Classes => Centers.Classes;

    /// <summary>Number of values in an embedding.</summary>
    public int EmbeddingSize => Centers.EmbeddingSize;

    /// <summary>The learned threshold as a cosine (b / s) if the objective has one shared bias b, else null.</summary>
    public double? Threshold => Objective.Threshold;

    /// <summary>The class centers.</summary>
    public ClassCenters Centers { get; }

    /// <summary>The margin.</summary>
    public Margin Margin { get; }

    /// <summary>The objective.</summary>
    public Objective Objective { get; }

    /// <summary>The processes over which the centers are sharded; null for one process.</summary>
    internal HeadExchange? Exchange { get; }

    /// <summary>True if every process must know the targets of all samples before it compares them with its centers.</summary>
    internal bool ExchangesTargets => Exchange is not null && (!Objective.IsSeparable || Margin.UsesBatchTargets);

    /// <summary>Classes per tile; smaller in tests.</summary>
    internal int TileSize { get; set; } = TileRows;

    /// <summary>False to compute with tensors even where rows could be processed directly; for tests.</summary>
    internal bool AllowRowPass { get; set; } = true;

    internal bool OnCpu => Centers.Weight.device.type == DeviceType.CPU;

    /// <summary>
    /// Begins an optimizer step over one or more batches and selects its classes, which include all labels of all batches.
    /// </summary>
    /// <param name="labels">The labels of each batch, [B] int64 each, each label in [0, Classes); of a sharded head, of the global batches.</param>
    /// <param name="update">What the step does with the gradient of the centers; <see cref="CenterUpdate.Accumulate"/> if null.</param>
    /// <exception cref="UniFaceException">A label is out of range.</exception>
    /// <exception cref="InvalidOperationException">The step before has batches that were not added, so that its update is incomplete.</exception>
    public HeadStep BeginStep(IReadOnlyList<Tensor> labels, CenterUpdate? update = null) => step = step is { IsPartial: true }
        ? throw new InvalidOperationException("The step before lacks batches; add them first.")
        : new(this, labels, update ?? CenterUpdate.Accumulate);

    /// <summary>A step of one batch: <see cref="BeginStep"/> and <see cref="HeadStep.Add"/>.</summary>
    /// <exception cref="UniFaceException">Embeddings are not [B, D], a label is out of range, or weights are not [B].</exception>
    public HeadOutput ForwardBackward(Tensor embeddings, Tensor labels, Tensor? weights = null, double scale = 1, CenterUpdate? update = null) =>
        BeginStep([labels], update).Add(embeddings, weights, scale);
}
