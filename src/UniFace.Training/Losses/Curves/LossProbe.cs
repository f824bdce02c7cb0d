namespace UniFace.Training.Losses.Curves;

/// <summary>The result of a loss for one sample.</summary>
/// <param name="Logit">Logit of the own class.</param>
/// <param name="Loss">Loss of the sample.</param>
/// <param name="AngleGradient">dLoss/dAngle to the own class center, with the other cosines held fixed.</param>
/// <param name="Probability">Of the right class.</param>
internal readonly record struct LossSample(double Logit, double Loss, double AngleGradient, double Probability);

/// <summary>Evaluates the margin and the objective of a loss for samples that are given by their cosines instead of embeddings.</summary>
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

        // A head is float32 or float64; its margin and objective can be converted to float16.
        head = loss.CreateHead(options.Classes, embeddingSize: 1, seed: 1, dtype == ScalarType.Float64 ? dtype : ScalarType.Float32);
        if (dtype == ScalarType.Float16)
        {
            head.Margin.to(dtype);
            head.Objective.to(dtype);
        }
    }

    /// <summary>See <see cref="RecognitionHead.Threshold"/>.</summary>
    public double? Threshold => head.Threshold;

    private double Length => head.Centers.Similarity == Similarity.InnerProduct ? options.Length : 1;

    /// <summary>Evaluates samples at angles to their own class center, with all other classes at the cosine of the options.</summary>
    public LossSample[] Sample(double[] angles) =>
        Evaluate(angles, head.Centers.Select([0L]), tile => full([angles.Length, tile.Count], options.OtherCosine * Length, dtype: dtype));

    /// <summary>ln(p / (1 - p)) of the right class for samples between two classes.</summary>
    /// <param name="own">Angles to the own class center.</param>
    /// <param name="other">Angles to the other class center.</param>
    public double[] LogOdds(double[] own, double[] other)
    {
        // [B, 2]; the column of the own class is ignored.
        LossSample[] samples = Evaluate(own, new ClassSelection(2), _ => Similarities(other).unsqueeze(1).repeat(1, 2));
        return [.. samples.Select(s => Math.Log(s.Probability) - Math.Log(1 - s.Probability))];
    }

    public void Dispose() => head.Dispose();

    private LossSample[] Evaluate(double[] angles, ClassSelection classes, Func<ClassTile, Tensor> similarities)
    {
        using NoGradScope scope = new();
        int batch = angles.Length;
        Tensor norm = full([batch], options.Length, dtype: dtype); // [B]
        Tensor sine = tensor(angles.Select(a => Math.Abs(Math.Sin(a))).ToArray()).to(dtype); // [B]
        MarginInput input = new(Similarities(angles), sine, norm);
        MarginTargets targets = new(head.Margin, input);
        Tensor weight = ones_like(norm); // [B]
        long[] labels = new long[batch];
        ObjectiveTerms terms = head.Objective.Begin(new ObjectiveBatch(targets.Psi, norm, weight, tensor(labels)));
        TileGradient tiles = new(head.Margin, input, terms);
        if (terms.NeedsLogSumExp)
        {
            ForEachTile(tiles.Scan);
            terms.SetLogSumExp(tiles.LogSumExp);
        }

        double[] slopes = Values(targets.Backward(terms.TargetGradient(), weight));
        ForEachTile((tile, values) => tiles.Gradient(tile, values));
        double[] logits = Values(targets.Psi * terms.Scale.view(-1));
        double[] losses = Values(targets.Regularizer is Tensor regularizer ? terms.Loss + regularizer : terms.Loss);
        double[] misses = Values(terms.MissProbability);
        return [.. angles.Select((a, i) => new LossSample(logits[i], losses[i], -Math.Sin(a) * Length * slopes[i], 1 - misses[i]))];

        void ForEachTile(Action<ClassTile, Tensor> visit)
        {
            foreach (ClassTile tile in classes.Tiles(labels, RecognitionHead.TileRows))
            {
                using DisposeScope inner = NewDisposeScope();
                visit(tile, similarities(tile)); // [B, T]
            }
        }
    }

    private Tensor Similarities(double[] angles) => tensor(angles.Select(a => Math.Cos(a) * Length).ToArray()).to(dtype); // [B]

    private static double[] Values(Tensor tensor) => tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();
}
