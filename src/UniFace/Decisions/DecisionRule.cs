namespace UniFace.Decisions;

/// <summary>
/// How a threshold is chosen, for verification (1:1), identification (1:N) and clustering, in the libraries, the tool and the service.
/// <list type="number">
/// <item>A <see cref="Threshold"/> is used as it is.</item>
/// <item>A rate is turned into a threshold by the model's calibration. A rate that the calibration does not support is refused.</item>
/// <item>Without either, a default rate is used, or the smallest supported rate if that is larger; <see cref="Decision.Note"/> then says so.
/// </item>
/// </list>
/// Identification is not verification: a probe is compared with every enrolled face. With N faces, a false positive identification rate
/// FPIR needs a false match rate of 1 - (1 - FPIR)^(1/N) in each comparison.
/// </summary>
internal sealed record DecisionRule
{
    /// <summary>The false match rate of a verification if nothing is chosen.</summary>
    public const double DefaultFalseMatchRate = 1e-3;

    /// <summary>
    /// The false positive identification rate if nothing is chosen. The false match rate stays at <see cref="DefaultFalseMatchRate"/> or
    /// below, also in a small gallery.
    /// </summary>
    public const double DefaultFalsePositiveIdentificationRate = 0.01;

    // A cluster is found for each of N faces, so the rate is that at which a face matches 0.5 of the N - 1 others by chance.
    private const double StrangersPerFace = 0.5;

    /// <summary>Cosine at or above which two faces match, -1 to 1.</summary>
    public double? Threshold { get; init; }

    /// <summary>Chance that a comparison of two different people matches, above 0 and below 1.</summary>
    public double? FalseMatchRate { get; init; }

    /// <summary>Chance that a person who is not enrolled matches anybody in a gallery, above 0 and below 1; for identification only.</summary>
    public double? FalsePositiveIdentificationRate { get; init; }

    /// <summary>The decision for two photos.</summary>
    /// <param name="calibration">The model's calibration, or null.</param>
    /// <exception cref="MissingCalibrationException">There is no calibration and no threshold was given.</exception>
    /// <exception cref="UniFaceException">More than one choice was made, one is out of range, or the calibration does not support it.</exception>
    public Decision ForVerification(Calibration? calibration) => FalsePositiveIdentificationRate is null
        ? Decide(calibration, DefaultFalseMatchRate)
        : throw new UniFaceException("a false positive identification rate applies to identification only; give a false match rate");

    /// <summary>The decision for a search in a gallery.</summary>
    /// <param name="calibration">The model's calibration, or null.</param>
    /// <param name="enrolled">Enrolled faces (templates): the number of comparisons of a search.</param>
    /// <inheritdoc cref="ForVerification" path="/exception"/>
    public Decision ForIdentification(Calibration? calibration, long enrolled)
    {
        long comparisons = Math.Max(1, enrolled);
        double target = FalsePositiveIdentificationRate ?? DefaultFalsePositiveIdentificationRate;
        ErrorRate.Require(target, "false positive identification rate");
        double needed = 1 - Math.Pow(1 - target, 1.0 / comparisons);
        if (FalsePositiveIdentificationRate is not null && Threshold is null && FalseMatchRate is null && calibration?.Supports(needed) == false)
        {
            throw new UniFaceException($"{Needs(calibration)}; use a larger rate, or calibrate on at least {RuleOfThree.TrialsFor(needed)} such pairs");
        }

        Decision decision = Decide(
            calibration,
            FalsePositiveIdentificationRate is null ? Math.Min(needed, DefaultFalseMatchRate) : needed);
        double? expected = decision.FalseMatchRate is double rate ? Expected(rate) : null;
        return decision with
        {
            FalsePositiveIdentificationRate = expected,
            Note = decision.Note is null ? null : $"{Needs(calibration!)}; the smallest supported rate was used",
        };

        double Expected(double falseMatchRate) => 1 - Math.Pow(1 - falseMatchRate, comparisons);

        string Needs(Calibration of) =>
            Invariant($"a false positive identification rate of {target:G3} with {Plural.Format(comparisons, "enrolled face")} needs a false match rate ") +
            Invariant($"of {needed:G3}; {of.Limit}, which gives a false positive identification rate of about {Expected(of.SmallestSupportedRate):G3}");
    }

    /// <summary>
    /// The decision for clustering: each of N faces is compared with N - 1 others, so more faces need a smaller rate. Without a choice, it
    /// is the rate at which a face has 0.5 false matches on average, at most <see cref="DefaultFalseMatchRate"/>.
    /// </summary>
    /// <param name="calibration">The model's calibration, or null.</param>
    /// <param name="faces">Number of faces, at least 1.</param>
    /// <inheritdoc cref="ForVerification" path="/exception"/>
    public Decision ForClustering(Calibration? calibration, int faces)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(faces, 1);
        return Decide(calibration, Math.Min(DefaultFalseMatchRate, StrangersPerFace / Math.Max(1, faces - 1)));
    }

    private Decision Decide(Calibration? calibration, double defaultRate)
    {
        if (new[] { Threshold, FalseMatchRate, FalsePositiveIdentificationRate }.Count(choice => choice is not null) > 1)
        {
            throw new UniFaceException(
                "more than one of threshold, false match rate and false positive identification rate was given; give one of them");
        }

        if (Threshold is double threshold)
        {
            return threshold is >= -1 and <= 1
                ? new Decision(threshold, calibration?.FalseMatchRateAt(threshold))
                : throw new UniFaceException(Invariant($"the threshold {threshold} is out of range: expected a cosine, -1 to 1"));
        }

        if (calibration is null)
        {
            throw new MissingCalibrationException(MissingCalibrationException.Reason);
        }

        if (FalseMatchRate is null && FalsePositiveIdentificationRate is null && !calibration.Supports(defaultRate))
        {
            double smallest = calibration.SmallestSupportedRate;
            return new Decision(
                calibration.ThresholdAt(smallest),
                smallest,
                Note: Invariant($"{calibration.Limit}, not the default of {defaultRate:G3}; the smallest supported rate was used"));
        }

        double rate = FalseMatchRate ?? defaultRate;
        return new Decision(calibration.ThresholdAt(rate), rate);
    }
}
