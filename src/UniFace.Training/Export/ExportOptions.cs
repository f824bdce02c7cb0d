using Microsoft.Extensions.Logging;

namespace UniFace.Training.Export;

/// <summary>How a run is exported.</summary>
public sealed record ExportOptions
{
    /// <summary>True: the weights that were best on validation, if there are any. False: the last ones.</summary>
    public bool Best { get; init; } = true;

    /// <summary>License of the weights.</summary>
    public string License { get; init; } = "not stated";

    /// <summary>True: an embedding is f(x) + f(mirrored x), slightly more accurate at twice the time.</summary>
    public bool FlipSum { get; init; }

    /// <summary>
    /// True: weights are stored as int8, a quarter of the size. The package is refused if that costs more than 0.3 percentage points of accuracy on the people
    /// that the run was not trained on.
    /// </summary>
#pragma warning disable CA1720 // Named after the type of the weights.
    public bool Int8 { get; init; }
#pragma warning restore CA1720

    /// <summary>A calibration of these weights. Null: calibrates on the people that the run was not trained on, if there are any.</summary>
    internal Calibration? Calibration { get; init; }

    /// <summary>True: calibrates even on data that the run was trained on; the calibration then says so.</summary>
    public bool AllowOverlap { get; init; }

    /// <summary>Receives warnings; null for none.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>Appended to the refusal of an overlap: how to allow it.</summary>
    internal string OverlapHint { get; init; } = "";

    /// <summary>Receives warnings, in addition to <see cref="Logger"/>.</summary>
    internal Action<string>? Warning { get; init; }

    /// <summary>Called from several threads: activity, images done since the last call, images in total.</summary>
    internal Action<string, int, int>? Progress { get; init; }

    /// <summary>Passes a warning on.</summary>
    internal void Warn(string message)
    {
        Warning?.Invoke(message);
        Logger?.LogWarning("{Warning}", message);
    }
}
