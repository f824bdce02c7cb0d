namespace UniFace.Training.Head;

/// <summary>
/// What the ranks of a sharded head tell each other. Each rank has the centers of a range of the classes and compares them with the embeddings
/// of the global batch, so a step exchanges embeddings, and for each sample a few numbers, but never centers or a matrix of logits.
/// An objective that is separable over pairs needs two collectives per batch: <see cref="GatherEmbeddings"/> and <see cref="Complete"/>. Softmax
/// needs two more: <see cref="SumTargets"/> and <see cref="LogSumExp"/>.
/// </summary>
/// <param name="communicator">The ranks.</param>
/// <param name="shard">The classes of this rank.</param>
internal sealed class HeadExchange(ICommunicator communicator, ShardRange shard)
{
    /// <summary>The classes of this rank.</summary>
    public ShardRange Shard => shard;

    /// <summary>Set to true on any rank before a step; see <see cref="AnyStop"/>.</summary>
    public bool Stop { get; set; }

    /// <summary>True on every rank if <see cref="Stop"/> was set on one before the last batch; needs no message of its own.</summary>
    public bool AnyStop { get; private set; }

    /// <summary>The samples of this rank in a global batch.</summary>
    public ShardRange Samples(long batch) => ShardRange.Of((int)batch, communicator.Rank, communicator.Size);

    /// <summary>The embeddings of all ranks, [B, D], from those of this rank.</summary>
    /// <param name="embeddings">[b, D].</param>
    /// <param name="batch">B.</param>
    public Tensor GatherEmbeddings(Tensor embeddings, long batch)
    {
        int size = (int)embeddings.shape[1];
        Tensor mine = embeddings.detach().to(ScalarType.Float32, CPU).contiguous(); // [b, D]
        Tensor all = empty([batch, size], dtype: ScalarType.Float32); // [B, D]
        int[] counts = [.. ShardRange.Counts((int)batch, communicator.Size).Select(count => count * size)];
        communicator.AllGather(TensorMemory.Floats(mine), TensorMemory.Floats(all), counts, Traffic.Head);
        return all;
    }

    /// <summary>Replaces the targets of samples of other ranks, which are 0, by those ranks' values.</summary>
    /// <param name="similarity">[B].</param>
    /// <param name="sine">[B].</param>
    public (Tensor Similarity, Tensor Sine) SumTargets(Tensor similarity, Tensor sine)
    {
        Tensor both = stack([similarity, sine]).to(ScalarType.Float32, CPU).contiguous(); // [2, B]
        communicator.AllReduce(TensorMemory.Floats(both), Reduction.Sum, Traffic.Head);
        both = both.to(similarity.dtype, similarity.device);
        return (both[0], both[1]);
    }

    /// <summary>The log-sum-exp over the classes of all ranks, [B, 1], from that over the classes of this rank.</summary>
    public Tensor LogSumExp(Tensor own)
    {
        double[] values = own.to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        communicator.AllReduce(values, Reduction.LogSumExp, Traffic.Head);
        return tensor(values, dtype: own.dtype, device: own.device).view(own.shape);
    }

    /// <summary>Adds the results of all ranks for a batch and gives each the rows of its samples.</summary>
    /// <param name="gradient">[B, D]: the part of dLoss/dEmbeddings from the classes of this rank.</param>
    /// <param name="targetCosine">[B]: 0 for samples whose class is on another rank.</param>
    /// <param name="hardestNegative">[B].</param>
    /// <param name="loss">The part of the sum of the losses from the classes of this rank.</param>
    /// <param name="shared">Gradients by this batch of the parameters that every rank has; replaced by their sums.</param>
    /// <returns>The gradients, target cosines and hardest negatives of the samples of this rank, and the sum of the losses.</returns>
    public (Tensor Gradient, Tensor TargetCosine, Tensor HardestNegative, double Loss) Complete(
        Tensor gradient, Tensor targetCosine, Tensor hardestNegative, double loss, float[] shared)
    {
        int batch = (int)gradient.shape[0];
        int size = (int)gradient.shape[1];
        int width = size + 2;
        Tensor rows = cat([gradient, targetCosine.unsqueeze(1), hardestNegative.unsqueeze(1)], 1).to(ScalarType.Float32, CPU).contiguous(); // [B, D + 2]

        // Below the rows of each rank: the loss, whether to stop, and the shared gradients. The last column is a maximum.
        float[] extra = [(float)loss, Stop ? 1 : 0, .. shared];
        int extraRows = (extra.Length + width - 2) / (width - 1);
        int[] counts = ShardRange.Counts(batch, communicator.Size);
        float[] blocks = new float[(batch + (extraRows * counts.Length)) * width];
        Span<float> values = TensorMemory.Floats(rows);
        int from = 0, to = 0;
        foreach (int count in counts)
        {
            values.Slice(from, count * width).CopyTo(blocks.AsSpan(to));
            from += count * width;
            to += count * width;
            for (int row = 0; row < extraRows; row++, to += width)
            {
                int at = row * (width - 1);
                extra.AsSpan(at, Math.Min(width - 1, extra.Length - at)).CopyTo(blocks.AsSpan(to));
            }
        }

        int own = counts[communicator.Rank];
        Tensor mine = empty([own + extraRows, width], dtype: ScalarType.Float32); // [b + E, D + 2]
        communicator.ReduceScatterRows(
            blocks, width, [.. counts.Select(count => count + extraRows)], TensorMemory.Floats(mine), Traffic.Head);
        Span<float> sums = TensorMemory.Floats(mine)[(own * width)..];
        for (int i = 0; i < extra.Length; i++)
        {
            extra[i] = sums[(i / (width - 1) * width) + (i % (width - 1))];
        }

        AnyStop = extra[1] > 0;
        extra.AsSpan(2).CopyTo(shared);
        Tensor result = mine.narrow(0, 0, own).to(gradient.dtype, gradient.device); // [b, D + 2]
        return (result.narrow(1, 0, size), result.select(1, size), result.select(1, size + 1), extra[0]);
    }
}
