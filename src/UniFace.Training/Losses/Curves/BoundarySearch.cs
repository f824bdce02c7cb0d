namespace UniFace.Training.Losses.Curves;

/// <summary>Finds where on the circle through two class centers a loss classifies a sample as right.</summary>
internal static class BoundarySearch
{
    private const int Steps = 720;

    public static DecisionBoundary Find(LossProbe probe, double centersApart)
    {
        double[] circle = LossCurves.Grid(0, 2 * Math.PI, Steps + 1);
        (double[] first, double[] second) = LogOdds(probe, circle, centersApart);
        double[] arc = LossCurves.Grid(0, centersApart, Steps + 1);
        (double[] firstOnArc, double[] secondOnArc) = LogOdds(probe, arc, centersApart);
        return new DecisionBoundary(centersApart, Crossing(arc, firstOnArc), Crossing(arc, secondOnArc), Arcs(circle, first, second));
    }

    /// <summary>The log odds of the right class, for a sample of the first and of the second class.</summary>
    private static (double[] First, double[] Second) LogOdds(LossProbe probe, double[] angles, double centersApart)
    {
        double[] others = [.. angles.Select(a => a - centersApart)];
        return (probe.LogOdds(angles, others), probe.LogOdds(others, angles));
    }

    private static double? Crossing(double[] angles, double[] odds)
    {
        for (int i = 1; i < odds.Length; i++)
        {
            if (odds[i] > 0 != odds[i - 1] > 0)
            {
                double share = odds[i - 1] / (odds[i - 1] - odds[i]);
                return angles[i - 1] + ((angles[i] - angles[i - 1]) * (double.IsFinite(share) ? share : 0.5));
            }
        }

        return null;
    }

    private static List<CircleArc> Arcs(double[] angles, double[] first, double[] second)
    {
        List<CircleArc> arcs = [];
        double from = 0;
        for (int i = 1; i < angles.Length; i++)
        {
            bool last = i == angles.Length - 1;
            bool same = first[i] > 0 == first[i - 1] > 0 && second[i] > 0 == second[i - 1] > 0;
            if (!same || last)
            {
                double to = last ? angles[i] : (angles[i] + angles[i - 1]) / 2;
                arcs.Add(new CircleArc(from, to, first[i - 1] > 0, second[i - 1] > 0));
                from = to;
            }
        }

        return arcs;
    }
}
