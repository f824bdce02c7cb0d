namespace UniFace.Training.Head.Centers;

/// <summary>Some of the classes of a step, ascending, and the samples of the batch that belong to them.</summary>
/// <param name="Start">The first class.</param>
/// <param name="Ids">[Count]: the classes, valid until the next tile; null: <paramref name="Start"/> and the ones after it.</param>
/// <param name="Count">T, the number of classes.</param>
/// <param name="Targets">The samples whose class is in this tile, each with its column.</param>
public sealed record ClassTile(int Start, long[]? Ids, int Count, IReadOnlyList<(int Sample, int Column)> Targets)
{
    private Tensor? samples;
    private Tensor? cells;

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
