namespace UniFace.Training.Loop;

/// <summary>
/// All state that changes while training: weights, optimizer, averages, position, and the statistics of the current epoch. A checkpoint is this
/// state; everything else follows from run.json. Owns its parts.
/// </summary>
internal sealed class TrainingState : IDisposable
{
    private const string CentersName = Checkpoint.HeadPrefix + "centers.weight";
    private const string BiasName = Checkpoint.HeadPrefix + "objective.bias";
    private const string CentersMomentum = "momentum." + CentersName;
    private readonly TrainOptions options;
    private readonly NamedParameter? centers;

    /// <summary>The state at the start of a run, on the given device.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="backbone">Disposed with this object.</param>
    /// <param name="head">Disposed with this object.</param>
    /// <param name="device">The device that both are moved to.</param>
    /// <param name="communicator">The processes over which the head is sharded; null for one.</param>
    public TrainingState(TrainOptions options, Backbone backbone, RecognitionHead head, Device device, ICommunicator? communicator = null)
    {
        this.options = options;
        Communicator = communicator ?? SingleProcess.Instance;
        Backbone = backbone;
        Head = head;
        backbone.to(device);
        head.to(device);
        backbone.train();
        head.train();
        IReadOnlyDictionary<Parameter, double>? rates = options.FineTune is null ? null : StageRates.Apply(backbone, options.FineTune);
        Parameters = [.. ParameterGroups.Collect(options.Decay, [("backbone", backbone), ("head", head)])
            .Select(p => p with { Rate = rates?.GetValueOrDefault(p.Value, 1) ?? 1, Sharded = Communicator.Size > 1 && IsPerClass(p.Name) })];

        // Under SGD the head updates its centers tile by tile; only AdamW needs their gradient, and the memory for it.
        centers = options.Optimizer == OptimizerKind.Sgd ? Parameters.Single(p => p.Name == CentersName) : null;
        IReadOnlyList<NamedParameter> parameters = [.. Parameters.Where(p => p != centers)];
        Optimizer = options.Optimizer == OptimizerKind.Sgd
            ? new SgdOptimizer(parameters, options.Momentum, options.WeightDecay)
            : new AdamWOptimizer(parameters, options.WeightDecay);
        Scale = options.Precision == Precision.Float16 ? new LossScale() : null;
        Average = options.Ema > 0 ? new MovingAverage(backbone, options.Ema) : null;
    }

    /// <summary>The processes that train together; each has this state with its own shard of the head.</summary>
    public ICommunicator Communicator { get; }

    /// <summary>The id of the run, which its checkpoints carry.</summary>
    public string RunId { get; init; } = "";

    /// <summary>The backbone.</summary>
    public Backbone Backbone { get; }

    /// <summary>Class centers, margin and objective.</summary>
    public RecognitionHead Head { get; }

    /// <summary>All parameters of both.</summary>
    public IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Updates the parameters, except class centers that the head updates itself (<see cref="GetCenterUpdate"/>).</summary>
    public ParameterOptimizer Optimizer { get; }

    /// <summary>The factor on the gradients of the backbone, which pass through float16; null in other precisions.</summary>
    public LossScale? Scale { get; init; }

    /// <summary>Average of the backbone's parameters, or null.</summary>
    public MovingAverage? Average { get; }

    /// <summary>Epochs completed, including their validation.</summary>
    public int Epoch { get; set; }

    /// <summary>Batches of the current epoch that are done.</summary>
    public int Batch { get; set; }

    /// <summary>Optimizer steps done.</summary>
    public long Step => Optimizer.Steps;

    /// <summary>Best validation metric so far, or null.</summary>
    public double? Best { get; set; }

    /// <summary>Statistics since the last row of the log.</summary>
    public RunningStatistics Window { get; set; } = new();

    /// <summary>Statistics of the current epoch.</summary>
    public RunningStatistics EpochSums { get; set; } = new();

    /// <summary>Mean losses of the completed epochs.</summary>
    public List<double> EpochLosses { get; set; } = [];

    /// <summary>Adds a batch to both statistics.</summary>
    public void AddBatch(double loss, float[] targetCosines, float[] hardestNegatives)
    {
        Window.AddBatch(loss, targetCosines, hardestNegatives);
        EpochSums.AddBatch(loss, targetCosines, hardestNegatives);
    }

