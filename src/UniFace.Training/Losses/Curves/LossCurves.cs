namespace UniFace.Training.Losses.Curves;

/// <summary>A point of a curve; y is null if the arithmetic gave no finite number.</summary>
/// <param name="X">Horizontal coordinate.</param>
/// <param name="Y">Vertical coordinate.</param>
internal sealed record CurvePoint(double X, double? Y);

/// <summary>A curve.</summary>
/// <param name="Name">Its name: "target-logit".</param>
/// <param name="X">Meaning of x, with its unit.</param>
/// <param name="Y">Meaning of y, with its unit.</param>
/// <param name="Points">In ascending order of x.</param>
internal sealed record LossCurve(string Name, string X, string Y, IReadOnlyList<CurvePoint> Points);

/// <summary>An arc of the circle, and which class's samples are classified as right there: with a probability above 1/2.</summary>
/// <param name="From">Start, in radians from the center of the first class towards that of the second.</param>
/// <param name="To">End, above <paramref name="From"/>.</param>
/// <param name="First">True if a sample of the first class is classified as right.</param>
/// <param name="Second">True if a sample of the second class is classified as right.</param>
internal sealed record CircleArc(double From, double To, bool First, bool Second);

/// <summary>
/// The decision boundary between two classes on the circle through their centers. The gap that the margin opens lies where neither class's sample
/// is classified as right.
/// </summary>
/// <param name="CentersApart">Angle from the first center, at 0, to the second, in radians.</param>
/// <param name="First">Where, on the way from the first center to the second, a sample of the first class is no longer right; null: nowhere.</param>
/// <param name="Second">Where, on that way, a sample of the second class becomes right; null: nowhere.</param>
/// <param name="Arcs">The whole circle, from 0 to 2 pi.</param>
internal sealed record DecisionBoundary(double CentersApart, double? First, double? Second, IReadOnlyList<CircleArc> Arcs);

/// <summary>What a loss does to a sample, as a function of the angle to its own class center.</summary>
/// <param name="Loss">The loss, complete.</param>
/// <param name="Options">Where the curves were computed.</param>
/// <param name="Threshold">The threshold b / s as a cosine if the loss has one shared threshold.</param>
/// <param name="Curves">
/// Against the angle in radians: "target-logit", the logit of the own class; "gradient", dLoss/dAngle, which pulls the sample to its center
/// (below 0: pushes it away); "loss", the loss of the sample. Against the cosine: "probability", of the right class; with softmax of the
/// own class among C, with a threshold of being accepted.
/// </param>
/// <param name="Boundary">The decision boundary between two classes.</param>
internal sealed record LossCurves(Loss Loss, CurveOptions Options, double? Threshold, IReadOnlyList<LossCurve> Curves, DecisionBoundary Boundary)
{
    private const string Angle = "angle to the own class center, radians";

    /// <summary>Computes the curves with the margin and objective that train. SphereFace is shown after its annealing.</summary>
    /// <exception cref="UniFaceException">An option is out of range, or there are too few classes for the loss.</exception>
    public static LossCurves Compute(Loss loss, CurveOptions options)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Loss annealed = loss is SphereFace ? loss.With("lambda-start", "0") : loss;
        using LossProbe probe = new(annealed, options);

        // A clamp hides the probability, not the logit.
        using LossProbe unclamped = new(annealed is ThresholdLoss ? annealed.With("clamp", "false") : annealed, options);

        // Without the end points, where the angle has no derivative.
        const double end = 1e-4;
        double[] angles = Grid(end, Math.PI - end, options.Points);
        LossSample[] byAngle = probe.Sample(angles);
        double[] cosines = Grid(-1, 1, options.Points);
        LossSample[] byCosine = unclamped.Sample([.. cosines.Select(Math.Acos)]);
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
            BoundarySearch.Find(unclamped, options.CentersApart));
    }

    /// <summary>Points from one end to the other at equal distances.</summary>
    internal static double[] Grid(double from, double to, int points) =>
        [.. Enumerable.Range(0, points).Select(i => from + ((to - from) * i / (points - 1)))];

    private static LossCurve Curve(string name, string x, string y, double[] at, LossSample[] samples, Func<LossSample, double> value) => new(
        name,
        x,
        y,
        [.. at.Zip(samples.Select(value), (position, result) => new CurvePoint(position, double.IsFinite(result) ? result : null))]);
}
