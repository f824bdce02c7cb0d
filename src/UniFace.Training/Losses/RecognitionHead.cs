using TorchSharp;
using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>What a head gives back for one batch. The caller owns and disposes it.</summary>
/// <param name="Loss">The mean loss over the batch.</param>
/// <param name="EmbeddingGradient">dLoss/dEmbeddings, [B, D], for <c>embeddings.backward(gradient)</c>.</param>
/// <param name="TargetCosine">Cosine of each sample with its own class center, before any margin, [B].</param>
/// <param name="HardestNegativeCosine">Largest cosine of each sample with another class's center, [B].</param>
public sealed record HeadOutput(double Loss, Tensor EmbeddingGradient, Tensor TargetCosine, Tensor HardestNegativeCosine) : IDisposable
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
/// The last layer of training: class centers x margin x objective. It is the seam between the backbone and the loss: it gives the
/// loss and its gradient with respect to the embeddings, without autograd, and walks the centers in tiles, so that no matrix of
/// batch times classes and no gradient of the centers is ever made. Objectives that compare with a threshold take one walk and three
/// matrix products, softmax two walks and four. A center is moved as soon as its tile is done, if the caller says how.
/// A batch's loss is the mean over its B samples of weight * (objective + regulariser): divided by B, not by the sum of weights.
/// Everything it needs to go on after a checkpoint is among its parameters, its buffers and the momentum of its centers, randomness included.
/// </summary>
public sealed class RecognitionHead : nn.Module
{
    /// <summary>
    /// Rows a tile, measured (`uniface bench head`): small enough that a tile and its momentum stay in the processor's cache between the
    /// three products, large enough that the products run at full speed.
    /// </summary>
    internal const int TileRows = 2048;
    private ClassSelection? selection;

    /// <summary>A head of the three choices; it owns them.</summary>
    public RecognitionHead(string name, ClassCenters centers, Margin margin, Objective objective)
        : base(name)
    {
        Centers = centers;
        Margin = margin;
        Objective = objective;
        register_module("centers", centers);
        register_module("margin", margin);
        register_module("objective", objective);
    }

    /// <summary>Number of classes.</summary>
    public int Classes => Centers.Classes;

    /// <summary>Values in an embedding.</summary>
    public int EmbeddingSize => Centers.EmbeddingSize;

    /// <summary>The learned threshold as a cosine (b / s) where the objective has one shared bias b, else null.</summary>
    public double? Threshold => Objective.Threshold;

    /// <summary>The class centers.</summary>
    public ClassCenters Centers { get; }

    /// <summary>The margin.</summary>
    public Margin Margin { get; }

    /// <summary>The objective.</summary>
    public Objective Objective { get; }

    /// <summary>Classes a tile; smaller in tests.</summary>
    internal int TileSize { get; set; } = TileRows;

    /// <summary>
    /// Chooses the classes of a step that has several batches: all of their labels are among them. Without it, each
    /// <see cref="ForwardBackward"/> is a step of its own.
    /// </summary>
    public void BeginStep(IEnumerable<long> labels) => selection = Centers.Select(labels);