    /// <summary>Adds an optimizer step to both statistics.</summary>
    public void AddStep(double gradientNorm)
    {
        if (Communicator.Rank > 0)
        {
            return; // The statistics of all processes are added, and a step is one step.
        }

        Window.AddStep(gradientNorm);
        EpochSums.AddStep(gradientNorm);
    }

    /// <summary>How a step updates the class centers: by the head under SGD, else by the optimizer.</summary>
    /// <param name="learningRate">The learning rate of the step.</param>
    public CenterUpdate GetCenterUpdate(double learningRate) =>
        centers is null ? CenterUpdate.Accumulate : new CenterUpdate.Sgd(learningRate, options.Momentum, centers.Decays ? options.WeightDecay : 0);

    /// <summary>Moves the statistics of all processes to rank 0.</summary>
    public void CollectStatistics() => RunningStatistics.MoveToFirst(Communicator, Window, EpochSums);

    /// <summary>SHA-256 over all weights: backbone, head and averages. The result is that of one process on rank 0, and empty on the others.</summary>
    public string WeightsSha256() => WeightsHash.Compute(Tensors(resumable: false), IsPerClass, Communicator);

    /// <summary>
    /// Writes a checkpoint, atomically. Sharded: every rank writes a part with its rows beside the file, and when all are complete, rank 0 writes
    /// the file, which names them.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="resumable">True: the whole state. False: the weights only.</param>
    public void Save(string path, bool resumable)
    {
        CollectStatistics();
        Dictionary<string, Tensor> tensors = Tensors(resumable);
        string? parts = null;
        if (Communicator.Size > 1)
        {
            CheckpointParts writer = new(Path.GetDirectoryName(Path.GetFullPath(path))!, Communicator);
            parts = writer.Write(RunId, Step, Head.Classes, tensors.Where(t => IsPerClass(t.Key)).ToDictionary(t => t.Key, t => t.Value));
            if (Communicator.Rank > 0)
            {
                return;
            }

            tensors = tensors.Where(t => !IsPerClass(t.Key)).ToDictionary(t => t.Key, t => t.Value);
        }

        Dictionary<string, string> metadata = new()
        {
            ["format"] = Checkpoint.Format,
            ["run"] = RunId,
            ["resumable"] = resumable ? "true" : "false",
            ["epoch"] = $"{Epoch}",
            ["batch"] = $"{Batch}",
            ["step"] = $"{Step}",
            ["best"] = Best?.ToString("R", CultureInfo.InvariantCulture) ?? "",
            ["window"] = JsonSerializer.Serialize(Window, TrainingStateJson.Default.RunningStatistics),
            ["epochSums"] = JsonSerializer.Serialize(EpochSums, TrainingStateJson.Default.RunningStatistics),
            ["epochLosses"] = JsonSerializer.Serialize(EpochLosses, TrainingStateJson.Default.ListDouble),
        };
        if (parts is not null)
        {
            metadata[CheckpointParts.Key] = parts;
        }

        if (Scale is not null)
        {
            metadata["lossScale"] = Scale.Value.ToString("R", CultureInfo.InvariantCulture);
            metadata["goodSteps"] = $"{Scale.GoodSteps}";
            metadata["skippedSteps"] = $"{Optimizer.Skipped}";
        }

        SafeTensorsWriter.Write(path, tensors, metadata);
    }

