using UniFace.Training.Losses;

namespace UniFace.Training.Tests.Losses;

/// <summary>A batch of doubles: embeddings, centers, biases, labels.</summary>
internal sealed record PlainBatch(double[][] Embeddings, double[][] Centers, double[] Bias, int[] Labels)
{
    public PlainBatch Copy() => new([.. Embeddings.Select(r => r.ToArray())], [.. Centers.Select(r => r.ToArray())], [.. Bias], Labels);
}

/// <summary>
/// Every loss of the registry once more, one pair at a time in doubles, from the papers' formulas and without a tensor.
/// Whatever the papers' code computes without a gradient (margins of a straight-through gradient, AdaFace's norms, Circle's weights,
/// running statistics, masks, which side of a clamp) is taken at a frozen batch, so that a finite difference of this function
/// is the gradient that training uses.
/// </summary>
internal static class PlainLosses
{
    public static double Loss(Loss spec, PlainBatch batch, double[]? margins = null) =>
        Loss(spec, batch, batch, Pairs.Create(spec, batch, batch), margins);

    private static double Loss(Loss spec, PlainBatch at, PlainBatch frozen, Pairs then, double[]? margins)
    {
        Pairs now = Pairs.Create(spec, at, frozen);
        double scale = spec.Has("scale") ? spec.Number("scale") : 1;
        if (spec.Name == "adacos")
        {
            scale = AdaCosScale(then, frozen.Labels, spec.Flag("dynamic"));
        }

        double total = 0;
        for (int i = 0; i < at.Labels.Length; i++)
        {
            int y = at.Labels[i];
            PlainMargin margin = new(spec, then, frozen.Labels, i, margins?[i] ?? 0);
            double psi = margin.Target(now.Similarity[i][y], now.Norm[i]);
            double[] phi = [.. Enumerable.Range(0, now.Classes).Select(j => margin.NonTarget(now.Similarity[i][j], then.Similarity[i][j]))];
            double psiThen = margin.Target(then.Similarity[i][y], then.Norm[i]);
            double s = spec.Name == "sphereface" ? now.Norm[i] : scale;
            total += spec.Name switch
            {
                "uce" or "bce" => Threshold(spec, s, psi, psiThen, phi, then.Similarity[i], at.Bias, frozen.Bias, y),
                "sphereface2" => Balanced(spec, s, psi, phi, at.Bias[0], y),
                _ => Softmax(s, psi, phi, y) * (spec.Name == "sphereface-r" && spec.Number("loss-weight") > 0 ? spec.Number("loss-weight") / s : 1),
            };
            if (spec.Name == "magface")
            {
                double a = PlainMargin.Clip(now.Norm[i], then.Norm[i], spec.Number("la"), spec.Number("ua"));
                total += spec.Number("lambda-g") * (a / Math.Pow(spec.Number("ua"), 2) + 1 / a);
            }
        }

        return total / at.Labels.Length;
    }

    /// <summary>
    /// dLoss/dValue of every value of some rows, by a central difference of fourth order. Its error relative to the gradient is about (s * h)^4 / 30,
    /// 6e-11 at s = 64, if a step is the share h of the row's length: only directions count, and a short row turns by as much as a long one.
    /// </summary>
    public static double[] Gradient(Loss spec, PlainBatch batch, Func<PlainBatch, double[][]> rows, double[]? margins = null)
    {
        const double StepShare = 1e-4;
        PlainBatch at = batch.Copy();
        Pairs then = Pairs.Create(spec, batch, batch);
        List<double> gradient = [];
        foreach (double[] row in rows(at))
        {
            double step = StepShare * Math.Sqrt(row.Sum(v => v * v));
            for (int d = 0; d < row.Length; d++)
            {
                double value = row[d];
                double At(double offset)
                {
                    row[d] = value + offset * step;
                    return Loss(spec, at, batch, then, margins);
                }

                gradient.Add((8 * (At(1) - At(-1)) - (At(2) - At(-2))) / (12 * step));
                row[d] = value;
            }
        }

        return [.. gradient];
    }

