namespace UniFace.Training.Head;

/// <summary>From the similarities of a tile to their gradient with tensors: any device, type and margin.</summary>
internal sealed class TensorTiles(Margin margin, MarginInput input, ObjectiveTerms terms)
{
    private readonly RunningLogSumExp logSumExp = new(input.Norm.shape[0], input.Norm.dtype, input.Norm.device);

    /// <summary>The log-sum-exp of the logits of the other classes over all scanned tiles, [B, 1].</summary>
    public Tensor LogSumExp => logSumExp.Value;

    /// <summary>Adds a tile of similarities, [B, T], to <see cref="LogSumExp"/>.</summary>
    public void Scan(ClassTile tile, Tensor similarities)
    {
        Tensor logits = margin.NonTarget(similarities, input) * terms.Scale; // [B, T]
        tile.FillTargets(logits, double.NegativeInfinity);
        logSumExp.Add(logits);
    }

    /// <summary>dLoss/dSimilarity of a tile, [B, T], 0 in the target cells.</summary>
    public Tensor Gradient(ClassTile tile, Tensor similarities)
    {
        if (!margin.ChangesNonTarget)
        {
            return terms.PairGradient(similarities, tile);
        }

        using IDisposable enabled = enable_grad();
        Tensor leaf = similarities.detach().requires_grad_(true);
        Tensor phi = margin.NonTarget(leaf, input); // [B, T]
        Tensor outer;
        using (no_grad())
        {
            outer = terms.PairGradient(phi.detach(), tile);
        }

        phi.backward([outer]);
        return leaf.grad!;
    }
}
