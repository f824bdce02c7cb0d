using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// What a head knows of a batch while it walks the centers: all of it of the batch's size. The targets' part, psi and the
/// regulariser, is differentiated by autograd, over B numbers; the rest by hand.
/// </summary>
internal sealed class HeadBatch
{
    private readonly Tensor norm; // [B]
    private readonly Tensor directed; // [B]: 1, or 0 for an embedding of length 0
    private readonly Tensor targetLeaf; // [B]
    private readonly Tensor normLeaf; // [B]
    private readonly Tensor psi; // [B]
    private readonly Tensor? regulariser; // [B]
    private readonly bool cosine;

    private HeadBatch(RecognitionHead head, Tensor raw, Tensor labels, Tensor share)
    {
        cosine = head.Centers.Similarity == Similarity.Cosine;
        norm = Directions.Norm(raw).squeeze(1);
        directed = (norm > 0).to(raw.dtype);
        Unit = Directions.Unit(raw);
        X = cosine ? Unit : raw;
        (Tensor similarity, Tensor sine) = head.Centers.Own(raw, labels);
        Cosine = (cosine ? similarity : OwnCosine(head, raw, labels)).clamp(-1, 1);
        HardestNegative = full_like(norm, -1);
        UnitGradient = zeros_like(X);
        using (enable_grad())
        {
            targetLeaf = similarity.clone().requires_grad_(true);
            normLeaf = norm.clone().requires_grad_(true);
            MarginInput differentiable = new(targetLeaf, sine, normLeaf);
            Input = new MarginInput(similarity, sine, norm);
            using (no_grad())
            {
                head.Margin.Observe(Input);
            }

            psi = head.Margin.Target(differentiable);
            regulariser = head.Margin.Regulariser(differentiable);
        }

        Regulariser = regulariser?.detach();
        TargetGradient = zeros_like(norm);
        ForObjective = new ObjectiveBatch(psi.detach(), norm, share, labels);
    }

    /// <summary>Embeddings as they are compared: unit, or raw for inner products. [B, D].</summary>
    public Tensor X { get; }

    /// <summary>Unit embeddings, [B, D].</summary>
    public Tensor Unit { get; }

    /// <summary>What the margin sees of the targets, without gradients.</summary>
    public MarginInput Input { get; }

    /// <summary>What the objective sees.</summary>
    public ObjectiveBatch ForObjective { get; }

    /// <summary>What the margin adds to each loss, [B], or null.</summary>
    public Tensor? Regulariser { get; }

    /// <summary>Target cosines before any margin, [B].</summary>
    public Tensor Cosine { get; }

    /// <summary>Largest cosines with another class so far, [B].</summary>
    public Tensor HardestNegative { get; }

    /// <summary>dLoss/dTargetSimilarity times the samples' share, [B].</summary>
    public Tensor TargetGradient { get; private set; }

    /// <summary>dLoss/dX so far, [B, D].</summary>
    public Tensor UnitGradient { get; }

    public static HeadBatch Create(RecognitionHead head, Tensor embeddings, Tensor labels, Tensor? weights, double scale)
    {
        Device device = head.Centers.Weight.device;
        ScalarType dtype = head.Centers.Arithmetic;
        Tensor raw = embeddings.detach().to(dtype, device); // [B, D]
        Tensor share = full([raw.shape[0]], scale / raw.shape[0], dtype: dtype, device: device); // [B]
        if (weights is not null)
        {
            share.mul_(weights.detach().to(dtype, device));
        }

        return new HeadBatch(head, raw, labels.to(ScalarType.Int64, device), share);
    }

    /// <summary>Takes dLoss/dpsi, [B], back through the margin.</summary>
    public void TakeTargetGradient(Tensor gradient)
    {
        using IDisposable enabled = enable_grad();
        Tensor share = ForObjective.Share;
        Tensor total = (psi * (gradient * share)).sum();
        if (regulariser is not null)
        {
            total += (regulariser * share).sum();
        }

        total.backward();
        TargetGradient = targetLeaf.grad ?? zeros_like(share);
    }

    /// <summary>Looks for the hardest negatives in a tile of similarities, [B, T]; leaves it as it was.</summary>
    public void SeeNegatives(ClassTile tile, Tensor similarities, CenterRows rows)
    {
        Tensor cosines = cosine ? similarities : rows.Cosines(similarities, norm); // [B, T]
        tile.FillTargets(cosines, -1);
        HardestNegative.copy_(maximum(HardestNegative, cosines.amax([1]).clamp_(-1, 1)));
        if (cosine)
        {
            tile.SetTargets(similarities, Input.TargetCosine);
        }
    }

    /// <summary>dLoss/dEmbeddings, [B, D]: through the normalisation, and through the length where a loss looks at it.</summary>
    /// <param name="objective">dLoss/dNorm by the objective, [B], or null.</param>
    public Tensor EmbeddingGradient(Tensor? objective)
    {
        Tensor gradient = UnitGradient;
        if (cosine)
        {
            Tensor along = (gradient * Unit).sum(1).mul_(directed).unsqueeze(1); // [B, 1]
            gradient = (gradient - Unit * along) / where(norm > 0, norm, ones_like(norm)).unsqueeze(1);
        }

        Tensor? length = normLeaf.grad is Tensor margin ? objective is null ? margin : margin + objective : objective; // [B]
        return length is null ? gradient : gradient + Unit * (length * directed).unsqueeze(1);
    }

    private static Tensor OwnCosine(RecognitionHead head, Tensor raw, Tensor labels)
    {
        Tensor own = head.Centers.Weight.index_select(0, labels).to(raw.dtype); // [B, D]
        return (Directions.Unit(raw) * Directions.Unit(own)).sum(1);
    }
}