    public static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));

    private static double Softmax(double s, double psi, double[] phi, int y)
    {
        double[] logits = [.. phi.Select((p, j) => s * (j == y ? psi : p))];
        double top = logits.Max();
        return top + Math.Log(logits.Sum(l => Math.Exp(l - top))) - logits[y];
    }

    private static double Threshold(Loss spec, double s, double psi, double psiThen, double[] phi, double[] phiThen, double[] bias, double[] biasThen, int y)
    {
        double B(double[] b, int j) => spec.Name == "uce" ? b[0] : b[j];
        double Soft(double x, double then) => Softplus(spec.Flag("clamp") && Math.Abs(then) > s ? Math.CopySign(s, then) : x);
        double loss = Soft(B(bias, y) - s * psi, B(biasThen, y) - s * psiThen);
        for (int j = 0; j < phi.Length; j++)
        {
            loss += j == y ? 0 : spec.Number("lambda") * Soft(s * phi[j] - B(bias, j), s * phiThen[j] - B(biasThen, j));
        }

        return loss;
    }

    private static double Balanced(Loss spec, double r, double psi, double[] phi, double bias, int y)
    {
        double alpha = spec.Number("alpha");
        double others = phi.Where((_, j) => j != y).Sum(p => Softplus(r * p + bias));
        return spec.Number("loss-weight") / r * (alpha * Softplus(-(r * psi + bias)) + (1 - alpha) * others);
    }

    private static double AdaCosScale(Pairs pairs, int[] labels, bool dynamic)
    {
        double s = Math.Sqrt(2) * Math.Log(pairs.Classes - 1);
        if (!dynamic)
        {
            return s;
        }

        double average = labels.Select((y, i) => pairs.Similarity[i].Where((_, j) => j != y).Sum(c => Math.Exp(s * c))).Average();
        double[] angles = [.. labels.Select((y, i) => Math.Acos(pairs.Similarity[i][y])).Order()];
        return Math.Max(0.01, Math.Log(average) / Math.Cos(Math.Min(Math.PI / 4, angles[(angles.Length - 1) / 2])));
    }
}

/// <summary>Similarities of a batch's embeddings with its classes; of sub-centers, the one that is nearest in the frozen batch.</summary>
internal sealed class Pairs
{
    private Pairs(PlainBatch batch, PlainBatch frozen, int k, bool inner)
    {
        Classes = batch.Centers.Length / k;
        Norm = [.. batch.Embeddings.Select(Length)];
        Similarity = [.. batch.Embeddings.Select((e, i) => Enumerable.Range(0, Classes).Select(c =>
        {
            int nearest = Enumerable.Range(c * k, k).MaxBy(r => Dot(frozen.Embeddings[i], frozen.Centers[r]) / Length(frozen.Centers[r]));
            double product = Dot(e, batch.Centers[nearest]);
            return inner ? product : product / (Length(e) * Length(batch.Centers[nearest]));
        }).ToArray())];
    }

    public static Pairs Create(Loss spec, PlainBatch batch, PlainBatch frozen) =>
        new(batch, frozen, spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1, spec.Name == "softmax");

    public int Classes { get; }

    public double[] Norm { get; }

    public double[][] Similarity { get; }

    private static double Length(double[] v) => Math.Sqrt(Dot(v, v));

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int d = 0; d < a.Length; d++)
        {
            sum += a[d] * b[d];
        }

        return sum;
    }
}

/// <summary>psi and phi of one sample, with everything that carries no gradient taken from the frozen batch.</summary>
internal sealed class PlainMargin(Loss spec, Pairs then, int[] labels, int i, double drawn)
{
    private readonly double frozenTarget = then.Similarity[i][labels[i]];
    private readonly double frozenNorm = then.Norm[i];

    public double Target(double c, double norm) => Straight ? c + Psi(frozenTarget, frozenNorm) - frozenTarget : Psi(c, norm);

    public double NonTarget(double c, double frozen) => spec.Name switch
    {
        "curricularface" => frozen > Math.Cos(Math.Acos(frozenTarget) + M) ? c * (T() + c) : c,
        "adaface" => Clip(c, frozen, -0.999, 0.999),
        "mv-arc" or "mv-am" => frozen > (spec.Name == "mv-arc" ? Math.Cos(Math.Acos(frozenTarget) + M) : frozenTarget - M)
            ? (spec.Text("mode") == "adaptive" ? (spec.Number("t") + 1) * c : c) + spec.Number("t")
            : c,
        "circle" => Math.Max(frozen + M, 0) * (c - M),
        "sphereface2" => (Straight ? c + Rescale(frozen) - frozen : Rescale(c)) + M,
        "sphereface-r" when spec.Text("variant") == "v2" => Straight ? c + Math.Cos(Math.Acos(frozen) / M) - frozen : Math.Cos(Math.Acos(c) / M),
        _ => c,
    };

