using System.Globalization;
using UniFace.Training.Losses;
using UniFace.Training.Losses.Curves;

namespace UniFace.Cli.Reports;

/// <summary>What a loss does with one picture.</summary>
/// <param name="Name">Name in the legend.</param>
/// <param name="Points">Angle to the own center in degrees; gradient along the angle, divided by the scale s.</param>
internal sealed record LossShape(string Name, IReadOnlyList<(double Degrees, double Pull)> Points)
{
    private const double MostDegrees = 120;

    /// <summary>
    /// Asks the loss itself for a picture that turns away from its own class center, all other centers at a right angle to it. So the
    /// curve is what training does, not a formula drawn beside it.
    /// </summary>
    /// <param name="name">Name in the legend.</param>
    /// <param name="spec">The loss.</param>
    /// <param name="classes">Number of people.</param>
    public static LossShape Measure(string name, Loss spec, int classes)
    {
        LossCurves curves = LossCurves.Compute(spec, new CurveOptions { Classes = classes, Length = 1 });
        double scale = spec.Value("scale") is string s ? double.Parse(s, CultureInfo.InvariantCulture) : 1;
        return new LossShape(name,
        [
            .. curves.Curves.Single(c => c.Name == "gradient").Points
                .Select(p => (p.X * 180 / Math.PI, (p.Y ?? double.NaN) / scale))
                .Where(p => p.Item1 <= MostDegrees),
        ]);
    }
}
