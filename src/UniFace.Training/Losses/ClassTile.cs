using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>Some classes of a step, ascending, and which samples of the batch are theirs.</summary>
/// <param name="Start">The first class.</param>
/// <param name="Ids">[Count]: the classes; null: <paramref name="Start"/> and the next ones. Used up once the walk goes on.</param>
/// <param name="Count">T, how many.</param>
/// <param name="Targets">Samples of the batch whose own class is here, and its column.</param>
public sealed record ClassTile(int Start, long[]? Ids, int Count, IReadOnlyList<(int Sample, int Column)> Targets)
{
    private Tensor? samples;
    private Tensor? cells;

    /// <summary>The classes, [T] int64; null: neighbours from <see cref="Start"/> on.</summary>
    public Tensor? Index(Device device) => Ids is null ? null : tensor(Ids, device: device);

    /// <summary>Overwrites the targets' cells of a contiguous [B, T] matrix with a value.</summary>
    public void FillTargets(Tensor matrix, double value)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        if (Targets.Count > 0)
        {
            matrix.view(-1).index_fill_(0, Cells(matrix), value);
        }
    }

    /// <summary>Overwrites the targets' cells of a contiguous [B, T] matrix with the values of their samples.</summary>
    /// <param name="matrix">[B, T].</param>
    /// <param name="values">[B].</param>
    public void SetTargets(Tensor matrix, Tensor values)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        ArgumentNullException.ThrowIfNull(values);
        if (Targets.Count > 0)
        {
            samples ??= tensor(Targets.Select(t => (long)t.Sample).ToArray(), device: values.device);
            matrix.view(-1).index_copy_(0, Cells(matrix), values.index_select(0, samples));
        }
    }

    private Tensor Cells(Tensor matrix) => cells ??= tensor(Targets.Select(t => (long)t.Sample * Count + t.Column).ToArray(), device: matrix.device);
}
