namespace UniFace.Training.Head;

/// <summary>
/// A pass without tensors between the matrix products, on the CPU in float32: one loop over each row of products, rows in parallel, in
/// one block of memory. Rows are summed in fixed groups, so the result does not depend on the number of threads.
/// </summary>
/// <param name="batch">The batch.</param>
/// <param name="terms">The objective's terms.</param>
/// <param name="kernel">Their kernel of the other classes.</param>
/// <param name="samples">B.</param>
/// <param name="size">T, classes per tile at most.</param>
internal sealed class RowPass(HeadBatch batch, ObjectiveTerms terms, IRowKernel kernel, int samples, int size) : TilePass
{
    private const int Groups = 8;
    private readonly float scale = (float)OwnedTensors.Value(terms.Scale);
    private readonly Tensor products = empty([(long)samples * size], dtype: ScalarType.Float32); // [B * T]
    private readonly float[] radial = new float[Groups * size]; // [Groups, T]
    private readonly float[] hardest = [.. Enumerable.Repeat(-1f, samples)]; // [B]
    private readonly float[] top = [.. Enumerable.Repeat(RowLoop.Masked, samples)]; // [B]: largest logit
    private readonly double[] sum = new double[samples]; // [B]: sum of e^(logit - top)
    private readonly double[] values = new double[samples]; // [B]
    private readonly double[] slopes = new double[samples]; // [B]
    private RowTerms[] coefficients = []; // [B]
    private float[] targetGradient = []; // [B]
    private float[] targetCosine = []; // [B]

    public override Tensor LogSumExp =>
        tensor(top.Zip(sum, (t, s) => (float)(t + Math.Log(s))).ToArray()).unsqueeze(1);

    public override void Scan(ClassTile tile, CenterTile rows)
    {
        Tensor matrix = Multiply(tile, rows);
        WorkerThreads.For(samples, b =>
            RowLoop.AddExponents(Row(matrix, b, tile.Count), TensorMemory.Floats(rows.InverseLengths!), scale, ref top[b], ref sum[b]));
    }

    public override void BeginBackward()
    {
        float[] offsets = OwnedTensors.Floats(terms.Offset(null).flatten().expand(samples));
        float[] weights = OwnedTensors.Floats(batch.ForObjective.Share * (terms.PairWeight * scale));
        coefficients = [.. offsets.Zip(weights, (offset, weight) => new RowTerms(scale, offset, weight))];
        targetGradient = OwnedTensors.Floats(batch.TargetGradient);
        targetCosine = OwnedTensors.Floats(batch.Input.TargetCosine);
    }

    public override void Backward(ClassTile tile, CenterTile rows, CenterMove move)
    {
        Tensor matrix = Multiply(tile, rows);
        int count = tile.Count;
        Array.Clear(radial);
        WorkerThreads.For(Groups, group =>
        {
            Span<float> sums = radial.AsSpan(group * size, count);
            ReadOnlySpan<float> inverse = TensorMemory.Floats(rows.InverseLengths!);
            for (int b = samples * group / Groups; b < samples * (group + 1) / Groups; b++)
            {
                RowSums row = kernel.Backward(Row(matrix, b, count), inverse, sums, coefficients[b]);
                hardest[b] = MathF.Max(hardest[b], row.Largest);
                values[b] += row.Values;
                slopes[b] += row.Slopes;
            }
        });
        for (int group = 1; group < Groups; group++)
        {
            for (int column = 0; column < count; column++)
            {
                radial[column] += radial[(group * size) + column];
            }
        }

        Span<float> cells = TensorMemory.Floats(matrix);
        ReadOnlySpan<float> inverseLengths = TensorMemory.Floats(rows.InverseLengths!);
        foreach ((int sample, int column) in tile.Targets)
        {
            float gradient = targetGradient[sample];
            cells[(sample * count) + column] = gradient * inverseLengths[column];
            radial[column] += gradient * targetCosine[sample];
        }

        bool finite = Array.TrueForAll(hardest, float.IsFinite) && Array.TrueForAll(targetGradient, float.IsFinite);
        rows.Apply(matrix, tensor(radial.AsSpan(0, count).ToArray()), batch.X, batch.EmbeddingSum, finite ? move : move.Frozen);
    }

    public override void Complete()
    {
        terms.AddRows(tensor(values, dtype: ScalarType.Float32), tensor(slopes, dtype: ScalarType.Float32));
        batch.HardestNegative.copy_(tensor(hardest).clamp_(-1, 1));
    }

    private static Span<float> Row(Tensor matrix, int sample, int count) => TensorMemory.Floats(matrix).Slice(sample * count, count);

    /// <summary>The products of the embeddings with the rows of a tile, [B, T], with the targets masked.</summary>
    private Tensor Multiply(ClassTile tile, CenterTile rows)
    {
        Tensor matrix = products.narrow(0, 0, (long)samples * tile.Count).view(samples, tile.Count);
        matrix.addmm_(batch.X, rows.Rows.t(), beta: 0, alpha: 1);
        Span<float> cells = TensorMemory.Floats(matrix);
        foreach ((int sample, int column) in tile.Targets)
        {
            cells[(sample * tile.Count) + column] = RowLoop.Masked;
        }

        return matrix;
    }
}
