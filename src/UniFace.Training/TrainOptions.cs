using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;

namespace UniFace.Training;

/// <summary>Which optimizer.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent with momentum.</summary>
    Sgd,

    /// <summary>Adam with decoupled weight decay.</summary>
    AdamW,
}

#pragma warning disable CA1720 // The type's own name is what is meant.
/// <summary>How class centers and their momentum are stored.</summary>
public enum CenterType
{
    /// <summary>4 bytes a value.</summary>
    Float32,

    /// <summary>2 bytes a value, rounded stochastically; arithmetic is float32 all the same.</summary>
    BFloat16,
}

/// <summary>What a training step's convolutions multiply in.</summary>
public enum Precision
{
    /// <summary>float32.</summary>
    Float32,

    /// <summary>
    /// Products of bfloat16, added up in float32 (Kalamkar et al. 2019): the exponent is float32's, so nothing needs a loss scale.
    /// Weights, their gradients and momentum, everything between the convolutions, the loss and evaluation stay float32.
    /// </summary>
    BFloat16,
}
#pragma warning restore CA1720

/// <summary>
/// Everything that decides a training run, as stored in run.json. Two runs with the same options on the same data,
/// on the same kind of machine with the same number of threads, end with the same bits.
/// </summary>
public sealed record TrainOptions
{
    /// <summary>Path of the training set.</summary>
    public required string Data { get; init; }

    /// <summary>The loss with its hyperparameters.</summary>
    public required Loss Loss { get; init; }

    /// <summary>The backbone.</summary>
    public required BackboneSpec Backbone { get; init; }

    /// <summary>Passes over the data.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Pictures a batch.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Batches whose gradients make one step.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Decides the initial weights, the order of pictures, their augmentation, dropout and whatever a loss draws.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Which optimizer.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Sgd;

    /// <summary>The learning rate at full height.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Momentum of <see cref="OptimizerKind.Sgd"/>.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Factor of the weight decay.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>Which parameters decay.</summary>
    public WeightDecayRule Decay { get; init; } = WeightDecayRule.All;

    /// <summary>How the learning rate falls.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Poly;

    /// <summary>Epochs, fractions allowed, over which the learning rate rises from nothing.</summary>
    public double Warmup { get; init; } = 1;

    /// <summary>Power of <see cref="ScheduleKind.Poly"/>.</summary>
    public double Power { get; init; } = 2;

    /// <summary>Epochs at which <see cref="ScheduleKind.Step"/> divides by 10.</summary>
    public IReadOnlyList<double> Steps { get; init; } = [];

    /// <summary>
    /// Largest norm of all gradients together, but for those of the class centers under sgd, which never exist all at once; 0 clips nothing.
    /// </summary>
    public double Clip { get; init; } = 10;

    /// <summary>Decay of the moving average of the backbone's weights; 0 for none.</summary>
    public double Ema { get; init; }

    /// <summary>How class centers and their momentum are stored.</summary>
    public CenterType CenterType { get; init; } = CenterType.Float32;

    /// <summary>What convolutions multiply in while training.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>Which pictures an epoch shows: uniform, class-balanced or pk.</summary>
    public string Sampler { get; init; } = "uniform";

    /// <summary>Pictures of each person in a batch of the sampler pk.</summary>
    public int ImagesPerPerson { get; init; } = 4;

    /// <summary>Weights of the losses against imbalance: none, inverse or effective.</summary>
    public string ClassWeight { get; init; } = "none";

    /// <summary>Beta of the class weight effective.</summary>
    public double ClassWeightBeta { get; init; } = 0.999;

    /// <summary>People with fewer pictures are left out; 0 keeps all.</summary>
    public int MinImages { get; init; }

    /// <summary>Of a person with more pictures, this many drawn at random are used; 0 uses all.</summary>
    public int MaxImages { get; init; }

    /// <summary>How pictures are varied.</summary>
    public AugmentOptions Augment { get; init; } = AugmentOptions.Default;

    /// <summary>Path of a validation set of other people; null for none.</summary>
    public string? Validation { get; init; }

    /// <summary>From so many people on, the command line holds some of them out unless it is told otherwise.</summary>
    public const int PeopleToHoldOut = 20;

    /// <summary>The share of the people that the command line holds out then.</summary>
    public const double ShareToHoldOut = 0.1;

    /// <summary>Share of the people of <see cref="Data"/> that are held out for validation, 0 to 0.5.</summary>
    public double ValidationPeople { get; init; }

    /// <summary>Epochs between validations.</summary>
    public int ValidateEvery { get; init; } = 1;

    /// <summary>Steps between checkpoints, besides the one at each epoch's end; 0 for none.</summary>
    public int CheckpointEvery { get; init; } = 200;

    /// <summary>Steps between rows of metrics.jsonl.</summary>
    public int LogEvery { get; init; } = 10;

    /// <summary>Threads of a step; part of the run, because the order of a sum depends on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Where the network computes: "cpu", "cuda", "cuda:1", "mps".</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Checks the ranges of all values.</summary>
    /// <exception cref="UniFaceException">A value is out of range; says which, and the range.</exception>
    public void Validate()
    {
        Check("epochs", Epochs, 1, 100_000);
        Check("batch", Batch, 1, 1 << 16);
        Check("accumulate", Accumulate, 1, 10_000);
        Check("lr", LearningRate, 0, double.MaxValue);
        Check("momentum", Momentum, 0, 0.9999);
        Check("weight-decay", WeightDecay, 0, 10);
        Check("warmup", Warmup, 0, Epochs);
        Check("images-per-person", ImagesPerPerson, 1, Batch);
        Check("min-images", MinImages, 0, int.MaxValue);
        Check("max-images", MaxImages, 0, int.MaxValue);
        Check("power", Power, 0, 100);
        Check("clip", Clip, 0, double.MaxValue);
        Check("ema", Ema, 0, 0.999999);
        Check("val-people", ValidationPeople, 0, 0.5);
        Check("val-every", ValidateEvery, 1, int.MaxValue);
        Check("checkpoint-every", CheckpointEvery, 0, int.MaxValue);
        Check("threads", Threads, 1, 4096);
        foreach (double epoch in Steps)
        {
            Check("steps", epoch, 0, Epochs);
        }

        if (Schedule == ScheduleKind.Step && Steps.Count == 0)
        {
            throw new UniFaceException("--schedule step needs the epochs at which the rate falls: --steps 8,12 for instance.");
        }

        if (CenterType == CenterType.BFloat16 && Optimizer != OptimizerKind.Sgd)
        {
            throw new UniFaceException("--center-dtype bfloat16 needs --optimizer sgd: adamw keeps gradients and two averages of the centers in full.");
        }

        if (Validation is not null && ValidationPeople > 0)
        {
            throw new UniFaceException("--val and --val-people were both given; validation is either on another set or on people held out of this one.");
        }
    }

    private static void Check(string option, double value, double low, double high)
    {
        if (!(value >= low && value <= high))
        {
            throw new UniFaceException(FormattableString.Invariant($"--{option} is {value}, expected {low} to {high}."));
        }
    }
}
