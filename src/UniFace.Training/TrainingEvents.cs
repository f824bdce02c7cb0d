namespace UniFace.Training;

/// <summary>Where a run stands.</summary>
/// <param name="Metrics">The newest row of the log.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Epochs">Epochs of the whole run.</param>
/// <param name="Left">Time left, validation not counted.</param>
public sealed record TrainProgress(StepMetrics Metrics, long TotalSteps, int Epochs, TimeSpan Left);

/// <summary>What a run tells while it goes on; all optional.</summary>
public sealed record TrainingEvents
{
    /// <summary>With each row of the log.</summary>
    public Action<TrainProgress>? Progress { get; init; }

    /// <summary>At each epoch's end, and once before the first step.</summary>
    public Action<EpochMetrics>? EpochEnded { get; init; }

    /// <summary>Something the user should know: the loss does not fall.</summary>
    public Action<string>? Warning { get; init; }

    /// <summary>A checkpoint was written; its step.</summary>
    public Action<long>? CheckpointWritten { get; init; }
}

/// <summary>How a run ended.</summary>
/// <param name="Run">The RUN folder.</param>
/// <param name="Epochs">Epochs completed.</param>
/// <param name="Steps">Optimizer steps taken, over all resumptions.</param>
/// <param name="ImagesPerSecond">Pictures a second in this process, validation not counted; 0 where nothing was left to train.</param>
/// <param name="Loss">Mean loss of the last epoch.</param>
/// <param name="Sha256">SHA-256 over the final weights.</param>
public sealed record TrainResult(string Run, int Epochs, long Steps, double ImagesPerSecond, double Loss, string Sha256)
{
    /// <summary>People of the set who were held out of the training.</summary>
    public int HeldOut { get; init; }
}
