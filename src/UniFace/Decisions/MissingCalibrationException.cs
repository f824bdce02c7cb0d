namespace UniFace.Decisions;

/// <summary>A rate cannot be turned into a threshold, because the model has no calibration.</summary>
public sealed class MissingCalibrationException(string message) : UniFaceException(message)
{
    internal const string Reason =
        "the model has no calibration, so no threshold is known; give a threshold, or calibrate the model on people that it was not trained on";
}
