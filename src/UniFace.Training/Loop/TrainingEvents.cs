namespace UniFace.Training.Loop;

/// <summary>Progress of a run.</summary>
/// <param name="Metrics">The latest row of the log.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Epochs">Epochs of the whole run.</param>
/// <param name="Left">Time left, without validation.</param>
public sealed record TrainProgress(StepMetrics Metrics, long TotalSteps, int Epochs, TimeSpan Left);

/// <summary>Callbacks of a run; all optional.</summary>
public sealed record TrainingEvents
{
    /// <summary>A row of the log.</summary>
    public Action<TrainProgress>? Progress { get; init; }

    /// <summary>End of an epoch; also called before the first step.</summary>
    public Action<EpochMetrics>? EpochEnded { get; init; }

    /// <summary>A warning for the user, for example that the loss does not fall.</summary>
    public Action<string>? Warning { get; init; }
}

/// <summary>Result of a run.</summary>
/// <param name="Run">The run folder.</param>
/// <param name="Epochs">Epochs completed.</param>
/// <param name="Steps">Optimizer steps, including those before it was resumed.</param>
/// <param name="ImagesPerSecond">Images per second in this process, without validation; 0 if nothing was left to train.</param>
/// <param name="Loss">Mean loss of the last epoch.</param>
/// <param name="Sha256">SHA-256 over the final weights.</param>
public sealed record TrainResult(string Run, int Epochs, long Steps, double ImagesPerSecond, double Loss, string Sha256)
{
    /// <summary>People of the data set who were held out of the training.</summary>
    public int HeldOut { get; init; }
}
