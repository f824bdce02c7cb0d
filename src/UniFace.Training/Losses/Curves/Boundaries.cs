namespace UniFace.Training.Losses.Curves;

/// <summary>Walks the circle through two class centers and asks the loss who is on its own side.</summary>
internal static class Boundaries
{
    private const int Steps = 720;

    public static DecisionBoundary Find(LossProbe probe, double apart)
    {
        double[] circle = [.. Enumerable.Range(0, Steps + 1).Select(i => 2 * Math.PI * i / Steps)];
        (double[] first, double[] second) = Sides(probe, circle, apart);
        double[] way = [.. Enumerable.Range(0, Steps + 1).Select(i => apart * i / Steps)];
        (double[] firstWay, double[] secondWay) = Sides(probe, way, apart);
        return new DecisionBoundary(apart, Crossing(way, firstWay), Crossing(way, secondWay), Arcs(circle, first, second));
    }

    /// <summary>The log odds of the right class, for a sample of the first and of the second class.</summary>
    private static (double[] First, double[] Second) Sides(LossProbe probe, double[] angles, double apart)
    {
        double[] others = [.. angles.Select(a => a - apart)];
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
