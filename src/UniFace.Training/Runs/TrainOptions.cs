using UniFace.Data.Merging;
using UniFace.Training.Losses;

namespace UniFace.Training.Runs;

#pragma warning disable CA1720 // The members are named after the types that they stand for.
/// <summary>How class centers and their momentum are stored.</summary>
public enum CenterType
{
    /// <summary>4 bytes per value.</summary>
    Float32,

    /// <summary>2 bytes per value, rounded stochastically. Arithmetic is float32.</summary>
    BFloat16,
}
#pragma warning restore CA1720

/// <summary>
/// All options of a training run, as stored in run.json. Two runs with the same options on the same data, on the same kind of machine and with
/// the same number of threads end with the same bits.
/// </summary>
public sealed record TrainOptions
{
    /// <summary>Path of the training set.</summary>
    public required string Data { get; init; }

    /// <summary>How many times an epoch draws each image of <see cref="Data"/>, on average (<see cref="WeightedData.Weight"/>); null: once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DataWeight { get; init; }

    /// <summary>
    /// Further training sets. People of different sets are different classes, also under one name. The sampler uniform draws from each set by its weight.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<WeightedData>? MoreData { get; init; }

    /// <summary>The loss with its hyperparameters.</summary>
    public required Loss Loss { get; init; }

    /// <summary>The backbone.</summary>
    public BackboneSpec Backbone { get; init; } = new("mobilefacenet");

    /// <summary>The model whose embeddings are learned, besides the loss or instead of it; null for none.</summary>
    public TeacherOptions? Teacher { get; init; }

    /// <summary>The model whose weights the run starts from; null for random weights.</summary>
    [JsonInclude]
    internal FineTuneOptions? FineTune { get; init; }

    /// <summary>Passes over the data.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Images per batch; of several processes, all together.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Batches per optimizer step; their gradients are added.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Seed of the initial weights, the order of the images, augmentation, dropout and the loss.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>The optimizer.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Sgd;

    /// <summary>The learning rate before decay and after warm-up.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Momentum of <see cref="OptimizerKind.Sgd"/>.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Factor of the weight decay.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>The parameters that decay.</summary>
    public WeightDecayRule Decay { get; init; } = WeightDecayRule.All;

    /// <summary>How the learning rate decays.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Poly;

    /// <summary>Epochs, or a fraction of one, over which the learning rate rises from 0.</summary>
    public double Warmup { get; init; } = 1;

    /// <summary>Power of <see cref="ScheduleKind.Poly"/>.</summary>
    public double Power { get; init; } = 2;

    /// <summary>Epochs at which <see cref="ScheduleKind.Step"/> divides by 10.</summary>
    public IReadOnlyList<double> Steps { get; init; } = [];

    /// <summary>
    /// Largest joint norm of all gradients, or 0 for no clipping. Under SGD it excludes the gradients of the class centers, which never exist
    /// all at once.
    /// </summary>
    public double Clip { get; init; } = 10;

    /// <summary>Decay of the moving average of the backbone's weights; 0 for none.</summary>
    public double Ema { get; init; }

    /// <summary>
    /// True: batch norms take their statistics over the batches of all processes, so that several processes train as one; on the CPU only. False:
    /// each process over its own images.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool SyncBatchNorm { get; init; }

    /// <summary>How class centers and their momentum are stored.</summary>
    public CenterType CenterType { get; init; } = CenterType.Float32;

    /// <summary>Type in which convolutions multiply while training.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>How an epoch samples images: uniform, class-balanced or pk.</summary>
    public string Sampler { get; init; } = "uniform";

    /// <summary>Images per person in a batch of the sampler pk.</summary>
    public int ImagesPerPerson { get; init; } = 4;

    /// <summary>Weights of the losses against class imbalance: none, inverse or effective.</summary>
    public string ClassWeight { get; init; } = "none";

    /// <summary>Beta of the class weight effective.</summary>
    public double ClassWeightBeta { get; init; } = 0.999;

    /// <summary>People with fewer images are left out; 0 keeps all.</summary>
    public int MinImages { get; init; }

    /// <summary>Images per person that are used at most, drawn at random; 0 for all.</summary>
    public int MaxImages { get; init; }

    /// <summary>How images are augmented.</summary>
    public AugmentOptions Augment { get; init; } = AugmentOptions.Default;

    /// <summary>Path of a validation set of other people; null for none.</summary>
    public string? Validation { get; init; }

    /// <summary>
    /// Which folder of an image's path in <see cref="Data"/> and <see cref="Validation"/> names the person, from 1; null: the folder of the image.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PersonLevel { get; init; }

