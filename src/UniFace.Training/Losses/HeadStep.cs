using TorchSharp;
using UniFace.Training.Losses.Objectives;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// One optimizer step of a head, over one batch or several. It begins with the labels of all batches, so that they share one selection of
/// classes (<see cref="ClassCenters.Select"/>), and takes the batches in the same order. Under <see cref="CenterUpdate.Sgd"/> the first batch
/// decays the momentum and the last one moves the centers, each tile as soon as its gradient is known.
/// </summary>
public sealed class HeadStep
{
    private readonly RecognitionHead head;
    private readonly IReadOnlyList<Tensor> labels;
    private readonly long[][] classes;
    private readonly CenterUpdate update;
    private readonly ClassSelection selection;
    private int added;

    internal HeadStep(RecognitionHead head, IReadOnlyList<Tensor> labels, CenterUpdate update)
    {
        ArgumentNullException.ThrowIfNull(labels);
        this.head = head;
        this.labels = labels;
        this.update = update;
        classes = [.. labels.Select(batch => HeadInput.Labels(batch, head.Classes))];
        selection = head.Centers.Select(classes.SelectMany(batch => batch));
    }

    /// <summary>
    /// Computes the loss of the next batch and returns dLoss/dEmbeddings; adds dLoss/dParameter to the gradients of the head's own parameters
    /// and updates the class centers. The embeddings are raw (not normalised) and are not changed; no graph is kept.
    /// On the CPU nothing that is not finite is ever moved into a center: from the first tile whose loss is not finite, none is moved.
    /// </summary>
    /// <param name="embeddings">[B, D], any float type; computed in float32 or, if the head is float64, in float64.</param>
    /// <param name="weights">[B] factors of the samples' losses (class weights), or null for all 1.</param>
    /// <param name="scale">Factor on the gradients, 1/n for an accumulation over n batches; the returned loss is not scaled.</param>
    /// <exception cref="UniFaceException">Embeddings are not [B, D], or weights are not [B].</exception>
    /// <exception cref="InvalidOperationException">All batches of the step have been added.</exception>
    public HeadOutput Add(Tensor embeddings, Tensor? weights = null, double scale = 1)
    {
        if (added == labels.Count)
        {
            throw new InvalidOperationException($"The step began with the labels of {labels.Count} batches, and all of them have been added; begin another step.");
        }

        Tensor own = labels[added];
        HeadInput.Check(embeddings, own, weights, head.EmbeddingSize);
        long[] batchClasses = classes[added];
        CenterMove move = new(update, First: added == 0, Last: added == labels.Count - 1);
        added++;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        HeadBatch batch = HeadBatch.Create(head, embeddings, own, weights, scale);
        if (head.Objective.Observe() is CosineObserver observer)
        {
            ForEachTile(batchClasses, (tile, rows) =>
            {
                Tensor cosines = rows.Compare(batch.X); // [B, T]
                tile.FillTargets(cosines, double.NegativeInfinity);
                observer.See(cosines);
            });
            observer.End(batch.Cosine);
        }

        ObjectiveStep objective = head.Objective.Begin(batch.ForObjective);
        IRowWork? rowWork = WorksByRow ? objective.Rows : null;
        rowWork?.Begin();
        FusedTiles? fused = rowWork is null ? null : new FusedTiles(batch, rowWork, Math.Min(head.TileSize, head.Classes));
        if (objective.Scans)
        {
            ForEachTile(batchClasses, (tile, rows) => Scan(tile, rows, batch, objective, fused));
        }

        batch.TakeTargetGradient(objective.TargetGradient());
        ForEachTile(batchClasses, (tile, rows) => Backward(tile, rows, batch, objective, fused, move));
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

    /// <summary>True if a row can be worked on in one pass: in float32 on the CPU, if no margin touches the other classes.</summary>
    private bool WorksByRow => head.OnCpu && !head.Margin.ChangesNonTarget
        && head.Centers is { Arithmetic: ScalarType.Float32, SubCenters: 1, Similarity: Similarity.Cosine };

    private void ForEachTile(long[] batchClasses, Action<ClassTile, CenterRows> visit)
    {
        using DisposeScope pass = NewDisposeScope();
        int size = Math.Max(1, head.TileSize / head.Centers.SubCenters);
        RowCopies? copies = head.Centers.Copies(selection, size);
        foreach (ClassTile tile in selection.Tiles(batchClasses, size))
        {
            using DisposeScope scope = NewDisposeScope();
            visit(tile, head.Centers.Rows(tile, copies));
        }
    }

    private void Scan(ClassTile tile, CenterRows rows, HeadBatch batch, ObjectiveStep objective, FusedTiles? fused)
    {
        if (fused is not null)
        {
            fused.Scan(tile, rows);
            return;
        }

        Tensor phi = head.Margin.NonTarget(rows.Compare(batch.X), batch.Input); // [B, T]
        tile.SetTargets(phi, batch.ForObjective.Target);
        objective.Scan(phi);
        HostMemory.TileDone();
    }

    private void Backward(ClassTile tile, CenterRows rows, HeadBatch batch, ObjectiveStep objective, FusedTiles? fused, CenterMove move)
    {
        if (fused is not null)
        {
            fused.Backward(tile, rows, move);
            return;
        }

        Tensor similarities = rows.Compare(batch.X); // [B, T]
        batch.SeeNegatives(tile, similarities, rows);
        Tensor gradient; // [B, T]
        if (head.Margin.ChangesNonTarget)
        {
            using IDisposable enabled = enable_grad();
            Tensor leaf = similarities.detach().requires_grad_(true);
            Tensor phi = head.Margin.NonTarget(leaf, batch.Input); // [B, T]
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
        rows.Backward(gradient, batch.X, batch.UnitGradient, IsFinite(objective.Loss) ? move : move.Frozen);
        HostMemory.TileDone();
    }

    private bool IsFinite(Tensor loss) => !head.OnCpu || double.IsFinite(OwnedTensors.Value(loss.sum()));
}
