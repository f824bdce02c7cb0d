namespace UniFace.Training.Head.Centers;

/// <summary>
/// The centers of one tile: their similarities with a batch, and their update. Rows are not normalized; the products are divided by the
/// length of each row instead, and the radial part that the normalization removes from the gradient is one number per row. So neither a
/// normalized copy nor a gradient of the centers is made: with cosines c, gradients G = dLoss/dc and lengths n,
/// dW = (G / n)^T x - (sum over the batch of G * c) / n^2 * W, and the product is accumulated directly into the momentum.
/// </summary>
internal sealed class CenterTile
{
    private readonly ClassCenters centers;
    private readonly TileStaging? staging; // null: rows are used in place or gathered by index
    private readonly long[]? ids;
    private readonly Tensor? index; // [T * K]; null: adjacent rows
    private readonly long first;
    private readonly int count;
    private readonly Tensor? inverseSquared; // [T * K]: 1 / length^2, 0 where the length is 0
    private Tensor? similarities; // [B, T * K], with every sub-center
    private Tensor? nearest; // [B, T, 1]: the sub-center that counts

    public CenterTile(ClassCenters centers, ClassTile tile, TileStaging? staging)
    {
        this.centers = centers;
        this.staging = staging;
        ids = tile.Ids;
        int k = centers.SubCenters;
        first = (long)tile.Start * k;
        count = tile.Count * k;
        index = tile.Index(centers.Weight.device) is Tensor classes
            ? k == 1 ? classes : (classes.unsqueeze(1) * k + arange(k, device: classes.device)).flatten()
            : null;
        Rows = Read(centers.Weight, isMomentum: false);
        if (centers.Similarity == Similarity.Cosine)
        {
            Tensor length = Rows.norm(dim: 1, keepdim: false); // [T * K]
            Tensor hasDirection = length > UnitVectors.MinNorm;
            InverseLengths = where(hasDirection, length, ones_like(length)).reciprocal_();
            inverseSquared = InverseLengths.square() * hasDirection.to(InverseLengths.dtype);
        }
    }

    /// <summary>The rows, [T * K, D], in the type of the arithmetic.</summary>
    public Tensor Rows { get; }

    /// <summary>1 / length of each row, 1 where the length is 0, [T * K]; null for inner products.</summary>
    public Tensor? InverseLengths { get; }

    /// <summary>The similarity of each embedding with the nearest sub-center of each class, [B, T].</summary>
    /// <param name="x">[B, D]: unit embeddings (cosine) or raw ones (inner product).</param>
    public Tensor Compare(Tensor x)
    {
        similarities = x.mm(Rows.t()); // [B, T * K]
        if (InverseLengths is not null)
        {
            similarities.mul_(InverseLengths);
        }

        if (centers.SubCenters == 1)
        {
            return similarities;
        }

        (Tensor largest, Tensor which) = similarities.view(similarities.shape[0], -1, centers.SubCenters).max(2); // [B, T]
        nearest = which.unsqueeze(2);
        return largest;
    }

    /// <summary>The cosines of inner products, [B, T], given the lengths of the embeddings, [B]. One center per class.</summary>
    public Tensor ToCosines(Tensor innerProducts, Tensor norm)
    {
        Tensor length = Rows.norm(dim: 1, keepdim: false).clamp_min_(UnitVectors.MinNorm); // [T]
        return innerProducts / length / norm.clamp_min(UnitVectors.MinNorm).unsqueeze(1);
    }

    /// <summary>Propagates the gradient of the similarities to the embeddings and updates the rows.</summary>
    /// <param name="gradient">[B, T], of the result of <see cref="Compare"/>; overwritten.</param>
    /// <param name="x">[B, D], the argument of <see cref="Compare"/>.</param>
    /// <param name="embeddingGradient">[B, D]: added to.</param>
    /// <param name="update">How the rows are updated.</param>
    public void Backward(Tensor gradient, Tensor x, Tensor embeddingGradient, BatchUpdate update)
    {
        if (nearest is not null)
        {
            Tensor spread = zeros_like(similarities!).view(gradient.shape[0], -1, centers.SubCenters); // [B, T, K]
            gradient = spread.scatter_(2, nearest, gradient.unsqueeze(2)).view(gradient.shape[0], -1); // [B, T * K]
        }

        Tensor? radial = null; // [T * K]
        if (InverseLengths is not null)
        {
            radial = (gradient * similarities!).sum([0]);
            gradient.mul_(InverseLengths);
        }

        Apply(gradient, radial, x, embeddingGradient, update);
    }

