namespace UniFace.Training.Data;

/// <summary>
/// Prepares batches on worker threads, some batches ahead of the training step: reads, decodes, checks the size, augments and normalizes.
/// The content of a batch depends only on (seed, epoch, position), not on the number of threads or on where a run was resumed.
/// An incomplete last batch is dropped; because the order differs in every epoch, no image is left out for good.
/// </summary>
/// <param name="dataset">The data set; not disposed.</param>
/// <param name="decoder">Decodes the images.</param>
/// <param name="sampler">Chooses the images of an epoch.</param>
/// <param name="augment">How images are augmented.</param>
/// <param name="options">How batches are prepared.</param>
/// <exception cref="UniFaceException">The set is smaller than a batch.</exception>
internal sealed class BatchLoader(FaceDataset dataset, IImageDecoder decoder, ISampler sampler, AugmentOptions augment, LoaderOptions options)
{
    private readonly bool[] read = new bool[dataset.Samples.Count];
    private readonly RgbImage?[]? cache =
        dataset.Samples.Count <= options.CacheBytes / options.ImageValues ? new RgbImage?[dataset.Samples.Count] : null;

    /// <summary>Batches per epoch: images per epoch divided by the batch size, rounded down.</summary>
    public int BatchesPerEpoch { get; } = sampler.Length >= options.BatchSize ? sampler.Length / options.BatchSize : throw new UniFaceException(
        $"{dataset.Source} has {sampler.Length} images per epoch, fewer than a batch of {options.BatchSize}; lower the batch size.");

    /// <summary>Called with the index and bytes of a sample when it is first read, from several threads; may be called twice for a sample.</summary>
    internal Action<int, byte[]>? FirstRead { get; set; }

    /// <summary>
    /// The batches of an epoch, in order. The caller disposes each; batches prepared ahead and not taken are disposed here.
    /// </summary>
    /// <param name="epoch">Epoch from 0.</param>
    /// <param name="firstBatch">First batch to return, to resume in the middle of an epoch.</param>
    /// <param name="cancellationToken">Ends the reading with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="UniFaceException">An image cannot be read or has the wrong size; the message names it.</exception>
    public IEnumerable<TrainingBatch> Read(int epoch, int firstBatch = 0, CancellationToken cancellationToken = default)
    {
        int[] order = sampler.GetOrder(epoch);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        TaskScheduler workers = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, options.Threads).ConcurrentScheduler;
        Queue<Task<TrainingBatch>> ahead = new();
        try
        {
            for (int next = firstBatch; ahead.Count > 0 || next < BatchesPerEpoch;)
            {
                for (; ahead.Count < options.QueueLength && next < BatchesPerEpoch; next++)
                {
                    int batch = next;
                    ahead.Enqueue(Task.Factory.StartNew(
                        () => Prepare(order, epoch, batch, stop.Token), stop.Token, TaskCreationOptions.DenyChildAttach, workers));
                }

                cancellationToken.ThrowIfCancellationRequested();
                TrainingBatch ready = ahead.Peek().GetAwaiter().GetResult();
                ahead.Dequeue();
                yield return ready;
            }
        }
        finally
        {
            stop.Cancel();
            foreach (Task<TrainingBatch> task in ahead)
            {
                ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
                if (task.IsCompletedSuccessfully)
                {
                    task.Result.Dispose();
                }
            }
        }
    }

    /// <summary>Decodes an aligned face.</summary>
    /// <exception cref="UniFaceException">It has another size.</exception>
    public static RgbImage Decode(IImageDecoder decoder, byte[] encoded, string name, (int Width, int Height) size)
    {
        RgbImage image = decoder.Decode(encoded, name);
        return (image.Width, image.Height) == size ? image : throw new UniFaceException(
            $"{name} is {image.Width}x{image.Height}, expected {size.Width}x{size.Height}; align the faces to that size first.");
    }

    private TrainingBatch Prepare(int[] order, int epoch, int batch, CancellationToken stop)
    {
        int size = options.BatchSize;
        int[] samples = order.AsSpan(batch * size, size).ToArray();
        ShardRange part = options.Part ?? new ShardRange(0, size);
        using Tensor pixels = empty([part.Count, options.InputSize.Height, options.InputSize.Width, 3], ScalarType.Float32); // [b, H, W, 3]
        Augmenter augmenter = new(augment);
        RgbImage[] seen = new RgbImage[part.Count];
        for (int i = part.First; i < part.End; i++)
        {
            int own = i - part.First;
            stop.ThrowIfCancellationRequested();
            SeededRandom random = new(options.Seed, RandomStream.Augmentation, epoch, ((long)batch * size) + i);
            try
            {
                seen[own] = augmenter.Apply(Load(samples[i]), random, draw => Load(order[draw.Next(order.Length)]));
                options.Normalization.Apply(seen[own].Pixels, TensorMemory.Floats(pixels).Slice(own * options.ImageValues, options.ImageValues));
            }
            catch (Exception e) when (e is not (UniFaceException or OutOfMemoryException))
            {
                throw new UniFaceException($"{dataset.Source}: {dataset.Samples[samples[i]].Name} could not be loaded: {e.Message}", e);
            }
        }

        Tensor images = pixels.permute(0, 3, 1, 2).DetachFromDisposeScope(); // [b, 3, H, W], channels last
        Tensor labels = tensor(samples.Select(sample => (long)dataset.LabelOf(sample)).ToArray()).DetachFromDisposeScope(); // [B]
        return new TrainingBatch(images, labels, samples) { Targets = options.Targets?.Invoke(samples[part.First..part.End], seen) };
    }

    /// <summary>A decoded image, not augmented; it must not be changed.</summary>
    public RgbImage Load(int sample)
    {
        if (cache?[sample] is RgbImage cached)
        {
            return cached;
        }

        string name = $"{dataset.Source}: {dataset.Samples[sample].Name}";
        byte[] encoded = dataset.Read(sample);
        if (!read[sample])
        {
            FirstRead?.Invoke(sample, encoded);
            read[sample] = true;
        }

        RgbImage image = Decode(decoder, encoded, name, options.InputSize);
        if (cache is not null)
        {
            cache[sample] = image;
        }

        return image;
    }
}
