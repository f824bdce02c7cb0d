namespace UniFace.Training.Loop;

/// <summary>The data of a run: the people trained on, their images in order, and the people it validates on.</summary>
/// <param name="Training">The people trained on; their labels are the classes of the head.</param>
/// <param name="HeldOut">The people held out of the set, or null.</param>
/// <param name="Loader">Prepares the batches.</param>
/// <param name="Weights">Weight of each class's losses, or null for all 1.</param>
/// <param name="Validator">Validates on other people, or null.</param>
/// <param name="StepsPerEpoch">Optimizer steps per epoch.</param>
/// <param name="Warnings">What is unusual about the data, a sentence each.</param>
internal sealed record TrainingData(
    FaceDataset Training,
    FaceDataset? HeldOut,
    BatchLoader Loader,
    float[]? Weights,
    PeopleValidation? Validator,
    int StepsPerEpoch,
    IReadOnlyList<string> Warnings)
{
    /// <summary>Prepares the data of a run. The sets stay the caller's and must outlive the run.</summary>
    /// <param name="options">The options of the run.</param>
    /// <param name="data">The training set.</param>
    /// <param name="validation">The validation set, or null.</param>
    /// <param name="decoder">Decodes the images.</param>
    /// <param name="cacheBytes">Memory for decoded images.</param>
    public static TrainingData Create(
        TrainOptions options, FaceDataset data, FaceDataset? validation, IImageDecoder decoder, long cacheBytes = LoaderOptions.DefaultCacheBytes)
    {
        (FaceDataset training, FaceDataset? heldOut) = options.Split(data);
        IReadOnlyList<string> warnings = FaceDatasetCheck.Require(training);
        LoaderOptions loading = new()
        {
            BatchSize = options.Batch,
            Seed = options.Seed,
            Threads = Environment.ProcessorCount > 4 ? 4 : 1,
            QueueLength = 3,
            CacheBytes = cacheBytes,
        };
        ISampler sampler = Samplers.Create(options.Sampler, training, options.Batch, options.ImagesPerPerson, options.Seed);
        BatchLoader loader = new(training, decoder, sampler, options.Augment, loading);
        return new TrainingData(
            training,
            heldOut,
            loader,
            ClassWeights.Compute(options.ClassWeight, [.. training.SamplesByPerson().Select(samples => samples.Length)], options.ClassWeightBeta),
            (validation ?? heldOut) is FaceDataset validated ? new PeopleValidation(validated, decoder) : null,
            (loader.BatchesPerEpoch + options.Accumulate - 1) / options.Accumulate,
            warnings);
    }
}
