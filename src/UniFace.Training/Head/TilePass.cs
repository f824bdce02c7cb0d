namespace UniFace.Training.Head;

/// <summary>The passes of one batch over the tiles of a step. The engine is <see cref="HeadStep"/>; a pass is its arithmetic.</summary>
internal abstract class TilePass
{
    /// <summary>The log-sum-exp of the logits of the other classes over all scanned tiles, [B, 1].</summary>
    public abstract Tensor LogSumExp { get; }

    /// <summary>The fastest pass that supports the head: by rows in float32 on the CPU if the margin leaves other classes unchanged.</summary>
    public static TilePass Create(RecognitionHead head, HeadBatch batch, ObjectiveTerms terms)
    {
        bool fits = head.AllowRowPass && head.OnCpu && !head.Margin.ChangesNonTarget
            && head.Centers is { Arithmetic: ScalarType.Float32, SubCenters: 1, Similarity: Similarity.Cosine };
        return fits && terms.TryGetRowKernel(out IRowKernel kernel)
            ? new RowPass(batch, terms, kernel, (int)batch.X.shape[0], Math.Min(head.TileSize, head.Classes))
            : new TensorPass(head, batch, terms);
    }

    /// <summary>Adds a tile to <see cref="LogSumExp"/>.</summary>
    public abstract void Scan(ClassTile tile, CenterTile rows);

    /// <summary>Called between the scan and the first <see cref="Backward"/>, when the gradient of the targets is known.</summary>
    public virtual void BeginBackward()
    {
    }

    /// <summary>Computes the gradient of a tile, adds it to that of the embeddings, and updates the rows.</summary>
    public abstract void Backward(ClassTile tile, CenterTile rows, BatchUpdate update);

    /// <summary>Completes the loss and the hardest negatives after the last tile.</summary>
    public virtual void Complete()
    {
    }
}

/// <summary>A pass with tensors.</summary>
internal sealed class TensorPass(RecognitionHead head, HeadBatch batch, ObjectiveTerms terms) : TilePass
{
    /// <summary>
    /// Tiles between two trims. Without them glibc's heap fragments, whatever the program chose: a step over 600,000 classes took 804 MB beside the
    /// centers instead of 65 MB.
    /// </summary>
    private const int TilesPerTrim = 32;
    private readonly TileGradient tiles = new(head.Margin, batch.Input, terms);
    private int processed;

    public override Tensor LogSumExp => tiles.LogSumExp;

    public override void Scan(ClassTile tile, CenterTile rows)
    {
        tiles.Scan(tile, rows.Compare(batch.X));
        Trim();
    }

    public override void Backward(ClassTile tile, CenterTile rows, BatchUpdate update)
    {
        Tensor similarities = rows.Compare(batch.X); // [B, T]
        batch.AddNegatives(tile, similarities, rows);
        Tensor gradient = tiles.Gradient(tile, similarities); // [B, T]
        tile.SetTargets(gradient, batch.TargetGradient);
        bool finite = !head.OnCpu || double.IsFinite(OwnedTensors.Value(terms.Loss.sum()));
        rows.Backward(gradient, batch.X, batch.EmbeddingSum, finite ? update : update.WithoutUpdate);
        Trim();
    }

    private void Trim()
    {
        if (++processed % TilesPerTrim == 0)
        {
            HostAllocator.Trim();
        }
    }
}
