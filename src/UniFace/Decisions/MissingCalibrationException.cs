namespace UniFace.Decisions;

/// <summary>A rate cannot be turned into a threshold, because the model has no calibration.</summary>
public sealed class MissingCalibrationException(string message) : UniFaceException(message);
