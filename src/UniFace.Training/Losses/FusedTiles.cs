using UniFace.Training.Losses.Objectives;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// The work between a tile's matrix products, on the CPU in float32, for losses whose margin leaves other classes alone: one pass over
/// the products, row by row on all threads, in one block of memory for the whole walk. Rows are added up in fixed groups, so the
/// result does not depend on the number of threads.
/// </summary>
internal sealed class FusedTiles
{
    private const int Groups = 8;
    private readonly HeadBatch batch;
    private readonly IRowWork work;
    private readonly int samples;
    private readonly int size;
    private readonly Tensor products; // [B * T]
    private readonly float[] along; // [Groups, T]
    private readonly float[] hardest; // [B]
    private float[]? targetGradient; // [B]
    private float[] targetSimilarity = []; // [B]

    public FusedTiles(HeadBatch batch, IRowWork work, int size)
    {
        this.batch = batch;
        this.work = work;
        this.size = size;
        samples = (int)batch.X.shape[0];
        products = empty([(long)samples * size], dtype: ScalarType.Float32);
        along = new float[Groups * size];
        hardest = [.. Enumerable.Repeat(-1f, samples)];
    }

    /// <summary>Lets the objective see a tile before any gradient.</summary>
    public void Scan(ClassTile tile, CenterRows rows)
    {
        Tensor matrix = Products(tile, rows);
        Mask(tile, matrix);
        WorkerThreads.For(samples, b => work.Scan(b, Row(matrix, b, tile.Count), TensorMemory.Floats(rows.Inverse!)));
    }

    /// <summary>A tile's gradient, and what becomes of it.</summary>
    public void Backward(ClassTile tile, CenterRows rows, CenterMove move)
    {
        if (targetGradient is null)
        {
            targetGradient = OwnedTensors.Floats(batch.TargetGradient);
            targetSimilarity = OwnedTensors.Floats(batch.Input.TargetCosine);
        }

        Tensor matrix = Products(tile, rows);
        Mask(tile, matrix);
        int count = tile.Count;
        Array.Clear(along);
        WorkerThreads.For(Groups, group =>
        {
            Span<float> sums = along.AsSpan(group * size, count);
            ReadOnlySpan<float> inverse = TensorMemory.Floats(rows.Inverse!);
            for (int b = samples * group / Groups; b < samples * (group + 1) / Groups; b++)
            {
                hardest[b] = MathF.Max(hardest[b], work.Backward(b, Row(matrix, b, count), inverse, sums));
            }
        });
        for (int group = 1; group < Groups; group++)
        {
            for (int column = 0; column < count; column++)
            {
                along[column] += along[(group * size) + column];
            }
        }

        Span<float> cells = TensorMemory.Floats(matrix);
        ReadOnlySpan<float> lengths = TensorMemory.Floats(rows.Inverse!);
        foreach ((int sample, int column) in tile.Targets)
        {
            float gradient = targetGradient[sample];
            cells[(sample * count) + column] = gradient * lengths[column];
            along[column] += gradient * targetSimilarity[sample];
        }

        bool finite = Array.TrueForAll(hardest, float.IsFinite) && Array.TrueForAll(targetGradient, float.IsFinite);
        rows.Apply(matrix, tensor(along.AsSpan(0, count).ToArray()), batch.X, batch.UnitGradient, finite ? move : move.Frozen);
    }

    /// <summary>The walk is over: hands over the hardest negatives.</summary>
    public void End() => batch.HardestNegative.copy_(tensor(hardest).clamp_(-1, 1));

    private static Span<float> Row(Tensor matrix, int sample, int count) => TensorMemory.Floats(matrix).Slice(sample * count, count);

    private Tensor Products(ClassTile tile, CenterRows rows)
    {
        Tensor matrix = products.narrow(0, 0, (long)samples * tile.Count).view(samples, tile.Count); // [B, T]
        return matrix.addmm_(batch.X, rows.Values.t(), beta: 0, alpha: 1);
    }

    private static void Mask(ClassTile tile, Tensor matrix)
    {
        Span<float> cells = TensorMemory.Floats(matrix);
        foreach ((int sample, int column) in tile.Targets)
        {
            cells[(sample * tile.Count) + column] = RowLoop.Masked;
        }
    }
}
