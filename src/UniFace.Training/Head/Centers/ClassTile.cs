namespace UniFace.Training.Head.Centers;

/// <summary>Some of the classes of a step, ascending, and the samples of the batch that belong to them.</summary>
/// <param name="start">The first class.</param>
/// <param name="ids">[count]: the classes, valid until the next tile; null: <paramref name="start"/> and the ones after it.</param>
/// <param name="count">T, the number of classes.</param>
/// <param name="targets">The samples whose class is in this tile, each with its column.</param>
public sealed class ClassTile(int start, long[]? ids, int count, IReadOnlyList<(int Sample, int Column)> targets)
{
    private Tensor? samples;
    private Tensor? cells;

    /// <summary>The first class.</summary>
    public int Start => start;

    /// <summary>T, the number of classes.</summary>
    public int Count => count;

    /// <summary>[Count]: the classes, valid until the next tile; null: <see cref="Start"/> and the ones after it.</summary>
    internal long[]? Ids => ids;

    /// <summary>The samples whose class is in this tile, each with its column.</summary>
    internal IReadOnlyList<(int Sample, int Column)> Targets => targets;

    /// <summary>The classes, [T] int64; null: <see cref="Start"/> and the ones after it.</summary>
    public Tensor? Index(Device device) => Ids is null ? null : tensor(Ids, device: device);

    /// <summary>Sets the target cells of a contiguous [B, T] matrix to one value.</summary>
    public void FillTargets(Tensor matrix, double value)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        if (Targets.Count > 0)
        {
            matrix.view(-1).index_fill_(0, Cells(matrix), value);
        }
    }

    /// <summary>Sets the target cells of a contiguous [B, T] matrix to the values of their samples, [B].</summary>
    internal void SetTargets(Tensor matrix, Tensor values)
    {
        if (Targets.Count > 0)
        {
            samples ??= tensor(Targets.Select(t => (long)t.Sample).ToArray(), device: values.device);
            matrix.view(-1).index_copy_(0, Cells(matrix), values.index_select(0, samples));
        }
    }

    private Tensor Cells(Tensor matrix) =>
        cells ??= tensor(Targets.Select(t => ((long)t.Sample * Count) + t.Column).ToArray(), device: matrix.device);
}
