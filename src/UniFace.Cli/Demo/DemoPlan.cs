using UniFace.Training.Runs;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;

namespace UniFace.Cli.Demo;

/// <summary>How much the demo does. The three groups of people are disjoint: they are neighbours in one endless set.</summary>
internal sealed record DemoPlan
{
    /// <summary>The set's and the training's seed.</summary>
    public required long Seed { get; init; }

    /// <summary>People trained on.</summary>
    public int TrainPeople { get; init; } = 200;

    /// <summary>Pictures of each.</summary>
    public int TrainImages { get; init; } = 16;

    /// <summary>How much the pictures of a person vary, 0 to 1.</summary>
    public float Variation { get; init; } = 0.8f;

    /// <summary>People that evaluation and gallery use; the model never sees them in training.</summary>
    public int UnseenPeople { get; init; } = 60;

    /// <summary>People that thresholds are calibrated on; neither trained nor evaluated on.</summary>
    public int CalibrationPeople { get; init; } = 60;

    /// <summary>Pictures of each person of these two groups.</summary>
    public int OtherImages { get; init; } = 10;

    /// <summary>Passes over the training pictures.</summary>
    public int Epochs { get; init; } = 6;

    /// <summary>Factor on the backbone's channels.</summary>
    public double Width { get; init; } = 0.25;

    /// <summary>Pictures a step.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>The learning rate at full height.</summary>
    public double LearningRate { get; init; } = 0.2;

    /// <summary>Redraws of each confidence interval.</summary>
    public int Replicates { get; init; } = 200;

    /// <summary>People enrolled in the gallery, the first of the unseen.</summary>
    public int GalleryPeople { get; init; } = 10;

    /// <summary>Pictures enrolled of each.</summary>
    public int Templates { get; init; } = 5;

    /// <summary>False match rate at which the evaluation reports.</summary>
    public double FalseMatchRate { get; init; } = 1e-3;

    /// <summary>
    /// False match rate of the threshold that decides: a stranger is compared with everybody enrolled, so among ten people
    /// it is a tenth of the rate at which a stranger may be taken for somebody.
    /// </summary>
    public double DecisionRate { get; init; } = 1e-4;

    /// <summary>The default: 2 to 4 minutes on 2 cores.</summary>
    public static DemoPlan Full(long seed) => new() { Seed = seed };

    /// <summary>A small one for tests and the impatient: about half a minute, on fewer and easier pictures.</summary>
    public static DemoPlan Quick(long seed) => new()
    {
        Seed = seed,
        TrainPeople = 80,
        TrainImages = 10,
        Variation = 0.5f,
        UnseenPeople = 24,
        CalibrationPeople = 24,
        OtherImages = 8,
        Epochs = 8,
        Replicates = 50,
        DecisionRate = 1e-3, // all that so few people can state
    };

    /// <summary>Index of the first unseen person.</summary>
    public int FirstUnseen => TrainPeople;

    /// <summary>Index of the first person of the calibration.</summary>
    public int FirstCalibration => TrainPeople + UnseenPeople;

    /// <summary>The training of the plan.</summary>
    public TrainOptions Training(string data) => new()
    {
        Data = data,
        Loss = new UnifiedCrossEntropy { Margin = 0.1, Scale = 16 },
        Backbone = new BackboneSpec("mobilefacenet", Width, 128),
        Epochs = Epochs,
        Batch = Batch,
        Seed = Seed,
        LearningRate = LearningRate,
        Schedule = ScheduleKind.Poly,
        Power = 1,
        Warmup = 0.5,
        LogEvery = 5,
        CheckpointEvery = 0,
    };
}
