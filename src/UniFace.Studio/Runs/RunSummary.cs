namespace UniFace.Studio.Runs;

/// <summary>State of a run.</summary>
internal enum RunState
{
    /// <summary>It trains in this service.</summary>
    Running,

    /// <summary>Another process trains it.</summary>
    RunningElsewhere,

    /// <summary>It has not finished, and can be resumed.</summary>
    Stopped,

    /// <summary>It ended with an error.</summary>
    Failed,

    /// <summary>It has trained all epochs.</summary>
    Finished,

    /// <summary>Its run.json cannot be read.</summary>
    Damaged,
}

/// <summary>Summary of a run.</summary>
/// <param name="Name">Name of its folder.</param>
/// <param name="State">Whether it trains, and how it ended.</param>
/// <param name="Message">What went wrong and what to change; null if nothing did.</param>
/// <param name="Loss">The loss in full; null, like all below, if run.json cannot be read.</param>
/// <param name="Backbone">The backbone in full, with its options.</param>
/// <param name="Data">The training set.</param>
/// <param name="People">Number of people trained on.</param>
/// <param name="Images">Number of images trained on.</param>
/// <param name="HeldOut">Number of people held out for validation.</param>
/// <param name="Started">When it was started.</param>
/// <param name="Updated">When its metrics were last written.</param>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Epochs">Epochs in total.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="Steps">Steps in total.</param>
/// <param name="LastLoss">Loss of the newest row.</param>
/// <param name="TarAtFar">True accept rate of the last validation; null without one.</param>
internal sealed record RunSummary(
    string Name,
    RunState State,
    string? Message,
    string? Loss = null,
    string? Backbone = null,
    string? Data = null,
    int? People = null,
    int? Images = null,
    int? HeldOut = null,
    DateTime? Started = null,
    DateTime? Updated = null,
    int? Epoch = null,
    int? Epochs = null,
    long? Step = null,
    long? Steps = null,
    double? LastLoss = null,
    double? TarAtFar = null);