    /// <summary>From this number of people on, <see cref="Trainer"/> holds some out.</summary>
    public const int PeopleToHoldOut = 20;

    /// <summary>The share of the people that <see cref="Trainer"/> holds out.</summary>
    public const double ShareToHoldOut = 0.1;

    /// <summary>Share of the people of <see cref="Data"/> that are held out for validation, 0 to 0.5.</summary>
    public double ValidationPeople { get; init; }

    /// <summary>The fold of people that is held out, from 1, instead of a share of them; 0 for none.</summary>
    public int ValidationFold { get; init; }

    /// <summary>Number of folds into which the people are divided for cross-validation; 0 for none.</summary>
    public int ValidationFolds { get; init; }

    /// <summary>Epochs between validations.</summary>
    public int ValidateEvery { get; init; } = 1;

    /// <summary>Steps between checkpoints, in addition to the one at the end of each epoch; 0 for none.</summary>
    public int CheckpointEvery { get; init; } = 200;

    /// <summary>Number of checkpoints to keep: the last one and the ones before it.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>Steps between rows of metrics.jsonl.</summary>
    public int LogEvery { get; init; } = 10;

    /// <summary>Threads of a training step. Part of the run, because the order of sums depends on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>The device that trains: "cpu", "cuda", "cuda:1", "mps".</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Checks the ranges of all values.</summary>
    /// <exception cref="UniFaceException">A value is out of range; the message names the value and the range.</exception>
    public void Validate() => Validate(name => name);

    /// <summary>Checks the ranges of all values.</summary>
    /// <param name="nameOf">How an error calls a property.</param>
    internal void Validate(Func<string, string> nameOf)
    {
        Check(Epochs, FineTune is null ? 1 : 0, 100_000);
        Check(Batch, 1, 1 << 20);
        Check(Accumulate, 1, 10_000);
        Check(LearningRate, 0, double.MaxValue);
        Check(Momentum, 0, 0.9999);
        Check(WeightDecay, 0, 10);
        Check(Warmup, 0, Epochs);
        Check(ImagesPerPerson, 1, Batch);
        Check(MinImages, 0, int.MaxValue);
        Check(MaxImages, 0, int.MaxValue);
        Check(Power, 0, 100);
        Check(Clip, 0, double.MaxValue);
        Check(Ema, 0, 0.999999);
        Check(ValidationPeople, 0, 0.5);
        Check(ValidationFolds, 0, 100);
        Check(ValidationFold, ValidationFolds == 0 ? 0 : 1, ValidationFolds);
        Check(ValidateEvery, 1, int.MaxValue);
        Check(CheckpointEvery, 0, int.MaxValue);
        Check(Keep, 1, 1000);
        Check(Threads, 1, 4096);
        foreach (double epoch in Steps)
        {
            Check(epoch, 0, Epochs, nameof(Steps));
        }

        if (Schedule == ScheduleKind.Step && Steps.Count == 0)
        {
            throw new UniFaceException($"The step schedule needs {nameOf(nameof(Steps))}, the epochs at which the learning rate falls, for example 8 and 12.");
        }

        if (CenterType == CenterType.BFloat16 && Optimizer != OptimizerKind.Sgd)
        {
            throw new UniFaceException("Class centers in bfloat16 need SGD: AdamW keeps the gradients and two averages of all centers in float32.");
        }

        if (Validation is not null && ValidationPeople > 0)
        {
            throw new UniFaceException(
                $"{nameOf(nameof(Validation))} and {nameOf(nameof(ValidationPeople))} are both set; validate either on another set or on people " +
                "held out of this one.");
        }

        foreach (WeightedData set in DataSets)
        {
            set.Validate();
        }

        Teacher?.Validate();
        FineTune?.Validate();
        Augment.Validate();
        if (Augment.Mix > 0 && Teacher is not { View: TeacherView.Augmented, Loss: 0 })
        {
            throw new UniFaceException(
                "the augmentation mix blends people, and the blend has no label: it needs a teacher with the augmented view, and a loss of weight 0; " +
                "leave mix out otherwise.");
        }

        BackboneRegistry.Validate(Backbone);

        void Check(double value, double low, double high, [CallerArgumentExpression(nameof(value))] string name = "")
        {
            if (!(value >= low && value <= high))
            {
                throw new UniFaceException(FormattableString.Invariant($"{nameOf(name)} is {value}, expected {low} to {high}."));
            }
        }
    }