    private double M => spec.Number("margin");

    private bool Straight => spec.Has("gradient") && spec.Text("gradient") == "straight-through";

    private double Psi(double c, double norm)
    {
        switch (spec.Has("margin-type") ? spec.Text("margin-type") : spec.Name)
        {
            case "softmax" or "normface" or "adacos":
                return c;
            case "cosface" or "cos":
                return c - M;
            case "arcface" or "arc" or "subcenter-arcface" or "curricularface" or "mv-arc":
                return Arc(c, 1, M, 0);
            case "combined":
                return Arc(c, spec.Number("m1"), spec.Number("m2"), spec.Number("m3"));
            case "sphere":
                return Sphere(c, spec.Number("m1"));
            case "sphereface":
                double lambda = Math.Max(spec.Number("lambda"), spec.Number("lambda-start"));
                return (lambda * c + Sphere(c, M)) / (1 + lambda);
            case "sphereface-r":
                return spec.Text("variant") switch
                {
                    "v0" => Sphere(c, M),
                    "v1" => M * Math.Acos(frozenTarget) < Math.PI ? Math.Cos(M * Math.Acos(c)) : -1,
                    _ => c,
                };
            case "magface":
                double a = Clip(norm, frozenNorm, spec.Number("la"), spec.Number("ua"));
                double share = (a - spec.Number("la")) / (spec.Number("ua") - spec.Number("la"));
                return Arc(c, 1, spec.Number("lm") + share * (spec.Number("um") - spec.Number("lm")), 0);
            case "adaface":
                double z = Math.Clamp(spec.Number("h") * (Math.Clamp(frozenNorm, 1e-3, 100) - Mean()) / (Deviation() + 1e-3), -1, 1);
                double angle = Math.Acos(Clip(c, frozenTarget, -0.999, 0.999)) - M * z;
                double frozenAngle = Math.Acos(Math.Clamp(frozenTarget, -0.999, 0.999)) - M * z;
                return Math.Cos(Clip(angle, frozenAngle, 1e-3, Math.PI - 1e-3)) - (M + M * z);
            case "elasticface-arc":
                return Arc(c, 1, drawn, 0);
            case "elasticface-cos":
                return c - drawn;
            case "mv-am":
                return spec.Text("wrap") == "easy" && frozenTarget <= 0 ? c : c - M;
            case "circle":
                return Math.Max(1 + M - frozenTarget, 0) * (c - (1 - M));
            case "sphereface2":
                return Rescale(c) - M;
            default:
                throw new InvalidOperationException(spec.Name);
        }
    }

    private double Arc(double c, double m1, double m2, double m3)
    {
        double theta = Math.Acos(c);
        double past = m1 * Math.Acos(frozenTarget) + m2 - Math.PI;
        double added = Math.PI - (Math.PI - m2) / m1;
        return spec.Text("wrap") switch
        {
            "easy" when frozenTarget <= 0 => c,
            "guard" when past >= 0 => c - added * Math.Sin(added) - m3,
            _ => Math.Cos(m1 * theta + m2) - m3,
        };
    }

    private double Sphere(double c, double m)
    {
        double k = Math.Floor(m * Math.Acos(frozenTarget) / Math.PI);
        return Math.Pow(-1, k) * Math.Cos(m * Math.Acos(c)) - 2 * k;
    }

    private double Rescale(double c) => 2 * Math.Pow((c + 1) / 2, spec.Number("t")) - 1;

    /// <summary>A clamp whose side is that of the frozen batch.</summary>
    public static double Clip(double value, double frozen, double low, double high) => frozen < low ? low : frozen > high ? high : value;

    private double T() => spec.Number("t-momentum") * labels.Select((y, n) => then.Similarity[n][y]).Average();

    private double[] Lengths => [.. then.Norm.Select(n => Math.Clamp(n, 1e-3, 100))];

    private double Mean() => (1 - spec.Number("t-alpha")) * 20 + spec.Number("t-alpha") * Lengths.Average();

    private double Deviation()
    {
        double mean = Lengths.Average();
        double deviation = Math.Sqrt(Lengths.Sum(n => (n - mean) * (n - mean)) / (Lengths.Length - 1));
        return (1 - spec.Number("t-alpha")) * 100 + spec.Number("t-alpha") * deviation;
    }
}
