using UniFace.Training.Optimization;

namespace UniFace.Cli.Demo;

/// <summary>The size of the demo: 2 to 4 minutes on 2 cores. Its three groups of people are disjoint.</summary>
internal sealed record DemoPlan
{
    public required long Seed { get; init; }

    /// <summary>Whether this is the smaller plan of <see cref="CreateQuick"/>.</summary>
    public bool Quick { get; private init; }

    public int TrainPeople { get; init; } = 200;

    public int TrainImages { get; init; } = 16;

    /// <summary>How much the images of a person differ, 0 to 1.</summary>
    public float Variation { get; init; } = 0.8f;

    /// <summary>People for evaluation and gallery.</summary>
    public int UnseenPeople { get; init; } = 60;

    public int CalibrationPeople { get; init; } = 60;

    /// <summary>Images per person in the last two groups.</summary>
    public int OtherImages { get; init; } = 10;

    public int Epochs { get; init; } = 6;

    /// <summary>Replicates of each confidence interval.</summary>
    public int Replicates { get; init; } = 200;

    /// <summary>People to enroll, the first of the unseen.</summary>
    public int GalleryPeople { get; init; } = 10;

    /// <summary>Images to enroll per person.</summary>
    public int Templates { get; init; } = 5;

    /// <summary>False match rate that the evaluation reports.</summary>
    public double FalseMatchRate { get; init; } = 1e-3;

    /// <summary>
    /// False match rate of the threshold. A stranger is compared with everybody enrolled, so with ten people it is a tenth of the rate at which a
    /// stranger is taken for somebody.
    /// </summary>
    public double DecisionRate { get; init; } = 1e-4;

    /// <summary>A smaller plan for tests: about half a minute, with fewer people and easier images.</summary>
    public static DemoPlan CreateQuick(long seed) => new()
    {
        Seed = seed,
        Quick = true,
        TrainPeople = 80,
        TrainImages = 10,
        Variation = 0.5f,
        UnseenPeople = 24,
        CalibrationPeople = 24,
        OtherImages = 8,
        Epochs = 8,
        Replicates = 50,
        DecisionRate = 1e-3, // The smallest rate that so few people support.
    };

    public int FirstUnseen => TrainPeople;

    public int FirstCalibration => TrainPeople + UnseenPeople;

    /// <summary>The options of the training.</summary>
    public TrainOptions Training(string data) => new()
    {
        Data = data,
        Loss = new UnifiedCrossEntropy { Margin = 0.1, Scale = 16 },
        Backbone = new BackboneSpec("mobilefacenet", 0.25, 128),
        Epochs = Epochs,
        Batch = 32,
        Seed = Seed,
        LearningRate = 0.2,
        Schedule = ScheduleKind.Poly,
        Power = 1,
        Warmup = 0.5,
        LogEvery = 5,
        CheckpointEvery = 0,
    };
}
