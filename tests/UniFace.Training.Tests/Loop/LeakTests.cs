using System.Runtime.InteropServices;
using TorchSharp;
using UniFace.Benchmarks;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Loop;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

[Collection(SerialCollection.Name)]
public sealed class LeakTests
{
    private const long Slack = 4 << 20;

    /// <summary>
    /// The gate against leaks: native memory is invisible to the collector, so the count must not grow by a single tensor. It may fall, when the
    /// collector frees what an earlier test has left. The bytes are what the C library has handed out, not what is resident, which depends on the
    /// machine and on what ran before.
    /// </summary>
    [Fact]
    public void A_thousand_steps_leave_no_tensor_behind_and_take_no_more_memory()
    {
        Collect(); // The garbage of other tests must not be counted.
        TrainOptions options = Toy.Options with { Ema = 0.99, Accumulate = 2 };
        TrainingData data = TrainingData.Create(options, new ToyDataset(6, 5), null, new ToyDecoder());
        using TrainingState state = Toy.State(options, 6, () => new ToyBackbone(dropout: true));
        TrainingStep step = new(options, new LearningRateSchedule(ScheduleKind.Poly, 0.05, 2000), state, torch.CPU, null);
        List<TrainingBatch> group = [];
        List<long> counts = [];
        List<long> allocated = [];
        int steps = 0;
        for (int epoch = 0; steps < 1000; epoch++)
        {
            foreach (TrainingBatch batch in data.Loader.Read(epoch, 0, TestContext.Current.CancellationToken))
            {
                group.Add(batch);
                if (group.Count == 2)
                {
                    step.Run(group);
                    steps++;
                    group.ForEach(b => b.Dispose());
                    group.Clear();
                }
            }

            group.ForEach(b => b.Dispose());
            group.Clear();
            counts.Add(torch.Tensor.TotalCount);
            if (epoch % 50 == 0)
            {
                allocated.Add(Collect());
            }
        }

        Assert.InRange(counts.Max(), 0, counts[1]); // The first epoch creates the optimizer's state.
        Assert.InRange(allocated[^1], 0, allocated[1] + Slack);
    }

    /// <summary>The same for a real network, which runs on the tape and the fused kernels.</summary>
    [Fact]
    public void Steps_of_a_real_backbone_take_no_more_memory()
    {
        Collect();
        TrainOptions options = Toy.Options with { Backbone = new BackboneSpec("mobilefacenet", 0.25, 32), Batch = 4 };
        using RandomTraining training = new(options, 50);
        List<(long Tensors, long Bytes)> after = [];
        for (int step = 0; step <= 90; step++)
        {
            training.Step(training.Batch);
            if (step % 30 == 0)
            {
                after.Add((torch.Tensor.TotalCount, Collect()));
            }
        }

        Assert.InRange(after.Max(a => a.Tensors), 0, after[1].Tensors);
        Assert.InRange(after[^1].Bytes, 0, after[1].Bytes + Slack);
    }

    /// <summary>Collects all garbage. Returns the bytes that malloc has handed out, or 0 if the C library does not count them.</summary>
    private static long Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        try
        {
            MallocInfo info = ReadMallocInfo();
            return (long)(info.InUse + info.Mapped);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return 0;
        }
    }

    [DllImport("libc", EntryPoint = "mallinfo2")]
    private static extern MallocInfo ReadMallocInfo();

    /// <summary>struct mallinfo2 of glibc 2.33 and later.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallocInfo
    {
        public readonly nuint Arena, FreeChunks, FastChunks, MappedRegions, Mapped, Unused, FastFree, InUse, Free, Trimmable;
    }
}