    /// <summary>The matrix products of the backward pass, and the update of the rows.</summary>
    /// <param name="gradient">[B, T * K]: G divided by the lengths of the rows.</param>
    /// <param name="radial">[T * K]: the sum over the batch of G * cosine; overwritten. Null for inner products.</param>
    /// <param name="x">[B, D].</param>
    /// <param name="embeddingGradient">[B, D]: added to.</param>
    /// <param name="update">How the rows are updated.</param>
    public void Apply(Tensor gradient, Tensor? radial, Tensor x, Tensor embeddingGradient, BatchUpdate update)
    {
        radial = radial?.mul_(inverseSquared!).neg_().unsqueeze(1); // [T * K, 1]
        embeddingGradient.addmm_(gradient, Rows);
        if (update.Update is not CenterUpdate.Sgd sgd)
        {
            if (update.Update == CenterUpdate.Accumulate)
            {
                AddGradient(gradient, x, radial);
            }

            return;
        }

        Tensor momentum = Read(centers.GetOrCreateMomentum(), isMomentum: true); // [T * K, D]
        float kept = update.First ? (float)sgd.Momentum : 1;
        if (centers.Arithmetic == ScalarType.Float64 && update.First)
        {
            momentum.mul_(sgd.Momentum); // addmm_ takes beta as a float.
            kept = 1;
        }

        momentum.addmm_(gradient.t(), x, beta: kept, alpha: 1);
        double decay = update.First ? sgd.WeightDecay : 0;
        if (SgdRowKernel.Supports(Rows) && SgdRowKernel.Supports(momentum))
        {
            SgdRowKernel.Run(Rows, momentum, radial, (float)decay, update.Last ? (float)sgd.LearningRate : 0);
        }
        else
        {
            Tensor coefficient = radial?.add_(decay) ?? full([1, 1], decay, dtype: momentum.dtype, device: momentum.device);
            momentum.addcmul_(Rows, coefficient, 1);
            if (update.Last)
            {
                Rows.add_(momentum, alpha: -sgd.LearningRate);
            }
        }

        Write(centers.GetOrCreateMomentum(), momentum, isMomentum: true);
        if (update.Last)
        {
            Write(centers.Weight, Rows, isMomentum: false);
        }
    }

    private void AddGradient(Tensor gradient, Tensor x, Tensor? radial)
    {
        Tensor all = centers.GetOrCreateGradient(); // [C * K, D]
        Tensor rows = gradient.t().mm(x); // [T * K, D]
        if (radial is not null)
        {
            rows.addcmul_(Rows, radial, 1);
        }

        if (index is null)
        {
            all.narrow(0, first, count).add_(rows);
        }
        else
        {
            all.index_add_(0, index, rows, 1);
        }
    }

    private Tensor Read(Tensor all, bool isMomentum) =>
        staging is not null ? staging.Load(all, RowIndex, count, isMomentum)
        : index is null ? all.narrow(0, first, count)
        : all.index_select(0, index);

    private void Write(Tensor all, Tensor rows, bool isMomentum)
    {
        if (staging is not null)
        {
            TileStaging.Store(rows, all, RowIndex, centers.RoundingSeed(isMomentum));
        }
        else if (index is not null)
        {
            all.index_copy_(0, index, rows);
        }
    }

    /// <summary>The index among all centers of a row of the tile.</summary>
    private long RowIndex(int row) =>
        ids is null ? first + row : (ids[row / centers.SubCenters] * centers.SubCenters) + (row % centers.SubCenters);
}
