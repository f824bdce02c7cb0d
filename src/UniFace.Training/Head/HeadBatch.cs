namespace UniFace.Training.Head;

/// <summary>One batch while the tiles of centers are processed. Its memory grows with the batch, not with the number of classes.</summary>
internal sealed class HeadBatch
{
    private readonly bool isCosine;
    private readonly Tensor norm; // [B]
    private readonly MarginTargets targets;
    private readonly Tensor? owned; // [B]: 1 where the class is in the shard of this process; null without shards

    /// <param name="head">The head.</param>
    /// <param name="embeddings">[B, D], any float type; of a sharded head, those of all processes.</param>
    /// <param name="labels">[B].</param>
    /// <param name="weights">[B], or null.</param>
    /// <param name="scale">Factor on the gradients.</param>
    public HeadBatch(RecognitionHead head, Tensor embeddings, Tensor labels, Tensor? weights, double scale)
    {
        Device device = head.Centers.Weight.device;
        ScalarType dtype = head.Centers.Arithmetic;
        Tensor raw = embeddings.detach().to(dtype, device); // [B, D]
        labels = labels.to(ScalarType.Int64, device);
        SampleWeight = full([raw.shape[0]], scale / raw.shape[0], dtype: dtype, device: device); // [B]
        if (weights is not null)
        {
            SampleWeight.mul_(weights.detach().to(dtype, device));
        }

        isCosine = head.Centers.Similarity == Similarity.Cosine;
        norm = UnitVectors.Norm(raw).squeeze(1);
        Unit = UnitVectors.Normalize(raw);
        X = isCosine ? Unit : raw;
        if (head.Exchange is HeadExchange exchange)
        {
            owned = labels.ge(exchange.Shard.First).logical_and(labels.lt(exchange.Shard.End)).to(dtype); // [B]
            labels = (labels - exchange.Shard.First).clamp(0, exchange.Shard.Count - 1);
        }

        (Tensor similarity, Tensor sine) = head.Centers.CompareTargets(raw, labels);
        (similarity, sine) = owned is null ? (similarity, sine) : (similarity * owned, sine * owned);
        if (head.ExchangesTargets)
        {
            (similarity, sine) = head.Exchange!.SumTargets(similarity, sine);
        }

        TargetCosine = (isCosine ? similarity : CompareDirections(head, labels)).clamp(-1, 1);
        HardestNegative = full_like(norm, -1);
        EmbeddingSum = zeros_like(X);
        Input = new MarginInput(similarity, sine, norm);
        head.Margin.Update(Input);
        targets = new MarginTargets(head.Margin, Input);
        TargetGradient = zeros_like(norm);
        ObjectiveBatch = new ObjectiveBatch(targets.Psi, norm, SampleWeight, labels) { Owned = owned };
    }

    /// <summary>Embeddings as they are compared: unit vectors, or raw for inner products. [B, D].</summary>
    public Tensor X { get; }

    /// <summary>What the margin sees of the targets, without gradients.</summary>
    public MarginInput Input { get; }

    /// <summary>What the objective sees.</summary>
    public ObjectiveBatch ObjectiveBatch { get; }

    /// <summary>The term that the margin adds to the losses, [B], or null.</summary>
    public Tensor? Regularizer => Owned(targets.Regularizer);

    /// <summary>Target cosines before any margin, [B].</summary>
    public Tensor TargetCosine { get; }

    /// <summary>Largest cosine with another class so far, [B].</summary>
    public Tensor HardestNegative { get; }

    /// <summary>dLoss/dTargetSimilarity times the sample weights, [B]; known after <see cref="BackwardTargets"/>.</summary>
    public Tensor TargetGradient { get; private set; }

    /// <summary>dLoss/dX so far, [B, D].</summary>
    public Tensor EmbeddingSum { get; }

    private Tensor Unit { get; }

    private Tensor SampleWeight { get; }

    /// <summary>Propagates dLoss/dpsi, [B], through the margin.</summary>
    public void BackwardTargets(Tensor gradient) => TargetGradient = targets.Backward(gradient, Owned(SampleWeight)!);

    /// <summary>Values of the samples, [B], with 0 where the class is in the shard of another process.</summary>
    public Tensor? Owned(Tensor? values) => values is null || owned is null ? values : values * owned;

    /// <summary>Updates the hardest negatives from a tile of similarities, [B, T].</summary>
    public void AddNegatives(ClassTile tile, Tensor similarities, CenterTile rows)
    {
        Tensor cosines = isCosine ? similarities : rows.ToCosines(similarities, norm); // [B, T]
        tile.FillTargets(cosines, -1);
        HardestNegative.copy_(maximum(HardestNegative, cosines.amax([1]).clamp_(-1, 1)));
        if (isCosine)
        {
            tile.SetTargets(similarities, Input.TargetCosine); // The exact target cosines; products can exceed 1 by rounding.
        }
    }

    /// <summary>dLoss/dEmbeddings, [B, D]: through the normalization, and through the length if the loss depends on it.</summary>
    /// <param name="normGradient">dLoss/dNorm by the objective, [B], or null.</param>
    public Tensor EmbeddingGradient(Tensor? normGradient)
    {
        Tensor gradient = EmbeddingSum;
        Tensor hasDirection = (norm > 0).to(norm.dtype); // [B]
        if (isCosine)
        {
            Tensor radial = (gradient * Unit).sum(1).mul_(hasDirection).unsqueeze(1); // [B, 1]
            gradient = (gradient - Unit * radial) / where(norm > 0, norm, ones_like(norm)).unsqueeze(1);
        }

        foreach (Tensor? length in new[] { targets.NormGradient, normGradient }) // [B]
        {
            gradient = length is null ? gradient : gradient + Unit * (length * hasDirection).unsqueeze(1);
        }

        return gradient;
    }

    private Tensor CompareDirections(RecognitionHead head, Tensor labels)
    {
        Tensor own = head.Centers.Weight.index_select(0, labels).to(X.dtype); // [B, D]
        return (Unit * UnitVectors.Normalize(own)).sum(1);
    }
}
