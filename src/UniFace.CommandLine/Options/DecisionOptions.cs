namespace UniFace.CommandLine.Options;

/// <summary>The options that choose a threshold, by the rule of <see cref="DecisionRule"/>.</summary>
internal sealed class DecisionOptions
{
    /// <summary>--threshold COSINE.</summary>
    public CliOption<double?> Threshold { get; } = new(
        "--threshold", "Cosine at or above which two faces are one person. Default: the threshold from the package's calibration.", "COSINE");

    /// <summary>--fmr RATE.</summary>
    public CliOption<double?> FalseMatchRate { get; } = new(
        "--fmr",
        "False match rate of the threshold, according to the package's calibration. Default: 1e-3, or the smallest rate that the calibration supports.",
        "RATE");

    /// <summary>--fpir RATE, for identification.</summary>
    public CliOption<double?> FalsePositiveIdentificationRate { get; } = new(
        "--fpir",
        "False positive identification rate: how often a person who is not enrolled may match anybody in the gallery. More enrolled faces need a " +
        "smaller false match rate. Default: 0.01, or the smallest rate that the calibration supports.",
        "RATE");

    /// <summary>The choice on the command line.</summary>
    public DecisionRule Rule(ParseResult parsed) => new()
    {
        Threshold = parsed.GetValue(Threshold),
        FalseMatchRate = parsed.GetValue(FalseMatchRate),
        FalsePositiveIdentificationRate = parsed.GetValue(FalsePositiveIdentificationRate),
    };

    /// <summary>Decides; without a calibration, the error says how to calibrate the package.</summary>
    public static Decision Decide(ModelPackage package, Func<Decision> decide)
    {
        try
        {
            return decide();
        }
        catch (MissingCalibrationException)
        {
            throw new UniFaceException(
                $"{package.Source} has no calibration, so its threshold is unknown; give --threshold COSINE, or calibrate it on people it was not " +
                $"trained on: uniface calibrate {package.Source} --images PEOPLE");
        }
    }

    /// <summary>" at a false match rate of ..." or nothing if the rate is unknown.</summary>
    public static string RateText(Decision decision, Calibration? calibration) =>
        decision.FalseMatchRate is double rate && calibration is not null ? $" at a false match rate of {rate:G3} ({calibration.Data.Name})" : "";
}