    /// <summary>Restores the state from a checkpoint, whatever number of processes wrote it.</summary>
    /// <exception cref="UniFaceException">The file is damaged, belongs to another run or model, or holds weights only.</exception>
    public void Load(string path)
    {
        using SafeTensorsFile file = Checkpoint.Open(path, RunId);
        if (file.Metadata.GetValueOrDefault("resumable") != "true")
        {
            throw new UniFaceException($"{path} cannot be resumed from: it holds weights without the optimizer's state.");
        }

        using ShardedTensors perClass = ShardedTensors.Open(file, RunId, Head.Classes, Head.Centers.Shard, IsPerClass);
        Checkpoint.ReadModule(file, Checkpoint.BackbonePrefix, Backbone);
        Checkpoint.ReadModule(file, Checkpoint.HeadPrefix, Head, perClass);
        Dictionary<string, Tensor> optimizer = Checkpoint.ReadAll(file, Checkpoint.OptimizerPrefix, perClass);
        Dictionary<string, Tensor> average = Checkpoint.ReadAll(file, Checkpoint.AveragePrefix);
        try
        {
            if (centers is not null && optimizer.Remove(CentersMomentum, out Tensor? momentum))
            {
                using (momentum)
                {
                    Head.Centers.RestoreMomentum(momentum);
                }
            }

            (Window, EpochSums) = (ReadStatistics(file, "window"), ReadStatistics(file, "epochSums"));
            if (Communicator.Rank > 0)
            {
                (Window, EpochSums) = (new RunningStatistics(), new RunningStatistics()); // Rank 0 has those of all processes.
            }

            long skipped = 0;
            if (Scale is not null)
            {
                Scale.Restore(
                    double.Parse(file.Metadata["lossScale"], CultureInfo.InvariantCulture),
                    int.Parse(file.Metadata["goodSteps"], CultureInfo.InvariantCulture));
                skipped = long.Parse(file.Metadata["skippedSteps"], CultureInfo.InvariantCulture);
            }

            Optimizer.Restore(long.Parse(file.Metadata["step"], CultureInfo.InvariantCulture), optimizer, skipped);
            Average?.Restore(average);
            Epoch = int.Parse(file.Metadata["epoch"], CultureInfo.InvariantCulture);
            Batch = int.Parse(file.Metadata["batch"], CultureInfo.InvariantCulture);
            Best = file.Metadata["best"] is { Length: > 0 } best ? double.Parse(best, CultureInfo.InvariantCulture) : null;
            EpochLosses = JsonSerializer.Deserialize(file.Metadata["epochLosses"], TrainingStateJson.Default.ListDouble) ?? [];
        }
        catch (Exception e) when (e is FormatException or OverflowException or KeyNotFoundException or JsonException)
        {
            throw new UniFaceException($"{path}: the metadata is damaged: {e.Message}", e);
        }
        finally
        {
            foreach (Tensor tensor in optimizer.Values.Concat(average.Values))
            {
                tensor.Dispose();
            }
        }
    }

    /// <summary>Disposes all parts.</summary>
    public void Dispose()
    {
        Average?.Dispose();
        Optimizer.Dispose();
        Head.Dispose();
        Backbone.Dispose();
    }

    /// <summary>Whether a tensor of a checkpoint has rows for each class, which are sharded.</summary>
    private bool IsPerClass(string name) => name.EndsWith(CentersName, StringComparison.Ordinal)
        || (Head.Objective.PerClassParameters.Count > 0 && name.EndsWith(BiasName, StringComparison.Ordinal));

    private static RunningStatistics ReadStatistics(SafeTensorsFile file, string name)
    {
        RunningStatistics sums = JsonSerializer.Deserialize(file.Metadata[name], TrainingStateJson.Default.RunningStatistics)
            ?? throw new JsonException($"{name} is null");
        return sums.TargetHistogram?.Length == RunningStatistics.Bins && sums.HardestNegativeHistogram?.Length == RunningStatistics.Bins
            ? sums
            : throw new JsonException($"{name} has histograms of another size");
    }

    private Dictionary<string, Tensor> Tensors(bool resumable)
    {
        Dictionary<string, Tensor> tensors = [];
        Checkpoint.AddModule(tensors, Checkpoint.BackbonePrefix, Backbone);
        Checkpoint.AddModule(tensors, Checkpoint.HeadPrefix, Head);
        foreach ((string name, Tensor value) in Average?.Values ?? new Dictionary<string, Tensor>())
        {
            tensors[Checkpoint.AveragePrefix + name] = value;
        }

        if (resumable)
        {
            foreach ((string name, Tensor value) in Optimizer.State)
            {
                tensors[Checkpoint.OptimizerPrefix + name] = value;
            }

            if (Head.Centers.Momentum is Tensor momentum)
            {
                tensors[Checkpoint.OptimizerPrefix + CentersMomentum] = momentum;
            }
        }

        return tensors;
    }
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(RunningStatistics))]
[JsonSerializable(typeof(List<double>))]
internal sealed partial class TrainingStateJson : JsonSerializerContext;
