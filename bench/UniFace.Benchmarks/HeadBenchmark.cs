using System.Diagnostics;
using TorchSharp;
using UniFace.IO;
using UniFace.Training.Distributed;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Benchmarks;

/// <summary>Time and memory of a head.</summary>
/// <param name="Loss">The loss with all its hyperparameters.</param>
/// <param name="Classes">C.</param>
/// <param name="Batch">B.</param>
/// <param name="Dim">D.</param>
/// <param name="SampleRate">r, the share of the classes that a step uses.</param>
/// <param name="CenterType">How centers and momentum are stored.</param>
/// <param name="StepMs">Median milliseconds of a step: loss, gradient of the embeddings, update of all used centers.</param>
/// <param name="GemmMs">Median milliseconds of the three bare matrix products of the same shapes, alternating with the steps.</param>
/// <param name="ExtraMb">Peak resident memory of the steps beyond centers, momentum and what the process had before, in MB (10^6 bytes).</param>
/// <param name="CentersMb">Centers and momentum, in MB (10^6 bytes).</param>
internal sealed record HeadSpeed(
    Loss Loss,
    int Classes,
    int Batch,
    int Dim,
    double SampleRate,
    CenterType CenterType,
    double StepMs,
    double GemmMs,
    double ExtraMb,
    double CentersMb);

/// <summary>
/// Times the head alone, under mpiexec sharded over the processes, on random embeddings, next to the three matrix products that any exact head needs.
/// </summary>
internal static class HeadBenchmark
{
    private const int Dim = 512;
    private const int Rounds = 5;

    /// <summary>The number of rounds, including the warm-up.</summary>
    public const int StepCount = Rounds + 1;

    /// <summary>float32 and all classes if centers and momentum fit into the machine's memory, else bfloat16 and a tenth of the classes.</summary>
    public static (CenterType Type, double SampleRate) Fit(int classes) =>
        CenterMemory.Fits(CenterMemory.Bytes(classes, Dim, CenterType.Float32))
            ? (CenterType.Float32, 1)
            : (CenterType.BFloat16, 0.1);

    /// <summary>Times one head.</summary>
    /// <param name="loss">The loss; its negative-rate is the sample rate.</param>
    /// <param name="classes">C.</param>
    /// <param name="batch">B.</param>
    /// <param name="type">How centers are stored.</param>
    /// <param name="threads">Threads of libtorch.</param>
    /// <param name="stepDone">Called after each of <see cref="StepCount"/> rounds.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <exception cref="UniFaceException">Centers and momentum exceed the machine's memory.</exception>
    public static HeadSpeed Run(
        Loss loss, int classes, int batch, CenterType type, int threads, Action stepDone, CancellationToken cancellationToken)
    {
        ICommunicator communicator = MpiJob.Current;
        long bytes = CenterMemory.Require(classes, Dim, type, communicator);
        set_num_threads(threads);
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(1, CPU);
        Tensor x = randn([batch, Dim], generator: generator); // [B, D]
        Tensor labels = randint(0, classes, [batch], dtype: ScalarType.Int64, generator: generator); // [B]
        CenterUpdate.Sgd update = new(0.01, 0.9, 5e-4);
        ShardRange samples = ShardRange.Of(batch, communicator.Rank, communicator.Size);
        Tensor own = x.narrow(0, samples.First, samples.Count); // [b, D]
        ScalarType? stored = type == CenterType.BFloat16 ? ScalarType.BFloat16 : null;
        using (RecognitionHead small = loss.CreateHead(RecognitionHead.TileRows, Dim, 1, centers: stored, communicator: communicator))
        {
            // Memory that libraries keep after their first use is not the head's.
            small.ForwardBackward(own, labels.remainder(RecognitionHead.TileRows), update: update).Dispose();
        }

        HostAllocator.Trim(); // Otherwise memory freed by an earlier head would hide the use of this one.
        long before = ResidentMemory.Now();
        using RecognitionHead head = loss.CreateHead(classes, Dim, 1, centers: stored, communicator: communicator);
        int rows = (int)Math.Max(1, head.Centers.Shard.Count * loss.NegativeRate);
        List<double> steps = [];
        List<double> products = [];
        long peak = 0;
        for (int round = 0; round <= Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ResidentMemory.ResetPeak();
            communicator.Barrier();
            double step = Time(() => head.ForwardBackward(own, labels, update: update).Dispose());
            if (round > 0) // The first round creates the momentum and warms up.
            {
                steps.Add(step);
                peak = Math.Max(peak, ResidentMemory.Peak());
                products.Add(Time(() => BareProducts(x, head.Centers.Weight, rows)));
            }

            stepDone();
        }

        steps.Sort();
        products.Sort();
        double extra = Math.Max(0, peak - before - bytes) / 1e6;
        return new HeadSpeed(loss, classes, batch, Dim, loss.NegativeRate, type, steps[Rounds / 2], products[Rounds / 2], extra, bytes / 1e6);
    }

    /// <summary>
    /// Similarities, gradient of the embeddings and gradient of the centers, tile by tile as in the head. A whole B x C matrix would measure memory
    /// bandwidth instead.
    /// </summary>
    private static void BareProducts(Tensor x, Tensor weight, int rows)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Tensor embeddings = zeros_like(x); // [B, D]
        Tensor moved = zeros([RecognitionHead.TileRows, Dim]); // [T, D]
        for (int start = 0; start < rows; start += RecognitionHead.TileRows)
        {
            using DisposeScope inner = NewDisposeScope();
            int count = Math.Min(RecognitionHead.TileRows, rows - start);
            Tensor tile = weight.narrow(0, start, count).to(ScalarType.Float32); // [T, D]
            Tensor products = x.mm(tile.t()); // [B, T]
            embeddings.addmm_(products, tile);
            moved.narrow(0, 0, count).addmm_(products.t(), x, beta: 0, alpha: 1);
        }
    }

    private static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
