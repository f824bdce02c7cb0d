using System.Runtime.InteropServices;
using UniFace.Data;
using UniFace.Faces;

namespace UniFace.Training.Data;

/// <summary>
/// Makes batches on threads of its own: reads, decodes, checks the size, augments and normalises, some batches ahead of the step.
/// What is in a batch depends on (seed, epoch, position) alone, whatever the number of threads and wherever a run was resumed.
/// A last batch that would be incomplete is dropped; over the epochs, whose orders differ, no picture is left out for good.
/// </summary>
public sealed class BatchLoader
{
    private readonly FaceDataset dataset;
    private readonly IImageDecoder decoder;
    private readonly ISampler sampler;
    private readonly AugmentOptions augment;
    private readonly LoaderOptions options;
    private readonly RgbImage?[]? cache;
    private readonly bool[] read;

    /// <summary>A loader over a set, which stays the caller's.</summary>
    /// <exception cref="UniFaceException">There are fewer pictures than a batch takes, or an option is out of its range.</exception>
    public BatchLoader(FaceDataset dataset, IImageDecoder decoder, ISampler sampler, AugmentOptions augment, LoaderOptions options)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(decoder);
        ArgumentNullException.ThrowIfNull(sampler);
        ArgumentNullException.ThrowIfNull(augment);
        ArgumentNullException.ThrowIfNull(options);
        if (options.BatchSize < 1 || options.Threads < 1 || options.QueueLength < 1)
        {
            throw new UniFaceException($"batch size {options.BatchSize}, {options.Threads} loader threads, {options.QueueLength} batches ahead: each must be at least 1.");
        }

        BatchesPerEpoch = sampler.Length / options.BatchSize;
        if (BatchesPerEpoch == 0)
        {
            throw new UniFaceException($"{dataset.Source} shows {sampler.Length} pictures an epoch, fewer than a batch of {options.BatchSize}; lower --batch.");
        }

        augment.Check();
        this.dataset = dataset;
        this.decoder = decoder;
        this.sampler = sampler;
        this.augment = augment;
        this.options = options;
        read = new bool[dataset.Samples.Count];
        cache = dataset.Samples.Count <= options.CacheBytes / ImageBytes ? new RgbImage?[dataset.Samples.Count] : null;
    }

    /// <summary>Batches of an epoch: pictures of an epoch divided by the batch size, rounded down.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>Given the index and bytes of each sample when it is first read, from several threads; a sample may come twice.</summary>
    internal Action<int, byte[]>? FirstRead { get; set; }

    private long ImageBytes => 3L * options.InputSize.Width * options.InputSize.Height;

    /// <summary>
    /// The batches of an epoch, in order. The caller disposes each; batches made ahead and not taken are disposed here.
    /// </summary>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="firstBatch">First batch to give, to go on in the middle of an epoch.</param>
    /// <param name="cancellationToken">Ends the reading with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="UniFaceException">A picture cannot be read or has the wrong size; names it.</exception>
    public IEnumerable<TrainingBatch> Read(int epoch, int firstBatch = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        return Batches(epoch, firstBatch, cancellationToken);
    }

    private IEnumerable<TrainingBatch> Batches(int epoch, int firstBatch, CancellationToken cancellationToken)
    {
        int[] order = sampler.Epoch(epoch);
        using BatchQueue queue = new(order, firstBatch, BatchesPerEpoch, options);
        Thread[] workers = new Thread[options.Threads];
        for (int i = 0; i < workers.Length; i++)
        {
            workers[i] = new Thread(() => Work(queue, epoch)) { IsBackground = true, Name = $"loader {i}" };
            workers[i].Start();
        }

        try
        {
            using CancellationTokenRegistration registration = cancellationToken.Register(queue.Stop);
            for (int batch = firstBatch; batch < BatchesPerEpoch; batch++)
            {
                TrainingBatch? made = queue.Take();
                if (made is null)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    throw new ObjectDisposedException(nameof(BatchLoader));
                }

                yield return made;
            }
        }
        finally
        {
            queue.Stop();
            foreach (Thread worker in workers)
            {
                worker.Join();
            }
        }
    }

    private void Work(BatchQueue queue, int epoch)
    {
        Augmenter augmenter = new(augment);
        while (queue.Claim(out BatchQueue.Slot slot))
        {
            try
            {
                Span<float> pixels = MemoryMarshal.Cast<byte, float>(slot.Images.bytes).Slice((int)(slot.Index * ImageBytes), (int)ImageBytes);
                SeededRandom random = new(options.Seed, RandomStream.Augmentation, epoch, slot.Position);
                augmenter.Write(Image(slot.Sample), random, pixels);
                queue.Finish(slot, dataset.Samples[slot.Sample].Label);
            }
#pragma warning disable CA1031 // Whatever goes wrong on a worker is thrown to the one who reads the batches.
            catch (Exception e)
#pragma warning restore CA1031
            {
                queue.Fail(slot, e is UniFaceException or OutOfMemoryException ? e : new UniFaceException($"{dataset.Source}: {dataset.Samples[slot.Sample].Name} could not be loaded: {e.Message}", e));
                return;
            }
        }
    }

    private RgbImage Image(int sample)
    {
        if (cache?[sample] is RgbImage known)
        {
            return known;
        }

        string name = $"{dataset.Source}: {dataset.Samples[sample].Name}";
        byte[] encoded = dataset.Read(sample);
        if (!read[sample])
        {
            FirstRead?.Invoke(sample, encoded);
            read[sample] = true;
        }

        RgbImage image = decoder.Decode(encoded, name);
        (int width, int height) = options.InputSize;
        if (image.Width != width || image.Height != height)
        {
            if (!options.Resize)
            {
                throw new UniFaceException($"{name} is {image.Width}x{image.Height}, expected {width}x{height}; bring the faces to that size with 'uniface align' first.");
            }

            image = ImageResampler.Resize(image, width, height);
        }

        if (cache is not null)
        {
            cache[sample] = image;
        }

        return image;
    }
}