    /// <summary>Whether the labels of the data are used.</summary>
    internal bool UsesLabels => Teacher is not { Loss: 0 };

    /// <summary>Opens the training set; without labels, any photos. The caller disposes it.</summary>
    /// <exception cref="UniFaceException">There is no data set.</exception>
    internal FaceDataset OpenData()
    {
        List<FaceDataset> sets = [];
        try
        {
            foreach (WeightedData set in DataSets)
            {
                sets.Add(OpenPhotos(set.Path));
            }

            return MergedDataset.Merge(sets);
        }
        catch
        {
            sets.ForEach(set => set.Dispose());
            throw;
        }
    }

    /// <summary>These options with other training sets.</summary>
    internal TrainOptions WithData(IReadOnlyList<WeightedData> sets) => this with
    {
        Data = sets[0].Path,
        DataWeight = sets[0].Weight == 1 ? null : sets[0].Weight,
        MoreData = sets.Count == 1 ? null : [.. sets.Skip(1)],
    };

    /// <summary>All training sets with their weights, the first from <see cref="Data"/>.</summary>
    internal IReadOnlyList<WeightedData> DataSets => [new(Data, DataWeight ?? 1), .. MoreData ?? []];

    /// <summary>Opens a data set as the training set is opened. The caller disposes it.</summary>
    internal FaceDataset OpenPhotos(string path) => UsesLabels ? FaceDatasets.Open(path, PersonLevel) : UnlabelledPhotos.Open(path, PersonLevel);

    /// <summary>Opens the validation set, if there is one. The caller disposes it.</summary>
    internal FaceDataset? OpenValidation() => Validation is null ? null : FaceDatasets.Open(Validation, PersonLevel);

    /// <summary>
    /// These options with a share of the people held out for validation and calibration, if there are enough: <see cref="PeopleToHoldOut"/> to train on, and
    /// some more than that share with two images, of which mated pairs are made. Counted after <see cref="MinImages"/> and <see cref="MaxImages"/>.
    /// </summary>
    /// <param name="data">The training set.</param>
    /// <param name="share">The share to hold out.</param>
    internal TrainOptions HoldOutPeople(FaceDataset data, double share = ShareToHoldOut)
    {
        int[] images = [.. data.ImagesPerPerson().Where(count => count > 0 && count >= MinImages)];
        int withPairs = MaxImages == 1 ? 0 : images.Count(count => count > 1);
        return images.Length >= PeopleToHoldOut && withPairs >= (share * images.Length) + 2 ? this with { ValidationPeople = share } : this;
    }

    /// <summary>The people to train on and, if the options hold some out, those.</summary>
    internal (FaceDataset Training, FaceDataset? HeldOut) Split(FaceDataset data) => ValidationFolds > 0
        ? DatasetSubset.HoldOutFold(LimitImages(data), ValidationFold, ValidationFolds, Seed)
        : DatasetSubset.HoldOut(LimitImages(data), ValidationPeople, Seed);

    /// <summary>The people with enough images, with as many images as the options allow.</summary>
    internal FaceDataset LimitImages(FaceDataset data) => MinImages > 0 || MaxImages > 0
        ? DatasetSubset.LimitImages(data, MinImages, MaxImages > 0 ? MaxImages : null, Seed)
        : data;

    /// <summary>How the model is run, apart from its weights: as the model that a fine-tuning starts from, or as the backbone.</summary>
    internal ModelManifest CreateManifest() => (FineTune?.Manifest ?? BackboneRegistry.Manifest(Backbone)) with
    {
        OnnxSha256 = "",
        Output = null,
        Quantization = null,
    };

    /// <summary>A new backbone with initial weights, whose batch norms are those of all processes if the options say so.</summary>
    internal Backbone CreateBackbone(Device device, ICommunicator? communicator = null)
    {
        Backbone backbone = BackboneRegistry.Create(Backbone, Seed);
        backbone.UsePrecision(Precision, device);
        if (SyncBatchNorm && communicator is { Size: > 1 })
        {
            backbone.Synchronize(communicator);
        }

        return backbone;
    }

    /// <summary>A new head: the loss over a number of people, or the shard of it that belongs to this process.</summary>
    internal RecognitionHead CreateHead(int people, Device device, ICommunicator? communicator = null) => Loss.CreateHead(
        Math.Max(people, UsesLabels ? 1 : Loss.Info.MinimumClasses),
        Backbone.EmbeddingSize,
        Seed,
        device: device,
        centers: CenterType == CenterType.BFloat16 ? ScalarType.BFloat16 : null,
        communicator: communicator);
}
