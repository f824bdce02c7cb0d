using UniFace.Data;
using UniFace.Faces;
using UniFace.Training.Data;

namespace UniFace.Training;

/// <summary>What a run reads: the people trained on, the order of their pictures, and the people it validates on.</summary>
internal sealed class TrainingData
{
    private TrainingData(FaceDataset training, FaceDataset? heldOut, BatchLoader loader, float[]? classWeights, Validator? validator)
    {
        Training = training;
        HeldOut = heldOut;
        Loader = loader;
        ClassWeights = classWeights;
        Validator = validator;
    }

    /// <summary>The people trained on; their labels are the classes of the head.</summary>
    public FaceDataset Training { get; }

    /// <summary>The people held out of the set, or null.</summary>
    public FaceDataset? HeldOut { get; }

    /// <summary>Makes the batches.</summary>
    public BatchLoader Loader { get; }

    /// <summary>Factor of each class's losses, or null for all 1.</summary>
    public float[]? ClassWeights { get; }

    /// <summary>Scores the weights on other people, or null.</summary>
    public Validator? Validator { get; }

    /// <summary>Prepares the data of a run; the sets stay the caller's and must outlive the run.</summary>
    public static TrainingData Create(TrainOptions options, FaceDataset data, FaceDataset? validation, IImageDecoder decoder)
    {
        (FaceDataset training, FaceDataset? heldOut) = PeopleSubset.Split(data, options.ValidationPeople, options.Seed);
        if (training.People.Count < 2)
        {
            throw new UniFaceException($"{data.Source} has {training.People.Count} person to train on; telling people apart takes two or more.");
        }

        BatchLoader loader = new(
            training,
            decoder,
            new UniformSampler(training.Samples.Count, options.Seed),
            options.Augment,
            new LoaderOptions { BatchSize = options.Batch, Seed = options.Seed, Threads = Environment.ProcessorCount > 4 ? 4 : 1, QueueLength = 3 });
        FaceDataset? judged = validation ?? heldOut;
        return new TrainingData(training, heldOut, loader, null, judged is null ? null : new Validator(judged, decoder));
    }
}
