namespace UniFace.Training.Head;

/// <summary>
/// One optimizer step of a head, over one batch or several. It begins with the labels of all batches, so that they share one selection of
/// classes, and takes the batches in the same order. Under <see cref="CenterUpdate.Sgd"/> the first batch decays the momentum and the
/// last one moves the centers, each tile as soon as its gradient is known.
/// </summary>
/// <remarks>
/// Sharded centers: each process owns a range of classes and passes the global batch over its own tiles; <see cref="HeadExchange"/> is all that
/// crosses processes. Losses over a memory of features: <see cref="CenterTile"/> needs only rows and their targets, so
/// the features of earlier batches can be further tiles, which are compared but not updated (<see cref="BatchUpdate.WithoutUpdate"/>).
/// </remarks>
internal sealed class HeadStep
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
        classes = [.. labels.Select(batch => HeadInputChecks.ReadLabels(batch, head.Classes))];
        selection = head.Centers.Select(classes.SelectMany(batch => batch));
        if (head.Exchange is not null && update == CenterUpdate.Accumulate)
        {
            // A shard of which the step uses no class has a gradient of 0, so that the optimizer treats it like the others.
            _ = head.Centers.GetOrCreateGradient();
        }
    }

    /// <summary>True between the first batch and the last: the momentum of the centers has decayed, and they have not moved yet.</summary>
    internal bool IsPartial => added > 0 && added < labels.Count;

    /// <summary>
    /// Computes the loss of the next batch and dLoss/dEmbeddings, adds dLoss/dParameter to the gradients of the head's own parameters, and
    /// updates the class centers. The embeddings are raw (not normalized) and are not changed; no graph is kept.
    /// On the CPU, no value that is not finite is ever written to a center: from the first tile whose loss is not finite, none is updated.
    /// </summary>
    /// <param name="embeddings">
    /// [B, D], any float type; computed in float32 or, if the head is float64, in float64. Of a sharded head, those of this process's samples.
    /// </param>
    /// <param name="weights">[B] factors on the losses of the samples (class weights), or null for all 1; of a sharded head, of the global batch.</param>
    /// <param name="scale">Factor on the gradients, 1/n for an accumulation over n batches; the returned loss is not scaled.</param>
    /// <returns>The mean loss over the (global) batch, and the gradients and cosines of the given embeddings.</returns>
    /// <exception cref="UniFaceException">Embeddings are not [B, D], or weights are not [B].</exception>
    /// <exception cref="InvalidOperationException">All batches of the step have been added.</exception>
    public HeadOutput Add(Tensor embeddings, Tensor? weights = null, double scale = 1)
    {
        if (added == labels.Count)
        {
            throw new InvalidOperationException(
                $"The step began with the labels of {labels.Count} batches, and all of them have been added; begin another step.");
        }

        HeadExchange? exchange = head.Exchange;
        long samples = labels[added].shape[0]; // B, of all processes
        HeadInputChecks.CheckShapes(embeddings, labels[added], weights, head.EmbeddingSize, exchange?.Samples(samples).Count);
        BatchUpdate batchUpdate = new(update, First: added == 0, Last: added == labels.Count - 1);
        long[] batchClasses = classes[added];
        using NoGradScope scope = new();
        Tensor all = exchange?.GatherEmbeddings(embeddings, samples) ?? embeddings; // [B, D]
        HeadBatch batch = new(head, all, labels[added++], weights, scale);
        SharedGradients shared = new(head);
        (ObjectiveTerms terms, TilePass pass) = Begin(batch);
        if (head.Objective.UpdatesPerBatch)
        {
            ForEachTile(batchClasses, pass.Scan);
            head.Objective.Update(exchange?.LogSumExp(pass.LogSumExp) ?? pass.LogSumExp, batch.TargetCosine);
            (terms, pass) = Begin(batch);
        }

        if (terms.NeedsLogSumExp)
        {
            ForEachTile(batchClasses, pass.Scan);
            terms.SetLogSumExp(exchange?.LogSumExp(pass.LogSumExp) ?? pass.LogSumExp);
        }

        if (update is CenterUpdate.Sgd)
        {
            head.Centers.BeginUpdate();
        }

        batch.BackwardTargets(terms.TargetGradient());
        pass.BeginBackward();
        ForEachTile(batchClasses, (tile, rows) => pass.Backward(tile, rows, batchUpdate));
        pass.Complete();
        Tensor loss = batch.Regularizer is Tensor regularizer ? terms.Loss + regularizer : terms.Loss;
        loss = weights is null ? loss : loss * weights.detach().to(loss.dtype, loss.device);
        Tensor gradient = batch.EmbeddingGradient(terms.NormGradient);
        if (exchange is null)
        {
            return Output(OwnedTensors.Value(loss.mean()), gradient, batch.TargetCosine, batch.HardestNegative, embeddings);
        }

        float[] sums = shared.Added();
        (Tensor Gradient, Tensor TargetCosine, Tensor HardestNegative, double Loss) mine = exchange.Complete(
            gradient, batch.Owned(batch.TargetCosine)!, batch.HardestNegative, OwnedTensors.Value(loss.sum(ScalarType.Float64)), sums);
        shared.Replace(sums);
        return Output(mine.Loss / samples, mine.Gradient, mine.TargetCosine, mine.HardestNegative, embeddings);
    }

    private static HeadOutput Output(double loss, Tensor gradient, Tensor targetCosine, Tensor hardestNegative, Tensor embeddings) => new(
        loss,
        gradient.to(embeddings.dtype, embeddings.device).MoveToOuterDisposeScope(),
        targetCosine.MoveToOuterDisposeScope(),
        hardestNegative.MoveToOuterDisposeScope());

    private (ObjectiveTerms Terms, TilePass Pass) Begin(HeadBatch batch)
    {
        ObjectiveTerms terms = head.Objective.Begin(batch.ObjectiveBatch);
        return (terms, TilePass.Create(head, batch, terms));
    }

    private void ForEachTile(long[] batchClasses, Action<ClassTile, CenterTile> visit)
    {
        using DisposeScope pass = NewDisposeScope();
        int size = Math.Max(1, head.TileSize / head.Centers.SubCenters);
        TileStaging? staging = head.Centers.CreateStaging(selection, size);
        foreach (ClassTile tile in selection.Tiles(batchClasses, size))
        {
            using DisposeScope scope = NewDisposeScope();
            visit(tile, new CenterTile(head.Centers, tile, staging));
        }
    }
}
