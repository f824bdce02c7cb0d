using System.CommandLine;
using UniFace.Decisions;
using UniFace.Packages;

namespace UniFace.Cli.Commands;

/// <summary>The options that choose a threshold; <see cref="DecisionRule"/> explains the rule.</summary>
internal sealed class DecisionOptions
{
    /// <summary>--threshold COSINE.</summary>
    public Option<double?> Threshold { get; } = new("--threshold")
    {
        Description = "Cosine at or above which two faces are one person. Default: from the package's calibration.",
        HelpName = "COSINE",
    };

    /// <summary>--fmr RATE.</summary>
    public Option<double?> FalseMatchRate { get; } = new("--fmr")
    {
        Description = "False match rate (FMR): how often two different people may match. The package's calibration gives its threshold. " +
            "Default: 1e-3, or the smallest rate that the calibration supports.",
        HelpName = "RATE",
    };

    /// <summary>--fpir RATE, for identification.</summary>
    public Option<double?> FalsePositiveIdentificationRate { get; } = new("--fpir")
    {
        Description = "False positive identification rate (FPIR): how often a person who is not enrolled may match anybody in the gallery. " +
            "More enrolled faces need a smaller FMR. Default: 0.01, or the smallest rate that the calibration supports.",
        HelpName = "RATE",
    };

    /// <summary>What the command line chose.</summary>
    public DecisionRule Rule(ParseResult parsed) => new()
    {
        Threshold = parsed.GetValue(Threshold),
        FalseMatchRate = parsed.GetValue(FalseMatchRate),
        FalsePositiveIdentificationRate = parsed.GetResult(FalsePositiveIdentificationRate) is null ? null : parsed.GetValue(FalsePositiveIdentificationRate),
    };

    /// <summary>Decides, and tells how to calibrate the package if it has no calibration.</summary>
    public static Decision Decide(ModelPackage package, Func<Decision> decide)
    {
        try
        {
            return decide();
        }
        catch (MissingCalibrationException)
        {
            throw new UniFaceException(
                $"{package.Source} has no calibration, so no threshold is known; give --threshold COSINE, or calibrate it on people that it was " +
                $"not trained on: uniface calibrate {package.Source} --images PEOPLE");
        }
    }
}
