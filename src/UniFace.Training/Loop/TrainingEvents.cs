namespace UniFace.Training.Loop;

/// <summary>Progress of a run.</summary>
public sealed class TrainProgress
{
    internal TrainProgress(StepMetrics metrics, long totalSteps, int epochs, TimeSpan remaining) =>
        (Metrics, TotalSteps, Epochs, Remaining) = (metrics, totalSteps, epochs, remaining);

    /// <summary>Optimizer steps done.</summary>
    public long Step => Metrics.Step;

    /// <summary>Steps of the whole run.</summary>
    public long TotalSteps { get; }

    /// <summary>The epoch in progress, from 1.</summary>
    public int Epoch => Metrics.Epoch;

    /// <summary>Epochs of the whole run.</summary>
    public int Epochs { get; }

    /// <summary>Mean loss since the last report.</summary>
    public double Loss => Metrics.Loss;

    /// <summary>Images per second since the last report.</summary>
    public double ImagesPerSecond => Metrics.ImagesPerSecond;

    /// <summary>Time remaining, without validation.</summary>
    public TimeSpan Remaining { get; }

    /// <summary>The latest row of the log.</summary>
    internal StepMetrics Metrics { get; }
}

/// <summary>Callbacks of a run; all optional.</summary>
internal sealed record TrainingEvents
{
    /// <summary>A row of the log.</summary>
    public Action<TrainProgress>? Progress { get; init; }

    /// <summary>End of an epoch; also called before the first step.</summary>
    public Action<EpochMetrics>? EpochEnded { get; init; }

    /// <summary>A warning for the user, for example that the loss does not fall.</summary>
    public Action<string>? Warning { get; init; }

    /// <summary>Preparation before the first step: what is done, images done since the last call, images in total.</summary>
    public Action<string, int, int>? Preparing { get; init; }
}

/// <summary>Result of a run.</summary>
/// <param name="Folder">The run folder.</param>
/// <param name="Epochs">Epochs completed.</param>
/// <param name="Steps">Optimizer steps, including those before it was resumed.</param>
/// <param name="ImagesPerSecond">Images per second in this process, without validation; 0 if nothing was left to train.</param>
/// <param name="Loss">Mean loss of the last epoch.</param>
/// <param name="Sha256">SHA-256 over the final weights.</param>
public sealed record TrainResult(
    [property: JsonPropertyName("run")] string Folder, int Epochs, long Steps, double ImagesPerSecond, double Loss, string Sha256)
{
    /// <summary>People of the data set who were held out of the training.</summary>
    public int HeldOut { get; init; }

    /// <summary>Processes that trained.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Collectives and bytes per step; null for one process or without a step.</summary>
    [JsonIgnore]
    internal string? Traffic { get; init; }
}
