using UniFace.Evaluation.ThresholdCalibration;

namespace UniFace.Training.Evaluation;

/// <summary>A calibration and its checks.</summary>
/// <param name="Calibration">The calibration, for the model if it has a contract.</param>
/// <param name="HeldOut">Thresholds of one half of the people, checked on the other.</param>
/// <param name="Shipped">The thresholds of an existing calibration of the same model, checked on the same images; empty if there is none.</param>
/// <param name="Missing">Images without a face.</param>
/// <param name="SameSampled">Whether only a sample of the mated pairs was scored.</param>
/// <param name="DifferentSampled">Whether only a sample of the non-mated pairs was scored.</param>
internal sealed record CalibrationMeasurement(
    Calibration Calibration,
    IReadOnlyList<HeldOutRate> HeldOut,
    IReadOnlyList<TransferredRate> Shipped,
    int Missing,
    bool SameSampled,
    bool DifferentSampled);
