using UniFace.Training.Head;
using UniFace.Training.Losses;

namespace UniFace.Benchmarks.Planning;

/// <summary>What a loss computes and exchanges per batch, as its head says.</summary>
/// <param name="Reductions">Reductions over all classes: log-sum-exps of softmax losses. Each is a pass over the classes.</param>
/// <param name="Targets">Whether every rank must know the targets of all samples.</param>
/// <param name="SubCenters">Centers per class.</param>
internal sealed record LossExchange(int Reductions, bool Targets, int SubCenters)
{
    /// <summary>Collectives per batch.</summary>
    public int Calls => 2 + (Targets ? 1 : 0) + Reductions;

    /// <summary>Matrix products per batch: a pass forward for each reduction, and the three of the gradients.</summary>
    public int Products => 3 + Reductions;

    /// <summary>Reads the properties of a loss.</summary>
    public static LossExchange Create(Loss loss)
    {
        using RecognitionHead head = loss.CreateHead(Math.Max(2, loss.Info.MinimumClasses), 8, 1);
        bool separable = head.Objective.IsSeparable;
        return new LossExchange(
            (separable ? 0 : 1) + (head.Objective.UpdatesPerBatch ? 1 : 0),
            !separable || head.Margin.UsesBatchTargets,
            head.Centers.SubCenters);
    }

    /// <summary>Bytes that a rank passes to the collectives of a batch.</summary>
    /// <param name="ranks">N.</param>
    /// <param name="batch">b, samples of the rank.</param>
    /// <param name="total">B, samples of all ranks.</param>
    /// <param name="size">D.</param>
    public long Bytes(int ranks, int batch, long total, int size) => ranks == 1
        ? 0
        : (4L * batch * size) + (8 * total * ((Targets ? 1 : 0) + Reductions)) + (4 * (total + ranks) * (size + 2));
}
