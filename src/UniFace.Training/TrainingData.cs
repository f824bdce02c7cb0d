using UniFace.Data;
using UniFace.Faces;
using UniFace.Training.Data;

namespace UniFace.Training;

/// <summary>What a run reads: the people trained on, the order of their pictures, and the people it validates on.</summary>
internal sealed class TrainingData
{
    private TrainingData(FaceDataset training, FaceDataset? heldOut, BatchLoader loader, float[]? weights, PeopleValidation? validator, IReadOnlyList<string> warnings)
    {
        Training = training;
        HeldOut = heldOut;
        Loader = loader;
        Weights = weights;
        Validator = validator;
        Warnings = warnings;
    }

    /// <summary>The people trained on; their labels are the classes of the head.</summary>
    public FaceDataset Training { get; }

    /// <summary>The people held out of the set, or null.</summary>
    public FaceDataset? HeldOut { get; }

    /// <summary>Makes the batches.</summary>
    public BatchLoader Loader { get; }

    /// <summary>Factor of each class's losses, or null for all 1.</summary>
    public float[]? Weights { get; }

    /// <summary>Scores the weights on other people, or null.</summary>
    public PeopleValidation? Validator { get; }

    /// <summary>What is odd about the data, each in a sentence.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Prepares the data of a run; the sets stay the caller's and must outlive the run.</summary>
    public static TrainingData Create(TrainOptions options, FaceDataset data, FaceDataset? validation, IImageDecoder decoder) =>
        Create(options, data, validation, decoder, LoaderOptions.DefaultCacheBytes);

    /// <summary>The same, with a bound on the memory for decoded pictures.</summary>
    internal static TrainingData Create(TrainOptions options, FaceDataset data, FaceDataset? validation, IImageDecoder decoder, long cacheBytes)
    {
        (FaceDataset training, FaceDataset? heldOut) = Split(options, data);
        IReadOnlyList<string> warnings = FaceDatasetCheck.Require(training);
        BatchLoader loader = new(
            training,
            decoder,
            Samplers.Create(options.Sampler, training, options.Batch, options.ImagesPerPerson, options.Seed),
            options.Augment,
            new LoaderOptions { BatchSize = options.Batch, Seed = options.Seed, Threads = Environment.ProcessorCount > 4 ? 4 : 1, QueueLength = 3, CacheBytes = cacheBytes });
        FaceDataset? judged = validation ?? heldOut;
        float[]? weights = ClassWeights.Compute(options.ClassWeight, training, options.ClassWeightBeta);
        return new TrainingData(training, heldOut, loader, weights, judged is null ? null : new PeopleValidation(judged, decoder), warnings);
    }

    /// <summary>The people trained on and, where the options hold some out, those.</summary>
    public static (FaceDataset Training, FaceDataset? HeldOut) Split(TrainOptions options, FaceDataset data)
    {
        FaceDataset limited = options.MinImages > 0 || options.MaxImages > 0
            ? new FilteredDataset(data, options.MinImages, options.MaxImages > 0 ? options.MaxImages : null, options.Seed)
            : data;
        return PeopleSubset.Split(limited, options.ValidationPeople, options.Seed);
    }
}
