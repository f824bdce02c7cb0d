using TorchSharp.Modules;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// The centers of one tile while it is worked on, and what becomes of their gradient. Rows are compared as they are and the products
/// divided by their length, which is a number a row; so is the part of the gradient along the row that the normalisation takes away.
/// Hence no normalised copy and no gradient of the centers is ever made: with cosines c, their gradients G and lengths n,
/// dW = (G / n)^T x - (sum of G * c) / n^2 * W, and the product goes straight into the momentum.
/// </summary>
internal sealed class CenterRows
{
    private readonly ClassCenters centers;
    private readonly RowCopies? copies; // null: the rows are worked on in place, or by index
    private readonly long[]? ids;
    private readonly Tensor? index;
    private readonly long first;
    private readonly long count;
    private readonly Tensor? squared; // [T * K]: its square, 0 where the length is 0
    private Tensor? all; // [B, T * K]: similarities with every sub-center
    private Tensor? nearest; // [B, T, 1]: which of them counts

    public CenterRows(ClassCenters centers, ClassTile tile, RowCopies? copies)
    {
        this.centers = centers;
        this.copies = copies;
        ids = tile.Ids;
        int k = centers.SubCenters;
        first = (long)tile.Start * k;
        count = (long)tile.Count * k;
        index = tile.Index(centers.Weight.device) is Tensor classes
            ? k == 1 ? classes : (classes.unsqueeze(1) * k + arange(k, device: classes.device)).flatten() // [T * K]
            : null;
        Values = Read(centers.Weight, isMomentum: false);
        if (centers.Similarity == Similarity.Cosine)
        {
            Tensor length = Values.norm(dim: 1, keepdim: false); // [T * K]
            Tensor directed = length > Directions.ShortestNorm;
            Inverse = where(directed, length, ones_like(length)).reciprocal_();
            squared = Inverse.square() * directed.to(Inverse.dtype);
        }
    }

    /// <summary>The rows, [T * K, D], in the type of the arithmetic.</summary>
    public Tensor Values { get; }

    /// <summary>One divided by each row's length, 1 where it is 0, [T * K]; null for inner products.</summary>
    public Tensor? Inverse { get; }

    /// <summary>
    /// Similarities with unit (cosine) or raw (inner product) embeddings [B, D], of each class's nearest sub-center: [B, T].
    /// </summary>
    public Tensor Compare(Tensor x)
    {
        all = x.mm(Values.t()); // [B, T * K]
        if (Inverse is not null)
        {
            all.mul_(Inverse);
        }

        if (centers.SubCenters == 1)
        {
            return all;
        }

        (Tensor largest, Tensor which) = all.view(all.shape[0], -1, centers.SubCenters).max(2); // [B, T]
        nearest = which.unsqueeze(2);
        return largest;
    }

    /// <summary>The cosines of raw similarities, [B, T], given the embeddings' lengths [B]; of one center a class.</summary>
    public Tensor Cosines(Tensor similarities, Tensor norm)
    {
        Tensor length = Values.norm(dim: 1, keepdim: false).clamp_min_(Directions.ShortestNorm); // [T]
        return similarities / length / norm.clamp_min(Directions.ShortestNorm).unsqueeze(1);
    }

    /// <summary>Takes the gradient of the similarities: adds its share to the embeddings' gradient and moves the rows.</summary>
    /// <param name="gradient">[B, T], of what <see cref="Compare"/> gave; is used up.</param>
    /// <param name="x">[B, D], as <see cref="Compare"/> took them.</param>
    /// <param name="embeddings">[B, D]: what is added to.</param>
    /// <param name="move">What becomes of the rows' own gradient.</param>
    public void Backward(Tensor gradient, Tensor x, Tensor embeddings, CenterMove move)
    {
        if (nearest is not null)
        {
            Tensor spread = zeros_like(all!).view(gradient.shape[0], -1, centers.SubCenters); // [B, T, K]
            gradient = spread.scatter_(2, nearest, gradient.unsqueeze(2)).view(gradient.shape[0], -1); // [B, T * K]
        }

        Tensor? along = null; // [T * K]
        if (Inverse is not null)
        {
            along = (gradient * all!).sum([0]);
            gradient.mul_(Inverse);
        }

        Apply(gradient, along, x, embeddings, move);
    }

    /// <summary>The matrix products of the gradient.</summary>
    /// <param name="gradient">[B, T * K]: G divided by the rows' lengths.</param>
    /// <param name="along">[T * K]: the sums over the batch of G * cosine; used up. Null for inner products.</param>
    /// <param name="x">[B, D].</param>
    /// <param name="embeddings">[B, D]: what is added to.</param>
    /// <param name="move">As for <see cref="Backward"/>.</param>
    public void Apply(Tensor gradient, Tensor? along, Tensor x, Tensor embeddings, CenterMove move)
    {
        along = along?.mul_(squared!).neg_().unsqueeze(1); // [T * K, 1]
        embeddings.addmm_(gradient, Values);
        if (move.Update is not CenterUpdate.Sgd sgd)
        {
            if (move.Update == CenterUpdate.Accumulate)
            {
                AddGradient(gradient, x, along);
            }

            return;
        }

        Tensor momentum = Read(centers.OwnMomentum(), isMomentum: true); // [T * K, D]
        float kept = move.First ? (float)sgd.Momentum : 1;
        if (centers.Arithmetic == ScalarType.Float64 && move.First)
        {
            momentum.mul_(sgd.Momentum); // A float would not do.
            kept = 1;
        }

        momentum.addmm_(gradient.t(), x, beta: kept, alpha: 1);
        double decay = move.First ? sgd.WeightDecay : 0;
        if (RowMove.Fits(Values) && RowMove.Fits(momentum))
        {
            RowMove.Run(Values, momentum, along, (float)decay, move.Last ? (float)sgd.LearningRate : 0);
        }
        else
        {
            momentum.addcmul_(Values, along is null ? full([1, 1], decay, dtype: momentum.dtype, device: momentum.device) : along.add_(decay), 1);
            if (move.Last)
            {
                Values.add_(momentum, alpha: -sgd.LearningRate);
            }
        }

        Write(centers.OwnMomentum(), momentum);
        if (move.Last)
        {
            Write(centers.Weight, Values);
        }
    }

    private void AddGradient(Tensor gradient, Tensor x, Tensor? along)
    {
        Parameter weight = centers.Weight;
        if (weight.grad is null)
        {
            weight.grad = zeros(weight.shape, dtype: centers.Arithmetic, device: weight.device);
        }

        Tensor rows = gradient.t().mm(x); // [T * K, D]
        if (along is not null)
        {
            rows.addcmul_(Values, along, 1);
        }

        Tensor all = weight.grad!;
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
        copies is not null ? copies.Load(all, Place, (int)count, isMomentum)
        : index is null ? all.narrow(0, first, count)
        : all.index_select(0, index);

    private void Write(Tensor all, Tensor rows)
    {
        if (copies is not null)
        {
            RowCopies.Store(rows, all, Place, all.dtype == ScalarType.BFloat16 ? centers.NextRounding() : 0);
        }
        else if (index is not null)
        {
            all.index_copy_(0, index, rows);
        }
    }

    /// <summary>Where a row of the tile stands among all.</summary>
    private long Place(int row) => ids is null ? first + row : (ids[row / centers.SubCenters] * centers.SubCenters) + (row % centers.SubCenters);
}
