namespace UniFace.Training.Losses.Curves;

/// <summary>A point of a curve; y is null where the arithmetic gave no finite number.</summary>
/// <param name="X">Across.</param>
/// <param name="Y">Up.</param>
public sealed record CurvePoint(double X, double? Y);

/// <summary>A curve.</summary>
/// <param name="Name">Its name: "target-logit".</param>
/// <param name="X">What x is, with its unit.</param>
/// <param name="Y">What y is, with its unit.</param>
/// <param name="Points">From the smallest x on.</param>
public sealed record LossCurve(string Name, string X, string Y, IReadOnlyList<CurvePoint> Points);

/// <summary>A slice of the circle and whose sample would be taken as right there.</summary>
/// <param name="From">Its begin, radians from the first class's center towards the second's.</param>
/// <param name="To">Its end, above <paramref name="From"/>.</param>
/// <param name="First">True where a sample of the first class is on its own side: probability of the right class above 1/2.</param>
/// <param name="Second">The same of the second class.</param>
public sealed record CircleArc(double From, double To, bool First, bool Second);

/// <summary>
/// Where two classes part on the circle through their centers. Where no class's sample is on its own side lies the gap that the margin
/// opens; where both are, a sample of either class would be content.
/// </summary>
/// <param name="CentersApart">Angle from the first center, at 0, to the second, radians.</param>
/// <param name="First">Where, going from the first center to the second, a sample of the first class is no longer on its own side; null: nowhere.</param>
/// <param name="Second">Where on that way a sample of the second class comes to its own side; null: nowhere.</param>
/// <param name="Arcs">The whole circle, from 0 to 2 pi.</param>
public sealed record DecisionBoundary(double CentersApart, double? First, double? Second, IReadOnlyList<CircleArc> Arcs);

/// <summary>What a loss does to a sample, seen from its angle to its own class center.</summary>
/// <param name="Loss">The loss, complete.</param>
/// <param name="Options">Where it was looked at.</param>
/// <param name="Threshold">The threshold b / s as a cosine, where the loss has one shared threshold.</param>
/// <param name="Curves">
/// "target-logit": the logit of the own class against the angle; "gradient": dLoss/dAngle, whose height pulls the sample to its center
/// (below 0: pushes it away); "loss": the loss of the sample; all three against the angle in radians. "probability": of the right
/// class against the cosine: of the own class among C by softmax; by a threshold, of being taken as one's own.
/// </param>
/// <param name="Boundary">Between two classes.</param>
public sealed record LossCurves(Loss Loss, CurveOptions Options, double? Threshold, IReadOnlyList<LossCurve> Curves, DecisionBoundary Boundary)
{
    /// <summary>
    /// Asks the loss itself: its margin and objective, as they are built for training. SphereFace is looked at
    /// after its annealing.
    /// </summary>
    /// <exception cref="UniFaceException">An option is out of range, or there are too few classes for the loss.</exception>
    public static LossCurves Compute(Loss loss, CurveOptions options)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Loss seen = loss is SphereFace ? loss.With("lambda-start", "0") : loss;
        using LossProbe probe = new(seen, options);
        using LossProbe open = new(seen is ThresholdLoss ? seen.With("clamp", "false") : seen, options); // A clamp hides the probability, not the logit.

        // The ends themselves are left out: there the angle has no derivative.
        const double end = 1e-4;
        double[] angles = Grid(end, Math.PI - end, options.Points);
        LossSample[] byAngle = probe.Sample(angles);
        double[] cosines = Grid(-1, 1, options.Points);
        LossSample[] byCosine = open.Sample([.. cosines.Select(Math.Acos)]);
        return new LossCurves(
            loss,
            options,
            probe.Threshold,
            [
                Curve("target-logit", Angle, "logit of the own class", angles, byAngle, s => s.Logit),
                Curve("gradient", Angle, "dLoss/dAngle per radian", angles, byAngle, s => s.AngleGradient),
                Curve("loss", Angle, "loss of the sample", angles, byAngle, s => s.Loss),
                Curve("probability", "cosine with the own class center", "probability of the right class", cosines, byCosine, s => s.Probability),
            ],
            Boundaries.Find(open, options.CentersApart));
    }

    private const string Angle = "angle to the own class center, radians";

    private static double[] Grid(double from, double to, int points) =>
        [.. Enumerable.Range(0, points).Select(i => from + ((to - from) * i / (points - 1)))];

    private static LossCurve Curve(string name, string x, string y, double[] across, LossSample[] samples, Func<LossSample, double> value) =>
        new(name, x, y, [.. across.Zip(samples, (at, sample) => new CurvePoint(at, double.IsFinite(value(sample)) ? value(sample) : null))]);
}
