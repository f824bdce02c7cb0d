using System.Diagnostics;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Loop;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Benchmarks;

/// <summary>Speed of the input pipeline.</summary>
/// <param name="ImagesPerSecond">Images per second of the loader alone: read, decoded, augmented and batched.</param>
/// <param name="StepOverhead">Time of a training step fed by the loader divided by that of a step fed from memory, minus 1.</param>
internal sealed record DataSpeed(double ImagesPerSecond, double StepOverhead);

/// <summary>
/// Times the input pipeline on a data set. Every image is decoded each time, as in the first epoch, or with a set too large for the cache. The two
/// kinds of steps alternate, so that noise affects both.
/// </summary>
internal static class DataBenchmark
{
    private const int Rounds = 5;

    /// <summary>Times the loader alone, then steps with and without it.</summary>
    /// <param name="options">Backbone, batch, threads, augmentation and sampler of the run.</param>
    /// <param name="data">The set; the caller disposes it.</param>
    /// <param name="decoder">Decodes its images.</param>
    /// <param name="time">Time of each of the two kinds of steps per round, and of the loader alone.</param>
    /// <param name="roundDone">Called after each of <see cref="RoundCount"/> rounds.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="UniFaceException">An option is out of range, or the data is not usable for training.</exception>
    public static DataSpeed Run(
        TrainOptions options, FaceDataset data, IImageDecoder decoder, TimeSpan time, Action roundDone, CancellationToken cancellationToken)
    {
        options.Validate();
        BackboneRegistry.Validate(options.Backbone);
        set_num_threads(options.Threads);
        BatchLoader loader = TrainingData.Create(options, data, null, decoder, cacheBytes: 0).Loader;
        double imagesPerSecond = LoaderAlone(loader, options.Batch, time, cancellationToken);
        roundDone();

        using RandomTraining training = new(options, data.People.Count);
        List<double> ratios = [];
        int epoch = 0;
        for (int round = 0; round <= Rounds; round++)
        {
            double memory = StepTime(Repeat(training.Batch), training, owned: false, time, cancellationToken);
            double loaded = StepTime(Endless(loader, epoch++, cancellationToken), training, owned: true, time, cancellationToken);
            if (round > 0) // The first round warms up.
            {
                ratios.Add(loaded / memory);
            }

            roundDone();
        }

        ratios.Sort();
        return new DataSpeed(imagesPerSecond, ratios[Rounds / 2] - 1);
    }

    /// <summary>The number of calls of roundDone.</summary>
    public const int RoundCount = Rounds + 2;

    private static double LoaderAlone(BatchLoader loader, int batchSize, TimeSpan time, CancellationToken cancellationToken)
    {
        long images = 0;
        Stopwatch? clock = null;
        foreach (TrainingBatch batch in Endless(loader, 0, cancellationToken))
        {
            batch.Dispose();
            if (clock is null)
            {
                clock = Stopwatch.StartNew(); // The first batch runs cold code.
                continue;
            }

            images += batchSize;
            if (clock.Elapsed > time)
            {
                break;
            }
        }

        return images / clock!.Elapsed.TotalSeconds;
    }

    /// <summary>Mean seconds per step, including the wait for the batch. The first step, which also starts the loader, is not counted.</summary>
    private static double StepTime(IEnumerable<TrainingBatch> batches, RandomTraining training, bool owned, TimeSpan time, CancellationToken cancellationToken)
    {
        Stopwatch? clock = null;
        int steps = 0;
        foreach (TrainingBatch batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            training.Step(batch);
            if (owned)
            {
                batch.Dispose();
            }

            if (clock is null)
            {
                clock = Stopwatch.StartNew();
                continue;
            }

            steps++;
            if (clock.Elapsed > time)
            {
                break;
            }
        }

        return clock!.Elapsed.TotalSeconds / steps;
    }

    private static IEnumerable<TrainingBatch> Repeat(TrainingBatch batch)
    {
        while (true)
        {
            yield return batch;
        }
    }

    private static IEnumerable<TrainingBatch> Endless(BatchLoader loader, int epoch, CancellationToken cancellationToken)
    {
        for (; ; epoch++)
        {
            foreach (TrainingBatch batch in loader.Read(epoch, 0, cancellationToken))
            {
                yield return batch;
            }
        }
    }
}
