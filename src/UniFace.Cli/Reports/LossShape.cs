using UniFace.Training.Losses.Curves;

namespace UniFace.Cli.Reports;

/// <summary>How strongly a loss pulls an image towards its own class center.</summary>
/// <param name="Name">Name in the legend.</param>
/// <param name="Points">Angle to the own center in degrees, and gradient by the angle divided by the scale s.</param>
internal sealed record LossShape(string Name, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>The largest angle shown.</summary>
    public const double MaxDegrees = 120;

    /// <summary>Computes the curve from the loss itself, for an image that turns away from its center while all other centers are at a right angle.</summary>
    /// <param name="name">Name in the legend.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="classes">Number of people.</param>
    public static LossShape Measure(string name, Loss loss, int classes)
    {
        LossCurves curves = LossCurves.Compute(loss, new CurveOptions { Classes = classes, Length = 1 });
        double scale = loss.Value("scale") is string s ? double.Parse(s, CultureInfo.InvariantCulture) : 1;
        IEnumerable<(double X, double Y)> points = curves.Curves.Single(c => c.Name == "gradient").Points
            .Select(p => (p.X * 180 / Math.PI, (p.Y ?? double.NaN) / scale));
        return new LossShape(name, [.. points.Where(p => p.X <= MaxDegrees)]);
    }
}
