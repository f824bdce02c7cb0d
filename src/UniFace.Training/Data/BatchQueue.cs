using System.Runtime.ExceptionServices;
using TorchSharp;
using static TorchSharp.torch;

namespace UniFace.Training.Data;

/// <summary>
/// Hands out the places of the coming batches to workers, picture by picture, and the finished batches to the reader in order.
/// Never are more batches begun and not taken than the queue is long, so memory is bounded. All methods are thread-safe.
/// </summary>
internal sealed class BatchQueue(int[] order, int firstBatch, int batches, LoaderOptions options) : IDisposable
{
    private readonly object gate = new();
    private readonly Dictionary<int, Building> building = [];
    private long nextPosition = (long)firstBatch * options.BatchSize;
    private int nextBatch = firstBatch;
    private int claimed;
    private bool stopped;
    private Exception? error;
    private long errorPosition = long.MaxValue;

    /// <summary>A place to fill.</summary>
    /// <param name="Images">The batch's pixels, [B, 3, H, W] float32.</param>
    /// <param name="Batch">The batch's number in the epoch.</param>
    /// <param name="Index">The place in the batch.</param>
    /// <param name="Position">The place in the epoch.</param>
    /// <param name="Sample">The sample to put there.</param>
    internal readonly record struct Slot(Tensor Images, int Batch, int Index, long Position, int Sample);

    /// <summary>Waits for the next place to fill; false where there is none any more.</summary>
    public bool Claim(out Slot slot)
    {
        lock (gate)
        {
            slot = default;
            int batch;
            while (true)
            {
                batch = (int)(nextPosition / options.BatchSize);
                if (stopped || error is not null || batch >= batches)
                {
                    return false;
                }

                if (batch < nextBatch + options.QueueLength)
                {
                    break;
                }

                Monitor.Wait(gate);
            }

            if (!building.TryGetValue(batch, out Building? target))
            {
                try
                {
                    target = new Building(options);
                }
#pragma warning disable CA1031 // No memory for a batch is the reader's to hear of, like any failure.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    error = e;
                    errorPosition = nextPosition;
                    Monitor.PulseAll(gate);
                    return false;
                }

                building.Add(batch, target);
            }

            slot = new Slot(target.Images, batch, (int)(nextPosition % options.BatchSize), nextPosition, order[nextPosition]);
            nextPosition++;
            claimed++;
            return true;
        }
    }

    /// <summary>Says that a place is filled.</summary>
    public void Finish(Slot slot, int label)
    {
        lock (gate)
        {
            claimed--;
            Building target = building[slot.Batch];
            target.Labels[slot.Index] = label;
            target.Samples[slot.Index] = slot.Sample;
            target.Filled++;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Says that a place cannot be filled. Of several failures the reader sees the first by position, whatever thread was faster.</summary>
    public void Fail(Slot slot, Exception exception)
    {
        lock (gate)
        {
            claimed--;
            if (slot.Position < errorPosition)
            {
                errorPosition = slot.Position;
                error = exception;
            }

            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Waits for the next batch; null after <see cref="Stop"/>. The caller owns it.</summary>
    public TrainingBatch? Take()
    {
        lock (gate)
        {
            while (true)
            {
                if (stopped)
                {
                    return null;
                }

                if (building.TryGetValue(nextBatch, out Building? target) && target.Filled == options.BatchSize)
                {
                    building.Remove(nextBatch++);
                    Monitor.PulseAll(gate);
                    return target.Finish();
                }

                if (error is not null && claimed == 0)
                {
                    ExceptionDispatchInfo.Throw(error);
                }

                Monitor.Wait(gate);
            }
        }
    }

    /// <summary>Ends the work: claims give nothing more, the reader gets null.</summary>
    public void Stop()
    {
        lock (gate)
        {
            stopped = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Disposes the batches that were not taken; the workers must have ended.</summary>
    public void Dispose()
    {
        foreach (Building target in building.Values)
        {
            target.Images.Dispose();
        }

        building.Clear();
    }

    private sealed class Building(LoaderOptions options)
    {
        // [B, 3, H, W]
        public Tensor Images { get; } = torch.empty([options.BatchSize, 3, options.InputSize.Height, options.InputSize.Width], ScalarType.Float32);

        public long[] Labels { get; } = new long[options.BatchSize];

        public int[] Samples { get; } = new int[options.BatchSize];

        public int Filled { get; set; }

        /// <summary>The batch, its tensors outside of any dispose scope of the reader: the reader owns it.</summary>
        public TrainingBatch Finish() => new(Images, torch.tensor(Labels, ScalarType.Int64).DetachFromDisposeScope(), Samples);
    }
}
