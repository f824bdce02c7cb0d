namespace UniFace.Packages;

/// <summary>The data that a calibration was measured on.</summary>
internal sealed record CalibrationData
{
    /// <summary>Name of the data's file or folder.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Hash over names, labels and contents of the images (<see cref="Data.DatasetHash"/>), as a training states it in dataHash; for a
    /// .bin file its SHA-256.
    /// </summary>
    public required string Sha256 { get; init; }

    /// <summary>People in the data; 0 if unknown (a .bin has pairs only).</summary>
    public int People { get; init; }

    /// <summary>Images in the data.</summary>
    public int Images { get; init; }

    /// <summary>Mated pairs that were compared.</summary>
    public required long SamePairs { get; init; }

    /// <summary>Non-mated pairs that were compared. They limit how small a false match rate can be measured.</summary>
    public required long DifferentPairs { get; init; }
}

/// <summary>The part of a calibration's data that the model was trained on, if that was allowed.</summary>
/// <param name="Images">Images that were trained on.</param>
/// <param name="People">People, by name, who were trained on.</param>
internal sealed record TrainingOverlap([property: JsonPropertyName("pictures")] int Images, int People);

/// <summary>The threshold for one false match rate, with confidence intervals.</summary>
internal sealed record CalibrationEntry
{
    /// <summary>The target false match rate, e.g. 0.001.</summary>
    public required double FalseMatchRate { get; init; }

    /// <summary>Whether the data supports the rate: by the rule of three it is at least 3 / non-mated pairs.</summary>
    public required bool Supported { get; init; }

    /// <summary>
    /// Cosine at or above which two faces match: the lowest at which the measured rate is at most <see cref="FalseMatchRate"/>. Null if the
    /// rate is not supported.
    /// </summary>
    public double? Threshold { get; init; }

    /// <summary>Lower end of the bootstrap interval of the threshold.</summary>
    public double? ThresholdLow { get; init; }

    /// <summary>Upper end of the bootstrap interval of the threshold.</summary>
    public double? ThresholdHigh { get; init; }

    /// <summary>The false match rate measured at the threshold; never above <see cref="FalseMatchRate"/>.</summary>
    public double? MeasuredFalseMatchRate { get; init; }

    /// <summary>Lower end of the Clopper-Pearson interval of the measured rate.</summary>
    public double? FalseMatchRateLow { get; init; }

    /// <summary>Upper end of the Clopper-Pearson interval of the measured rate.</summary>
    public double? FalseMatchRateHigh { get; init; }

    /// <summary>Fraction of the mated pairs that match at the threshold.</summary>
    public double? TrueMatchRate { get; init; }

    /// <summary>Lower end of the bootstrap interval of the true match rate.</summary>
    public double? TrueMatchRateLow { get; init; }

    /// <summary>Upper end of the bootstrap interval of the true match rate.</summary>
    public double? TrueMatchRateHigh { get; init; }

    /// <summary>Why the rate is not supported, and how many pairs it needs.</summary>
    public string? Why { get; init; }
}

/// <summary>A measured point of the error curve.</summary>
/// <param name="Threshold">Cosine at or above which two faces match.</param>
/// <param name="FalseMatchRate">Fraction of the non-mated pairs that match.</param>
/// <param name="TrueMatchRate">Fraction of the mated pairs that match.</param>
internal readonly record struct CalibrationPoint(double Threshold, double FalseMatchRate, double TrueMatchRate);
