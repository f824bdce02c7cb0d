using System.Globalization;
using System.Text.Json;
using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Optimization;
using static TorchSharp.torch;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// All that changes while training: weights, optimizer, averages, the position, and what the current epoch has added up.
/// What it saves and loads is the whole of it; everything else follows from run.json. Owns its parts.
/// </summary>
public sealed class TrainingState : IDisposable
{
    private const string CentersName = Checkpoint.HeadPrefix + "centers.weight";
    private const string CentersMomentum = "momentum." + CentersName;
    private readonly NamedParameter? centers;

    /// <summary>The state at the start of a run, on the given device.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="backbone">Taken over.</param>
    /// <param name="head">Taken over.</param>
    /// <param name="device">Where both are moved to.</param>
    public TrainingState(TrainOptions options, Backbone backbone, RecognitionHead head, Device device)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(backbone);
        ArgumentNullException.ThrowIfNull(head);
        Backbone = backbone;
        Head = head;
        backbone.to(device);
        head.to(device);
        backbone.train();
        head.train();
        Parameters = ParameterGroups.Collect(options.Decay, [("backbone", backbone), ("head", head)]);

        // The head moves its centers itself, as it walks them; only AdamW wants their gradient, and the memory for it.
        centers = options.Optimizer == OptimizerKind.Sgd ? Parameters.Single(p => p.Name == CentersName) : null;
        IReadOnlyList<NamedParameter> parameters = [.. Parameters.Where(p => p != centers)];
        Optimizer = options.Optimizer switch
        {
            OptimizerKind.Sgd => new SgdOptimizer(parameters, options.Momentum, options.WeightDecay),
            OptimizerKind.AdamW => new AdamWOptimizer(parameters, options.WeightDecay),
            _ => throw new InvalidOperationException($"Optimizer {options.Optimizer}."),
        };
        Average = options.Ema > 0 ? new MovingAverage(backbone, options.Ema) : null;
    }

    /// <summary>The id of the run that the state belongs to; its checkpoints carry it.</summary>
    public string RunId { get; init; } = "";

    /// <summary>The network.</summary>
    public Backbone Backbone { get; }

    /// <summary>Class centers, margin and objective.</summary>
    public RecognitionHead Head { get; }

    /// <summary>All parameters of both.</summary>
    public IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Moves the parameters of both, but for the class centers where the head moves them itself (<see cref="CentersMove"/>).</summary>
    public ParameterOptimizer Optimizer { get; }

    /// <summary>Average of the backbone's parameters, or null.</summary>
    public MovingAverage? Average { get; }

    /// <summary>Epochs completed, their validation included.</summary>
    public int Epoch { get; set; }

    /// <summary>Batches of the current epoch that are done.</summary>
    public int Batch { get; set; }

    /// <summary>Optimizer steps taken.</summary>
    public long Step => Optimizer.Steps;

    /// <summary>Best validation metric so far, or null.</summary>
    public double? Best { get; set; }

    /// <summary>Sums since the last row of the log.</summary>
    public RunningStatistics Window { get; set; } = new();

    /// <summary>Sums of the current epoch.</summary>
    public RunningStatistics EpochSums { get; set; } = new();

    /// <summary>Mean losses of the completed epochs.</summary>
    public List<double> EpochLosses { get; set; } = [];

    /// <summary>How the class centers are updated in a step: by the head itself under SGD, else by the optimizer.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="learningRate">The rate of the step.</param>
    public CenterUpdate CentersMove(TrainOptions options, double learningRate)
    {
        ArgumentNullException.ThrowIfNull(options);
        return centers is null ? CenterUpdate.Accumulate : new CenterUpdate.Sgd(learningRate, options.Momentum, centers.Decays ? options.WeightDecay : 0);
    }

    /// <summary>SHA-256 over all weights: backbone, head, and the averages where there are.</summary>
    public string WeightsSha256() => WeightsHash.Of(Tensors(whole: false));

    /// <summary>Writes a checkpoint, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="whole">True: all that resuming takes; false: the weights only.</param>
    public void Save(string path, bool whole)
    {
        Dictionary<string, string> metadata = new(StringComparer.Ordinal)
        {
            ["format"] = Checkpoint.Format,
            ["run"] = RunId,
            ["resumable"] = whole ? "true" : "false",
            ["epoch"] = Epoch.ToString(CultureInfo.InvariantCulture),
            ["batch"] = Batch.ToString(CultureInfo.InvariantCulture),
            ["step"] = Step.ToString(CultureInfo.InvariantCulture),
            ["best"] = Best?.ToString("R", CultureInfo.InvariantCulture) ?? "",
            ["window"] = JsonSerializer.Serialize(Window),
            ["epochSums"] = JsonSerializer.Serialize(EpochSums),
            ["epochLosses"] = JsonSerializer.Serialize(EpochLosses),
        };
        SafeTensorsWriter.Write(path, Tensors(whole), metadata);
    }

    /// <summary>Takes over all of a checkpoint.</summary>
    /// <exception cref="UniFaceException">The file is damaged, of another run, holds weights only, or fits another model.</exception>
    public void Load(string path)
    {
        using SafeTensorsFile file = Checkpoint.Open(path, RunId);
        if (file.Metadata.GetValueOrDefault("resumable") != "true")
        {
            throw new UniFaceException($"{path} is no checkpoint to resume from: it holds weights only; expected the optimizer's state, too.");
        }

        Checkpoint.ReadModule(file, Checkpoint.BackbonePrefix, Backbone);
        Checkpoint.ReadModule(file, Checkpoint.HeadPrefix, Head);
        Dictionary<string, Tensor> optimizer = Checkpoint.ReadAll(file, Checkpoint.OptimizerPrefix);
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

            Optimizer.Restore(long.Parse(file.Metadata["step"], CultureInfo.InvariantCulture), optimizer);
            Average?.Restore(average);
            Epoch = int.Parse(file.Metadata["epoch"], CultureInfo.InvariantCulture);
            Batch = int.Parse(file.Metadata["batch"], CultureInfo.InvariantCulture);
            Best = file.Metadata["best"] is { Length: > 0 } best ? double.Parse(best, CultureInfo.InvariantCulture) : null;
            Window = Sums(file, "window");
            EpochSums = Sums(file, "epochSums");
            EpochLosses = JsonSerializer.Deserialize<List<double>>(file.Metadata["epochLosses"]) ?? [];
        }
        catch (Exception e) when (e is FormatException or OverflowException or KeyNotFoundException or JsonException)
        {
            throw new UniFaceException($"{path}: the position in the header is damaged: {e.Message}", e);
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

    private static RunningStatistics Sums(SafeTensorsFile file, string name)
    {
        RunningStatistics sums = JsonSerializer.Deserialize<RunningStatistics>(file.Metadata[name]) ?? throw new JsonException($"{name} is null");
        return sums.TargetHistogram?.Length == RunningStatistics.Bins && sums.HardestNegativeHistogram?.Length == RunningStatistics.Bins
            ? sums
            : throw new JsonException($"{name} has histograms of another size");
    }

    private Dictionary<string, Tensor> Tensors(bool whole)
    {
        Dictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
        Checkpoint.AddModule(tensors, Checkpoint.BackbonePrefix, Backbone);
        Checkpoint.AddModule(tensors, Checkpoint.HeadPrefix, Head);
        foreach ((string name, Tensor value) in Average?.Values ?? new Dictionary<string, Tensor>())
        {
            tensors[Checkpoint.AveragePrefix + name] = value;
        }

        if (whole)
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
