namespace UniFace.Training.Loop;

/// <summary>The data of a run: the people trained on, their images in order, and the people it validates on.</summary>
/// <param name="Training">The people trained on; their labels are the classes of the head.</param>
/// <param name="HeldOut">The people held out of the set, or null.</param>
/// <param name="Loader">Prepares the batches.</param>
/// <param name="Weights">Weight of each class's losses, or null for all 1.</param>
/// <param name="Validator">Validates on other people; null if the run does not, or another process does it.</param>
/// <param name="Validates">Whether the run validates.</param>
/// <param name="Teacher">Gives the embeddings to learn, or null.</param>
/// <param name="StepsPerEpoch">Optimizer steps per epoch.</param>
/// <param name="Warnings">Warnings about the data, one sentence per entry.</param>
internal sealed record TrainingData(
    FaceDataset Training,
    FaceDataset? HeldOut,
    BatchLoader Loader,
    float[]? Weights,
    HeldOutValidator? Validator,
    bool Validates,
    Teacher? Teacher,
    int StepsPerEpoch,
    IReadOnlyList<string> Warnings)
{
    /// <summary>Prepares the data of a run. The sets are not disposed and must outlive the run.</summary>
    /// <param name="options">The options of the run.</param>
    /// <param name="data">The training set.</param>
    /// <param name="validation">The validation set, or null.</param>
    /// <param name="decoder">Decodes the images.</param>
    /// <param name="owned">Receives the teacher, to be disposed with the run; null if there is none.</param>
    /// <param name="cacheBytes">Memory for decoded images.</param>
    /// <param name="communicator">The processes that train together; null for one.</param>
    public static TrainingData Create(
        TrainOptions options,
        FaceDataset data,
        FaceDataset? validation,
        IImageDecoder decoder,
        Stack<IDisposable>? owned = null,
        long cacheBytes = LoaderOptions.DefaultCacheBytes,
        ICommunicator? communicator = null)
    {
        (FaceDataset training, FaceDataset? heldOut) = options.Split(data);
        IReadOnlyList<string> warnings = options.UsesLabels ? FaceDatasetCheck.Require(training) : training.Warnings;
        Teacher? teacher = options.Teacher is null
            ? null
            : Teacher.Open(
                options.Teacher,
                options.CreateManifest().CreateTemplate(),
                options.Backbone.EmbeddingSize,
                options.Threads,
                OpenPhotos(options, training, decoder));
        if (teacher is not null)
        {
            owned?.Push(teacher);
        }

        BackboneInput input = BackboneRegistry.Input(options.Backbone);
        LoaderOptions loading = new()
        {
            BatchSize = options.Batch,
            Part = communicator is null ? null : ShardRange.Of(options.Batch, communicator.Rank, communicator.Size),
            Seed = options.Seed,
            Threads = Environment.ProcessorCount > 4 ? 4 : 1,
            QueueLength = 3,
            CacheBytes = cacheBytes,
            InputSize = input.Size,
            Normalization = input.Normalization,
            Targets = teacher is null ? null : teacher.CreateTargets,
        };
        ISampler sampler = Samplers.Create(
            options.Sampler, training, options.Batch, options.ImagesPerPerson, options.Seed, [.. options.DataSets.Select(set => set.Weight)]);
        BatchLoader loader = new(training, decoder, sampler, options.Augment, loading);
        return new TrainingData(
            training,
            heldOut,
            loader,
            ClassWeights.Compute(options.ClassWeight, training.ImagesPerPerson(), options.ClassWeightBeta),
            (validation ?? heldOut) is FaceDataset validated && communicator is null or { Rank: 0 }
                ? new HeldOutValidator(validated, decoder, input.Size)
                : null,
            (validation ?? heldOut) is not null,
            teacher,
            (loader.BatchesPerEpoch + options.Accumulate - 1) / options.Accumulate,
            warnings);
    }

    private static Func<(int Width, int Height), TeacherPhotos>? OpenPhotos(TrainOptions options, FaceDataset training, IImageDecoder decoder) =>
        options.Teacher?.Data is string photos ? size => new TeacherPhotos(options.OpenPhotos(photos), training, decoder, size) : null;

    /// <summary>Computes what the steps need in addition to the data set: the teacher's embeddings.</summary>
    /// <param name="events">Receives the progress.</param>
    /// <param name="keepClean">True: also the embeddings of clean images, if the steps do not need them.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public void Prepare(TrainingEvents events, bool keepClean, CancellationToken cancellationToken)
    {
        int images = Training.Samples.Count;
        Teacher?.Prepare(images, Loader.Load, keepClean, done => events.Preparing?.Invoke("teacher's embeddings", done, images), cancellationToken);
    }
}
