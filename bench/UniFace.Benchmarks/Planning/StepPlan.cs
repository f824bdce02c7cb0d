using UniFace.Training.Distributed;
using UniFace.Training.Head;

namespace UniFace.Benchmarks.Planning;

/// <summary>What is planned: a training step of all ranks, with SGD, batch norms that are not synchronized, and centers in float32.</summary>
/// <param name="Machine">The machine of each rank.</param>
/// <param name="Ranks">N.</param>
/// <param name="Classes">C.</param>
/// <param name="Batch">b, images per rank.</param>
/// <param name="Loss">What the loss exchanges.</param>
/// <param name="Backbone">The backbone.</param>
/// <param name="Size">D.</param>
/// <param name="SampleRate">r, the share of the classes that a step uses.</param>
/// <param name="FromHost">Whether messages are sent from host memory, as today.</param>
internal sealed record StepCase(
    PlanMachine Machine,
    int Ranks,
    long Classes,
    int Batch,
    LossExchange Loss,
    BackboneCost Backbone,
    int Size = 512,
    double SampleRate = 1,
    bool FromHost = true)
{
    /// <summary>B, images of all ranks.</summary>
    public long TotalBatch => (long)Batch * Ranks;
}

/// <summary>The predicted time, memory and traffic of a training step, per rank. Times in seconds.</summary>
internal sealed class StepPlan
{
    // Passes over the rows of a tile: read for the products, momentum read and written, rows read and written in the update.
    private const int CenterPasses = 5;

    // How often the operations of TensorPass read or write a similarity: in the backward pass with its products, and in the scan of softmax losses.
    private const int CellPasses = 24;
    private const int ScanPasses = 11;

    // Passes of clipping and SGD over the backbone's parameters.
    private const int OptimizerPasses = 8;

    /// <summary>Computes the plan of a case.</summary>
    public StepPlan(StepCase step)
    {
        PlanMachine machine = step.Machine;
        LossExchange loss = step.Loss;
        double speed = machine.Speed(step.Ranks);
        double rows = step.Classes * (double)loss.SubCenters / step.Ranks;
        double used = rows * step.SampleRate;
        double batch = step.TotalBatch;
        Link link = machine.LinkOf(step.Ranks, step.FromHost);
        double copy = step.FromHost ? 1 / machine.CopyRate : 0; // seconds per byte
        double call = step.FromHost ? machine.CallCost.Host : machine.CallCost.Device;

        double forward = 2 * step.Backbone.MultiplyAdds * step.Batch;
        Forward = forward / (machine.BackboneRate * speed);
        Backward = 2 * Forward;
        double products = 2 * loss.Products * batch * used * step.Size / (machine.HeadRate * speed);
        double cells = machine.CachesCells ? 0 : (CellPasses + (ScanPasses * loss.Reductions)) * 4 * batch * used;
        double centers = (CenterPasses + loss.Reductions) * 4 * used * step.Size;
        Head = products + ((cells + centers) / (machine.MemoryRate * speed));
        double gradients = 4.0 * step.Backbone.Parameters;
        Optimizer = OptimizerPasses * gradients / (machine.MemoryRate * speed);

        double embeddings = 4 * batch * step.Size, results = 4 * (batch + step.Ranks) * (step.Size + 2), targets = 8 * batch;
        HeadCalls = step.Ranks == 1 ? 0 : loss.Calls;
        HeadBytes = loss.Bytes(step.Ranks, step.Batch, step.TotalBatch, step.Size);
        BackboneCalls = step.Ranks == 1 ? 0 : (int)Math.Ceiling(gradients / (4 * GradientReducer.BucketValues));
        BackboneBytes = step.Ranks == 1 ? 0 : (long)gradients;
        if (step.Ranks > 1)
        {
            Exchange = (loss.Calls * call) + link.AllGather(step.Ranks, embeddings) + link.ReduceScatter(step.Ranks, results)
                + ((loss.Calls - 2) * (link.AllReduce(step.Ranks, targets) + (2 * targets * copy)))
                + ((embeddings + results) * (1 + (1.0 / step.Ranks)) * copy);
            double bucket = call + link.AllReduce(step.Ranks, gradients / BackboneCalls) + (2 * gradients / BackboneCalls * copy);
            double sums = BackboneCalls * bucket;
            Reduce = machine.Overlaps ? Math.Max(bucket, sums - Backward) : sums;
        }

        CenterBytes = 2 * 4 * rows * step.Size;
        double tile = 4.0 * Math.Min(rows, RecognitionHead.TileRows) * ((3 * batch) + (2 * step.Size));
        MemoryBytes = CenterBytes + tile + (4 * embeddings) + (3 * gradients) + (step.Batch * step.Backbone.ActivationBytes);
        Fits = MemoryBytes <= machine.MemoryGb * 1e9 / (machine.Processors == 0 ? 1 : step.Ranks);
    }

    /// <summary>The forward pass of the backbone.</summary>
    public double Forward { get; }

    /// <summary>The computations of the head, with the update of its centers.</summary>
    public double Head { get; }

    /// <summary>The collectives of the head, which nothing overlaps.</summary>
    public double Exchange { get; }

    /// <summary>The backward pass of the backbone.</summary>
    public double Backward { get; }

    /// <summary>The sums of the backbone's gradients that the backward pass does not hide.</summary>
    public double Reduce { get; }

    /// <summary>Clipping and optimizer.</summary>
    public double Optimizer { get; }

    /// <summary>The whole step.</summary>
    public double Step => Forward + Head + Exchange + Backward + Reduce + Optimizer;

    /// <summary>Collectives of the head.</summary>
    public int HeadCalls { get; }

    /// <summary>Bytes that the rank passes to them.</summary>
    public long HeadBytes { get; }

    /// <summary>Collectives of the backbone's gradients, at most.</summary>
    public int BackboneCalls { get; }

    /// <summary>Bytes that the rank passes to them.</summary>
    public long BackboneBytes { get; }

    /// <summary>Memory of the centers and their momentum.</summary>
    public double CenterBytes { get; }

    /// <summary>Memory of everything.</summary>
    public double MemoryBytes { get; }

    /// <summary>Whether the machine has it.</summary>
    public bool Fits { get; }
}
