using TorchSharp;
using UniFace.Training.Losses;
using static TorchSharp.torch;

namespace UniFace.Cli.Reports;

/// <summary>What a loss does with one picture, measured from its real head.</summary>
/// <param name="Name">Name in the legend.</param>
/// <param name="Points">Angle to the own center in degrees; gradient along the angle, divided by the scale s.</param>
internal sealed record LossShape(string Name, IReadOnlyList<(double Degrees, double Pull)> Points)
{
    /// <summary>
    /// Turns a picture away from its own class center, step by step, with all other centers at a right angle to it, and
    /// asks the head for the gradient. So the curve is what training does, not a formula drawn beside it.
    /// </summary>
    /// <param name="name">Name in the legend.</param>
    /// <param name="spec">The loss.</param>
    /// <param name="classes">Number of people.</param>
    public static LossShape Measure(string name, LossSpec spec, int classes)
    {
        const int Angles = 121; // whole degrees, 0 to 120
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead head = LossRegistry.Create(spec, classes, 3, 1, ScalarType.Float64);
        float[] directions = new float[classes * 3]; // [C, 3]: the own center is x, all others are z
        for (int c = 0; c < classes; c++)
        {
            directions[(3 * c) + (c == 0 ? 0 : 2)] = 1;
        }

        Tensor centers = head.parameters().Single(p => p.dim() == 2 && p.shape[0] == classes && p.shape[1] == 3);
        using (no_grad())
        {
            centers.copy_(tensor(directions, [classes, 3]));
        }

        double[] faces = new double[Angles * 3]; // [angles, 3]
        for (int i = 0; i < Angles; i++)
        {
            (double sin, double cos) = Math.SinCos(i * Math.PI / 180);
            faces[3 * i] = cos;
            faces[(3 * i) + 1] = sin;
        }

        using HeadOutput output = head.ForwardBackward(tensor(faces, [Angles, 3]), zeros(Angles, ScalarType.Int64));
        double[] gradient = output.EmbeddingGradient.to(ScalarType.Float64).data<double>().ToArray();
        double scale = spec.Has("scale") && spec.NumberOrAuto("scale") is double s ? s : 1;
        List<(double, double)> points = [];
        for (int i = 0; i < Angles; i++)
        {
            // d loss / d angle = gradient . (-sin, cos); the head's loss is a mean over the batch.
            double pull = ((-gradient[3 * i] * faces[(3 * i) + 1]) + (gradient[(3 * i) + 1] * faces[3 * i])) * Angles / scale;
            points.Add((i, pull));
        }

        return new LossShape(name, points);
    }
}