    /// <summary>
    /// Computes the loss of a batch and returns dLoss/dEmbeddings; adds dLoss/dParameter to the gradients of the head's own parameters,
    /// or moves the class centers at once. The embeddings are raw (not normalised) and are not changed; no graph is kept.
    /// </summary>
    /// <param name="embeddings">[B, D], any float type; computed in float32 or, if the head is float64, in float64.</param>
    /// <param name="labels">[B], int64, each in [0, Classes).</param>
    /// <param name="weights">[B] factors of the samples' losses (class weights), or null for all 1.</param>
    /// <param name="scale">Factor on the gradients, 1/n for an accumulation over n batches; the returned loss is not scaled.</param>
    /// <param name="update">
    /// Moves the class centers by SGD with momentum, tile by tile; null adds their gradient, [C * K, D], to the parameter's, for another
    /// optimizer or to look at. On the CPU nothing that is not finite is ever moved into a center: from the first tile whose loss is not, none is moved.
    /// </param>
    /// <exception cref="UniFaceException">Embeddings are not [B, D], a label is out of range, or weights are not [B].</exception>
    public HeadOutput ForwardBackward(Tensor embeddings, Tensor labels, Tensor? weights = null, double scale = 1, CenterUpdate? update = null)
    {
        long[] classes = HeadInput.Check(embeddings, labels, weights, Classes, EmbeddingSize);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        ClassSelection step = selection ?? Centers.Select(classes);
        selection = update is { Last: false } ? selection : null;
        HeadBatch batch = HeadBatch.Create(this, embeddings, labels, weights, scale);
        if (Objective.Observe() is CosineObserver observer)
        {
            Walk(step, classes, (tile, rows) =>
            {
                Tensor cosines = rows.Compare(batch.X); // [B, T]
                tile.FillTargets(cosines, double.NegativeInfinity);
                observer.See(cosines);
            });
            observer.End(batch.Cosine);
        }

        ObjectiveStep objective = Objective.Begin(batch.ForObjective);
        IRowWork? rowWork = WorksByRow ? objective.Rows : null;
        rowWork?.Begin();
        FusedTiles? fused = rowWork is null ? null : new FusedTiles(batch, rowWork, Math.Min(TileSize, Classes));
        if (objective.Scans)
        {
            Walk(step, classes, (tile, rows) => Scan(tile, rows, batch, objective, fused));
        }

        batch.TakeTargetGradient(objective.TargetGradient());
        Walk(step, classes, (tile, rows) => Backward(tile, rows, batch, objective, fused, update));
        rowWork?.End();
        fused?.End();
        Tensor loss = objective.Loss;
        loss = (batch.Regulariser is null ? loss : loss + batch.Regulariser) * (weights is null ? 1 : weights.detach().to(loss.dtype, loss.device));
        return new HeadOutput(
            OwnedTensors.Value(loss.mean()),
            batch.EmbeddingGradient(objective.NormGradient).to(embeddings.dtype, embeddings.device).MoveToOuterDisposeScope(),
            batch.Cosine.MoveToOuterDisposeScope(),
            batch.HardestNegative.MoveToOuterDisposeScope());
    }

    private bool OnCpu => Centers.Weight.device.type == DeviceType.CPU;

    /// <summary>True where a row's work can be done in one pass: in float32 on the CPU, where no margin touches the other classes.</summary>
    private bool WorksByRow => OnCpu && !Margin.ChangesNonTarget && Centers is { Arithmetic: ScalarType.Float32, SubCenters: 1, Similarity: Similarity.Cosine };

    /// <summary>Visits every tile.</summary>
    private void Walk(ClassSelection step, long[] labels, Action<ClassTile, CenterRows> visit)
    {
        using DisposeScope walk = NewDisposeScope();
        int size = Math.Max(1, TileSize / Centers.SubCenters);
        RowCopies? copies = Centers.Copies(step, size);
        foreach (ClassTile tile in step.Tiles(labels, size))
        {
            using DisposeScope scope = NewDisposeScope();
            visit(tile, Centers.Rows(tile, copies));
        }
    }

    private void Scan(ClassTile tile, CenterRows rows, HeadBatch batch, ObjectiveStep objective, FusedTiles? fused)
    {
        if (fused is not null)
        {
            fused.Scan(tile, rows);
            return;
        }

        Tensor phi = Margin.NonTarget(rows.Compare(batch.X), batch.Input); // [B, T]
        tile.SetTargets(phi, batch.ForObjective.Target);
        objective.Scan(phi);
        HostMemory.TileDone();
    }

    private void Backward(ClassTile tile, CenterRows rows, HeadBatch batch, ObjectiveStep objective, FusedTiles? fused, CenterUpdate? update)
    {
        if (fused is not null)
        {
            fused.Backward(tile, rows, update);
            return;
        }

        Tensor similarities = rows.Compare(batch.X); // [B, T]
        batch.SeeNegatives(tile, similarities, rows);
        Tensor gradient; // [B, T]
        if (Margin.ChangesNonTarget)
        {
            using IDisposable enabled = enable_grad();
            Tensor leaf = similarities.detach().requires_grad_(true);
            Tensor phi = Margin.NonTarget(leaf, batch.Input); // [B, T]
            Tensor outer;
            using (no_grad())
            {
                outer = objective.NonTargetGradient(phi.detach(), tile);
            }

            phi.backward([outer]);
            gradient = leaf.grad!;
        }
        else
        {
            gradient = objective.NonTargetGradient(similarities, tile);
        }

        tile.SetTargets(gradient, batch.TargetGradient);
        rows.Backward(gradient, batch.X, batch.UnitGradient, Finite(objective.Loss) ? update : CenterUpdate.None);
        HostMemory.TileDone();
    }

    private bool Finite(Tensor loss) => !OnCpu || double.IsFinite(OwnedTensors.Value(loss.sum()));
}
