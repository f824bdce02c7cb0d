using TorchSharp;
using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Curves;

/// <summary>What a loss says of one sample.</summary>
/// <param name="Logit">Logit of the own class.</param>
/// <param name="Loss">Its loss.</param>
/// <param name="AngleGradient">dLoss/dAngle to the own class center, the other cosines held.</param>
/// <param name="Probability">Of the right class.</param>
internal readonly record struct LossSample(double Logit, double Loss, double AngleGradient, double Probability);

/// <summary>
/// A loss of the registry and samples that need no embedding: given their cosines, they go through the margin and the objective the way
/// <see cref="RecognitionHead"/> sends a batch through them.
/// </summary>
internal sealed class LossProbe : IDisposable
{
    private readonly RecognitionHead head;
    private readonly CurveOptions options;
    private readonly ScalarType dtype;

    public LossProbe(Loss loss, CurveOptions options)
    {
        this.options = options;
        dtype = options.Bits switch
        {
            16 => ScalarType.Float16,
            32 => ScalarType.Float32,
            _ => ScalarType.Float64,
        };

        // A head is float32 or float64; what the curves use of it can be made float16.
        head = loss.CreateHead(options.Classes, embeddingSize: 1, seed: 1, dtype == ScalarType.Float64 ? dtype : ScalarType.Float32);
        if (dtype == ScalarType.Float16)
        {
            head.Margin.to(dtype);
            head.Objective.to(dtype);
        }
    }

    /// <summary>See <see cref="RecognitionHead.Threshold"/>.</summary>
    public double? Threshold => head.Threshold;

    /// <summary>Samples at angles to their own class center, all other classes at the options' cosine.</summary>
    public LossSample[] Sample(double[] angles)
    {
        ClassSelection classes = head.Centers.Select([0L]);
        return Pass(angles, classes, (tile, length) => full([angles.Length, tile.Count], options.OtherCosine * length, dtype: dtype));
    }

    /// <summary>ln(p / (1 - p)) of the right class, of samples between two classes alone.</summary>
    /// <param name="own">Angles to the own class center.</param>
    /// <param name="other">Angles to the other's.</param>
    public double[] LogOdds(double[] own, double[] other)
    {
        LossSample[] samples = Pass(own, new ClassSelection(2), (tile, length) =>
        {
            Tensor one = tensor(other.Select(a => Math.Cos(a) * length).ToArray()).to(dtype).unsqueeze(1); // [B, 1]
            return one.repeat(1, 2); // [B, 2]: the own class's column is not used
        });
        return [.. samples.Select(s => Math.Log(s.Probability) - Math.Log(1 - s.Probability))];
    }

    public void Dispose() => head.Dispose();

    private LossSample[] Pass(double[] angles, ClassSelection classes, Func<ClassTile, double, Tensor> others)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        int batch = angles.Length;
        double length = head.Centers.Similarity == Similarity.InnerProduct ? options.Length : 1;
        Tensor similarity = tensor(angles.Select(a => Math.Cos(a) * length).ToArray()).to(dtype); // [B]
        Tensor sine = tensor(angles.Select(a => Math.Abs(Math.Sin(a))).ToArray()).to(dtype); // [B]
        Tensor norm = full([batch], options.Length, dtype: dtype); // [B]
        MarginInput input = new(similarity, sine, norm);
        Tensor leaf;
        Tensor psi; // [B]
        using (enable_grad())
        {
            leaf = similarity.clone().requires_grad_(true);
            psi = head.Margin.Target(new MarginInput(leaf, sine, norm));
        }

        long[] labels = new long[batch];
        ObjectiveBatch seen = new(psi.detach(), norm, ones_like(norm), tensor(labels));
        ObjectiveStep step = head.Objective.Begin(seen);
        if (step.Scans)
        {
            Walk(classes, labels, others, length, input, (tile, phi) =>
            {
                tile.SetTargets(phi, seen.Target);
                step.Scan(phi);
            });
        }

        Tensor outer = step.TargetGradient(); // [B]: dLoss/dpsi
        using (enable_grad())
        {
            psi.backward([outer]);
        }

        Walk(classes, labels, others, length, input, (tile, phi) => step.NonTargetGradient(phi, tile));
        Tensor loss = head.Margin.Regulariser(input) is Tensor regulariser ? step.Loss + regulariser : step.Loss; // [B]
        Tensor factor = head.Objective.LogitFactor(norm).view(-1); // [B] or [1]
        double[] logits = Values(psi.detach() * factor);
        double[] losses = Values(loss);
        double[] slopes = Values(leaf.grad!);
        double[] misses = Values(outer / (factor * head.Objective.TargetWeight)); // p - 1
        return [.. angles.Select((a, i) => new LossSample(logits[i], losses[i], -Math.Sin(a) * length * slopes[i], 1 + misses[i]))];
    }

    private void Walk(ClassSelection classes, long[] labels, Func<ClassTile, double, Tensor> others, double length, MarginInput input, Action<ClassTile, Tensor> visit)
    {
        foreach (ClassTile tile in classes.Tiles(labels, RecognitionHead.TileRows))
        {
            using DisposeScope scope = NewDisposeScope();
            visit(tile, head.Margin.NonTarget(others(tile, length), input)); // [B, T]
        }
    }

    private static double[] Values(Tensor tensor) => tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();
}
